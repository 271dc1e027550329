package accepttest_test

import (
	"errors"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/accepttest"
)

func newMemory() *accepttest.Memory {
	return accepttest.NewMemory(nil, []accept.Range{accepttest.DriverMemory})
}

// The model is a driver itself.
func TestMemoryIsADriver(t *testing.T) {
	if err := accepttest.TestDriver(func() (accept.Driver, func(uint64) bool) {
		m := newMemory()
		return m, m.Accepted
	}); err != nil {
		t.Error(err)
	}
}

// Drivers that are wrong in one way each.
func TestWrongDrivers(t *testing.T) {
	for name, wrong := range map[string]func(m *accepttest.Memory, r accept.Range) error{
		"accepts nothing": func(m *accepttest.Memory, r accept.Range) error { return nil },
		"forgets the last page": func(m *accepttest.Memory, r accept.Range) error {
			r.End -= accept.PageSize
			return m.Accept(r)
		},
		"accepts whole units": func(m *accepttest.Memory, r accept.Range) error { return m.Accept(r.AlignOut(accept.UnitSize)) },
		"is content with what was accepted": func(m *accepttest.Memory, r accept.Range) error {
			if m.Accepted(r.End - accept.PageSize) {
				return nil
			}
			return m.Accept(r)
		},
		"accepts at most a unit": func(m *accepttest.Memory, r accept.Range) error {
			r.End = min(r.End, r.Start+accept.UnitSize)
			return m.Accept(r)
		},
	} {
		if accepttest.TestDriver(func() (accept.Driver, func(uint64) bool) {
			m := newMemory()
			return accept.DriverFunc(func(r accept.Range) error { return wrong(m, r) }), m.Accepted
		}) == nil {
			t.Errorf("a driver that %s passes", name)
		}
	}
}

func TestMemory(t *testing.T) {
	r := func(start, end uint64) accept.Range { return accept.Range{Start: start << 12, End: end << 12} }
	m := accepttest.NewMemory([]accept.Range{r(16, 32)}, []accept.Range{r(32, 64)})
	good := func(what string, err error) {
		t.Helper()
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	bad := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s is no error", what)
		}
	}
	good("touching accepted memory", m.Touch(accept.Range{Start: 16<<12 + 5, End: 32 << 12}))
	good("handing it out", m.HandOut(r(20, 24)))
	good("all that is right so far", m.Err())
	bad("touching unaccepted memory", m.Touch(accept.Range{Start: 31 << 12, End: 32<<12 + 1}))
	first := m.Err()
	bad("touching no memory", m.Touch(r(15, 17)))
	bad("handing out twice", m.HandOut(r(23, 25)))
	bad("handing out in front of unaccepted memory", m.HandOut(r(31, 32)))
	bad("handing out what is unaccepted", m.HandOut(r(40, 41)))
	bad("taking back what is not in use", m.TakeBack(r(20, 25)))
	good("taking back", m.TakeBack(r(20, 24)))
	bad("accepting accepted memory", m.Accept(r(31, 33)))
	bad("accepting what is not there", m.Accept(r(60, 65)))
	bad("accepting part of a page", m.Accept(accept.Range{Start: 32 << 12, End: 33<<12 + 1}))
	bad("accepting nothing", m.Accept(r(32, 32)))
	good("accepting", m.Accept(r(32, 48)))
	good("handing out what was in front", m.HandOut(r(31, 32)))
	if first == nil || m.Err() != first {
		t.Errorf("Err is %v, want the first: %v", m.Err(), first)
	}
	if c := m.Count(); c.Accepted != 16<<12 || c.Out != 1<<12 || c.Touched != 48<<12 || c.InFlight != 0 || c.Most != 1 {
		t.Errorf("counted %+v", c)
	}
	if n := m.Unaccepted(); n != 16<<12 {
		t.Errorf("%d bytes unaccepted", n)
	}

	refused := errors.New("refused")
	m = newMemory()
	m.Delay = time.Microsecond
	m.Fail = func(r accept.Range) error {
		if r.Start > accepttest.DriverMemory.Start {
			return refused
		}
		return nil
	}
	at := accepttest.DriverMemory.Start
	good("accepting", m.Accept(accept.Range{Start: at, End: at + accept.UnitSize}))
	if err := m.Accept(accept.Range{Start: at + accept.UnitSize, End: at + 2*accept.UnitSize}); err != refused || m.Err() != nil {
		t.Errorf("scripted failure: %v, and %v", err, m.Err())
	}
}

func TestBitmapAndRules(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	if err := accepttest.TestBitmap(newBitmap, seed); err != nil {
		t.Error(err)
	}
	if err := accepttest.TestRules(accept.Split, accept.Guard, seed); err != nil {
		t.Error(err)
	}
}

func newBitmap(span accept.Range) (accepttest.Bitmap, error) {
	h := accept.HeaderFor(span)
	return h.Bitmap(make([]byte, h.Size))
}

// outward is a bitmap that rounds outward what it marks.
type outward struct{ accept.Bitmap }

func (b outward) Mark(r accept.Range) { b.Bitmap.Mark(r.AlignOut(accept.UnitSize)) }

// deaf is one that forgets to clear what it has accepted.
type deaf struct{ accept.Bitmap }

func (b deaf) Accept(r accept.Range, d accept.Driver) error {
	for run := range b.Runs(r) {
		if err := d.Accept(run); err != nil {
			return err
		}
	}
	return nil
}

func TestWrongBitmapsAndRules(t *testing.T) {
	for _, wrong := range []func(b accepttest.Bitmap) accepttest.Bitmap{
		func(b accepttest.Bitmap) accepttest.Bitmap { return outward{b.(accept.Bitmap)} },
		func(b accepttest.Bitmap) accepttest.Bitmap { return deaf{b.(accept.Bitmap)} },
	} {
		if accepttest.TestBitmap(func(span accept.Range) (accepttest.Bitmap, error) {
			b, err := newBitmap(span)
			return wrong(b), err
		}, 1) == nil {
			t.Errorf("%T passes", wrong(accept.Bitmap{}))
		}
	}
	late := func(r accept.Range) accept.Range { return r.AlignOut(accept.PageSize) }
	if accepttest.TestRules(accept.Split, late, 1) == nil {
		t.Error("a guard without a guard passes")
	}
	eager := func(r, span accept.Range) (head, tracked, tail accept.Range) {
		tracked = r.Intersect(span).AlignIn(accept.UnitSize)
		if tracked.Empty() {
			tracked = accept.Range{Start: r.End, End: r.End}
		}
		return accept.Range{Start: r.Start, End: tracked.Start}, tracked, accept.Range{Start: tracked.End, End: r.End}
	}
	if accepttest.TestRules(eager, accept.Guard, 1) == nil {
		t.Error("a split that tracks short ranges passes")
	}
}
