package accept_test

import (
	"errors"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
)

// A monitor is accept.Monitor of packages sync.
type monitor struct {
	sync.Mutex
	cond sync.Cond
}

func newMonitor() *monitor {
	m := &monitor{}
	m.cond.L = &m.Mutex
	return m
}

func (m *monitor) Wait()      { m.cond.Wait() }
func (m *monitor) Broadcast() { m.cond.Broadcast() }

// A ledger is a driver that counts how often each unit is accepted.
type ledger struct {
	counts []atomic.Int32
	sleep  time.Duration
}

func (l *ledger) Accept(r accept.Range) error {
	if l.sleep > 0 {
		time.Sleep(l.sleep * time.Duration(r.Len()/accept.UnitSize))
	}
	for at := r.Start; at < r.End; at += accept.UnitSize {
		if n := l.counts[at/accept.UnitSize].Add(1); n != 1 {
			return fmt.Errorf("unit %#x accepted %d times", at, n)
		}
	}
	return nil
}

func newTracker(tb testing.TB, units, slots int) (*accept.Tracker, *ledger) {
	span := accept.Range{End: uint64(units) * accept.UnitSize}
	m, _ := newBitmap(tb, span)
	m.Mark(span)
	return &accept.Tracker{Bitmap: m, Lock: newMonitor(), Claims: make([]accept.Range, slots)}, &ledger{counts: make([]atomic.Int32, units)}
}

// All want all of the memory: each unit is accepted once, and when Accept returns all is.
func TestTrackerSharesTheWork(t *testing.T) {
	for _, slots := range []int{1, 3, 8} {
		tracker, ledger := newTracker(t, 4096, slots)
		tracker.Step = 3 * accept.UnitSize
		var wg sync.WaitGroup
		for g := range 8 {
			wg.Go(func() {
				r := accept.Range{Start: uint64(g) * 100 * accept.UnitSize, End: uint64(4096-g*50)*accept.UnitSize - 5}
				if err := tracker.Accept(r, ledger); err != nil {
					t.Error(err)
				}
				for at := r.Start; at < r.End; at += accept.UnitSize {
					if n := ledger.counts[at/accept.UnitSize].Load(); n != 1 {
						t.Errorf("with %d slots unit %#x was accepted %d times when Accept returned", slots, at, n)
						return
					}
				}
			})
		}
		wg.Wait()
		if n := tracker.Unaccepted(tracker.Bitmap.Span()); n != 0 {
			t.Errorf("%d bytes unaccepted", n)
		}
	}
}

// Who needs a unit that another accepts waits for it, and only he does.
func TestTrackerWaitsForNobodyElse(t *testing.T) {
	tracker, ledger := newTracker(t, 16, 4)
	started, release := make(chan bool), make(chan bool)
	slow := accept.DriverFunc(func(r accept.Range) error {
		started <- true
		<-release
		return ledger.Accept(r)
	})
	unit := func(i uint64) accept.Range {
		return accept.Range{Start: i * accept.UnitSize, End: (i + 1) * accept.UnitSize}
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := tracker.Accept(unit(5), slow); err != nil {
			t.Error(err)
		}
	})
	<-started
	if err := tracker.Accept(unit(6), ledger); err != nil { // would block for ever
		t.Error(err)
	}
	if _, answer := tracker.Claim(unit(5)); answer != accept.Busy {
		t.Errorf("claiming what is claimed: %v", answer)
	}
	var done atomic.Bool
	wg.Go(func() {
		all := accept.Range{Start: unit(4).Start, End: unit(7).End}
		if err := tracker.Accept(all, ledger); err != nil {
			t.Error(err)
		}
		if !done.Load() {
			t.Error("Accept returned before a unit that another had claimed was accepted")
		}
	})
	for ledger.counts[4].Load() == 0 || ledger.counts[7].Load() == 0 { // what is not claimed comes first
		runtime.Gosched()
	}
	done.Store(true)
	release <- true
	wg.Wait()
}

func TestTrackerBreaks(t *testing.T) {
	tracker, ledger := newTracker(t, 8, 2)
	refused := errors.New("refused")
	if err := tracker.Accept(accept.Range{End: 2 * accept.UnitSize}, ledger); err != nil {
		t.Fatal(err)
	}
	bad := accept.DriverFunc(func(accept.Range) error { return refused })
	if err := tracker.Accept(accept.Range{Start: 4 << 20, End: 5 << 20}, bad); err != refused {
		t.Errorf("error %v", err)
	}
	if err := tracker.Accept(accept.Range{End: 16 << 20}, ledger); err != accept.ErrBroken {
		t.Errorf("after a failure: %v", err)
	}
	if err := tracker.Accept(accept.Range{End: 4 << 20}, ledger); err != nil {
		t.Errorf("what was accepted before a failure: %v", err)
	}
	if _, answer := tracker.Claim(accept.Range{Start: 8 << 20, End: 16 << 20}); answer != accept.Broken {
		t.Errorf("claiming after a failure: %v", answer)
	}
}

// One processor needs no lock and no slots.
func TestTrackerAlone(t *testing.T) {
	tracker, ledger := newTracker(t, 64, 0)
	tracker.Lock, tracker.Claims = nil, nil
	if n := testing.AllocsPerRun(1, func() {
		tracker.Bitmap.Mark(tracker.Bitmap.Span())
		for i := range ledger.counts {
			ledger.counts[i].Store(0)
		}
		if err := tracker.Accept(accept.Range{Start: 1, End: 100 << 20}, ledger); err != nil {
			t.Error(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := tracker.Unaccepted(tracker.Bitmap.Span()); n != 14<<21 {
		t.Errorf("%d bytes unaccepted", n)
	}
}

// BenchmarkTrackerParallel shows how acceptance scales with a platform that takes 50 µs a unit: the ratio is that of
// one goroutine's time to that of eight.
func BenchmarkTrackerParallel(b *testing.B) {
	const units = 2048
	run := func(goroutines int) time.Duration {
		tracker, ledger := newTracker(b, units, goroutines)
		ledger.sleep = 50 * time.Microsecond
		began := time.Now()
		var wg sync.WaitGroup
		for range goroutines {
			wg.Go(func() {
				if err := tracker.Accept(tracker.Bitmap.Span(), ledger); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		return time.Since(began)
	}
	var one, eight time.Duration
	for b.Loop() {
		one += run(1)
		eight += run(8)
	}
	b.ReportMetric(float64(one)/float64(eight), "one/eight")
}
