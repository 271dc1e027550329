package accepttest

import (
	"fmt"
	"runtime"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/accept"
)

// A Memory is a model of a guest's memory, page by page: whether it is there, accepted, and handed out. It is an
// [accept.Driver] for all processors of the guest, and can be used by all of them at once.
//
// Each method returns an error where something is wrong, and [Memory.Err] the first of these errors, so that none is
// lost in the code under test.
type Memory struct {
	// Delay is how long it takes to accept a unit; less than one takes as long.
	Delay time.Duration

	// Fail is asked before r is accepted, if it is not nil. Where it returns an error nothing is accepted, and Accept
	// returns the error; that is not wrong. It is called with the memory locked.
	Fail func(r accept.Range) error

	mu       sync.Mutex
	span     accept.Range
	pages    []byte
	units    []bool // touched
	count    Count
	perUnit  []uint64 // pages that are there
	firstErr error
}

// What is known of a page.
const (
	there     = 1 << iota
	accepting // by a call of Accept that has not returned
	accepted
	out     // handed out
	foreign // not the allocator's
)

// A Count is what a [Memory] has seen, in bytes but for the last two.
type Count struct {
	Accepted uint64 // by Accept
	Touched  uint64 // in units of which a page was ever handed out
	Out      uint64 // handed out
	InFlight int    // calls of Accept that have not returned
	Most     int    // of them at once, ever
}

// NewMemory returns memory that is accepted, and other that is unaccepted. Nothing else is there.
func NewMemory(already, unaccepted []accept.Range) *Memory {
	m := &Memory{}
	for _, ranges := range [][]accept.Range{already, unaccepted} {
		for _, r := range ranges {
			m.span = m.span.Union(r)
		}
	}
	m.span = m.span.AlignOut(accept.UnitSize)
	m.pages = make([]byte, m.span.Len()/accept.PageSize)
	m.units = make([]bool, m.span.Len()/accept.UnitSize)
	m.perUnit = make([]uint64, len(m.units))
	m.add(already, there|accepted)
	m.add(unaccepted, there)
	return m
}

func (m *Memory) add(ranges []accept.Range, state byte) {
	for _, r := range ranges {
		for r = r.AlignIn(accept.PageSize); !r.Empty(); r.Start += accept.PageSize {
			if p := m.page(r.Start); *p == 0 {
				m.perUnit[(r.Start-m.span.Start)/accept.UnitSize]++
				*p = state
			}
		}
	}
}

// Accept accepts r. It is an error if r is not whole pages, or a page is not there or has been accepted before.
func (m *Memory) Accept(r accept.Range) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.Fail != nil {
		if err := m.Fail(r); err != nil {
			return err
		}
	}
	if r.Empty() || r != r.AlignOut(accept.PageSize) {
		return m.wrong("accepting %v, which is not whole pages", r)
	}
	if err := m.each(r, "accepting", there, accepting|accepted); err != nil {
		return err
	}
	m.change(r, accepting, 0)
	m.count.InFlight++
	m.count.Most = max(m.count.Most, m.count.InFlight)
	m.mu.Unlock()
	pause(m.Delay * time.Duration((r.Len()+accept.UnitSize-1)/accept.UnitSize))
	m.mu.Lock()
	m.count.InFlight--
	m.change(r, accepted, accepting)
	m.count.Accepted += r.Len()
	return nil
}

// pause lets others run, once at least, and returns after d. A sleep of a few microseconds can take a millisecond.
func pause(d time.Duration) {
	began := time.Now()
	for runtime.Gosched(); time.Since(began) < d; {
		runtime.Gosched()
	}
}

// Accepted reports whether the page at gpa has been accepted.
func (m *Memory) Accepted(gpa uint64) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	p := m.page(gpa)
	return p != nil && *p&accepted != 0
}

