package alloc_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/alloc"
)

// A monitor is a lock as Go programs have it, which tells when somebody begins to wait.
type monitor struct {
	sync.Mutex
	cond    *sync.Cond
	waiting chan struct{}
}

func newMonitor() *monitor {
	m := &monitor{waiting: make(chan struct{}, 16)}
	m.cond = sync.NewCond(m)
	return m
}

func (m *monitor) Wait() {
	m.waiting <- struct{}{}
	m.cond.Wait()
}

func (m *monitor) Broadcast() { m.cond.Broadcast() }

// newSmall returns an allocator of so many units, of which the first is accepted.
func newSmall(t *testing.T, units uint64) (*alloc.Allocator, *monitor) {
	t.Helper()
	ram := []accept.Range{{Start: 0, End: units * accept.UnitSize}}
	header := accept.HeaderFor(ram[0])
	b, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		t.Fatal(err)
	}
	m := newMonitor()
	tracker := &accept.Tracker{Bitmap: b, Lock: m, Claims: make([]accept.Range, 4)}
	tracker.Bitmap.Mark(accept.Range{Start: accept.UnitSize, End: ram[0].End})
	a := new(alloc.Allocator)
	if err := a.Init(alloc.Config{RAM: ram, Books: make([]uint64, alloc.Words(ram)), Tracker: tracker, High: 4 * accept.UnitSize}); err != nil {
		t.Fatal(err)
	}
	return a, m
}

// A driver's error reaches the one who needed memory, and the one who fills the reserve; and the books stay right: units that
// could not be accepted are unaccepted again, and no others.
func TestErrorsOfTheDriver(t *testing.T) {
	no := errors.New("no")
	failing := accept.DriverFunc(func(accept.Range) error { return no })
	for what, need := range map[string]func(a *alloc.Allocator) error{
		"a block":     func(a *alloc.Allocator) error { _, err := a.Alloc(alloc.MaxOrder, failing); return err },
		"two units":   func(a *alloc.Allocator) error { _, err := a.AllocUnits(2, failing); return err },
		"the reserve": func(a *alloc.Allocator) error { _, err := a.Background(failing); return err },
	} {
		a, _ := newSmall(t, 8)
		page, err := a.Alloc(0, failing) // of the accepted unit
		if err != nil {
			t.Fatal(err)
		}
		before := a.Meminfo()
		if err := need(a); !errors.Is(err, no) {
			t.Errorf("%s: %v, want the driver's error", what, err)
		}
		if after := a.Meminfo(); after != before {
			t.Errorf("%s: %+v, want %+v", what, after, before)
		}
		if err := a.Free(page, 0); err != nil {
			t.Errorf("%s: the page that was there cannot be freed: %v", what, err)
		}
	}
}

// Who waits for memory that another has accepted takes what is freed meanwhile, pages or units, also where no other
// waits.
func TestFreeWakesWhoWaits(t *testing.T) {
	for _, units := range []bool{false, true} {
		a, m := newSmall(t, 4)
		unit, err := a.AllocUnits(1, accept.DriverFunc(func(accept.Range) error { return nil }))
		if err != nil {
			t.Fatal(err)
		}
		never := accept.DriverFunc(func(r accept.Range) error { t.Errorf("%v is accepted", r); return nil })
		var last uint64
		for a.Meminfo().FreeAccepted > 0 {
			if last, err = a.Alloc(0, never); err != nil {
				t.Fatal(err)
			}
		}
		started, finish, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		go func() {
			defer close(done)
			if _, err := a.Alloc(0, accept.DriverFunc(func(accept.Range) error { close(started); <-finish; return nil })); err != nil {
				t.Error(err)
			}
		}()
		<-started
		got := make(chan uint64, 1)
		go func() {
			addr, err := a.Alloc(0, never)
			if err != nil {
				t.Error(err)
			}
			got <- addr
		}()
		<-m.waiting
		freed := accept.Range{Start: last, End: last + accept.PageSize}
		if units {
			freed = accept.Range{Start: unit, End: unit + accept.UnitSize}
			err = a.FreeUnits(unit, 1)
		} else {
			err = a.Free(last, 0)
		}
		if err != nil {
			t.Fatal(err)
		}
		select {
		case addr := <-got:
			if addr < freed.Start || addr >= freed.End {
				t.Errorf("%v was freed, and %#x handed out", freed, addr)
			}
		case <-time.After(10 * time.Second):
			t.Error("what was freed is not taken")
		}
		close(finish)
		<-done
	}
}