// Touch is a read or a write of r. It is an error if a page of it is not there or has not been accepted.
func (m *Memory) Touch(r accept.Range) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.each(r.AlignOut(accept.PageSize), "touching", there|accepted, 0)
}

// HandOut is what an allocator does with r when it returns it. It is an error if it could not be touched, if a page of
// it is in use already, or if the page after it is unaccepted: a load of a word may begin in r and end there.
func (m *Memory) HandOut(r accept.Range) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.each(r, "handing out", there|accepted, out|foreign); err != nil {
		return err
	}
	if m.before(r.End) {
		return m.wrong("handing out %v: the page after it is unaccepted", r)
	}
	m.change(r, out, 0)
	m.count.Out += r.Len()
	for at := r.AlignOut(accept.UnitSize).Start; at < r.End; at += accept.UnitSize {
		if u := (at - m.span.Start) / accept.UnitSize; !m.units[u] {
			m.units[u] = true
			m.count.Touched += m.perUnit[u] * accept.PageSize
		}
	}
	return nil
}

// TakeBack is the opposite of HandOut. It is an error if a page of r is not in use.
func (m *Memory) TakeBack(r accept.Range) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.each(r, "taking back", out, 0); err != nil {
		return err
	}
	m.change(r, 0, out)
	m.count.Out -= r.Len()
	return nil
}

// InUse reports whether all pages of r have been handed out.
func (m *Memory) InUse(r accept.Range) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.find(r, out, 0) == r.End
}

// Count returns what m has seen so far.
func (m *Memory) Count() Count {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.count
}

// Unaccepted returns how many bytes are unaccepted, but for what is foreign to the allocator.
func (m *Memory) Unaccepted() (n uint64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, p := range m.pages {
		if p&(there|accepted|foreign) == there {
			n += accept.PageSize
		}
	}
	return n
}

// Err returns the first error of a method, but for those that Fail asked for.
func (m *Memory) Err() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.firstErr
}

// each returns an error unless all pages of r are all that they must be and nothing that they must not be.
func (m *Memory) each(r accept.Range, doing string, must, mustNot byte) error {
	at := m.find(r, must, mustNot)
	if at == r.End {
		return nil
	}
	state := "not there"
	if p := m.page(at); p != nil && *p != 0 {
		state = fmt.Sprintf("accepted %v, being accepted %v, in use %v, foreign %v",
			*p&accepted != 0, *p&accepting != 0, *p&out != 0, *p&foreign != 0)
	}
	return m.wrong("%s %v: page %#x is %s", doing, r, at, state)
}

// find returns the first page of r that is not all that it must be or something that it must not be; r.End if none is.
func (m *Memory) find(r accept.Range, must, mustNot byte) uint64 {
	for ; !r.Empty(); r.Start += accept.PageSize {
		if p := m.page(r.Start); p == nil || *p&must != must || *p&mustNot != 0 {
			return r.Start
		}
	}
	return r.End
}

func (m *Memory) change(r accept.Range, set, clear byte) {
	for ; !r.Empty(); r.Start += accept.PageSize {
		p := m.page(r.Start)
		*p = *p&^clear | set
	}
}

// before reports whether unaccepted memory begins at gpa.
func (m *Memory) before(gpa uint64) bool {
	p := m.page(gpa)
	return p != nil && *p&(there|accepted) == there
}

// unused reports whether the page at gpa is the allocator's, is not handed out, and could be: it is not held back.
func (m *Memory) unused(gpa uint64) bool {
	p := m.page(gpa)
	if *p&(there|foreign|out) != there {
		return false
	}
	return *p&accepted == 0 || !m.before(gpa+accept.PageSize)
}

func (m *Memory) page(gpa uint64) *byte {
	if gpa < m.span.Start || gpa >= m.span.End {
		return nil
	}
	return &m.pages[(gpa-m.span.Start)/accept.PageSize]
}

func (m *Memory) wrong(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	if m.firstErr == nil {
		m.firstErr = err
	}
	return err
}
