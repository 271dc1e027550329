package record

import (
	"math"

	"github.com/tacit-vm/tacit/physical"
)

// Log takes the events of one run while it runs and keeps exact totals of them in bounded memory, however many there
// are. A Sink gets the events themselves.
//
// Its methods are called in the order in which things happen in virtual time; a Log is not safe for concurrent use.
// A nil *Log takes everything and keeps nothing, so that a package can be used without one.
type Log struct {
	totals    totals
	callers   callers
	detector  detector
	acceptors acceptors
	sink      Sink
	watch     Sink
	added     Added    // the run of pages held back for the sink; Bytes is 0 when there is none
	taken     Accepted // the run of accepted pages held back for the sink

	last       Accepted // that was taken, and
	operations uint64   // how many there were
	awaited    uint64   // at which of them heard is called; 0 for none
	heard      func()
}

// totals is what the record is made from.
type totals struct {
	accepted  [agents]acceptance
	added     [physical.PageSizes]Count
	converted [physical.Planes]Count
	calls     []Calls // in the order of first calls
	called    map[call]int
	marks     [phases]*Marked
}

// Calls is how often something was called that was called at all.
type Calls struct {
	Interface    Interface
	Name, Status string
	Times        uint64
}

type acceptance struct {
	sizes     [physical.PageSizes]Count
	untilInit Count
	afterInit Count
	ns        int64
}

type call struct {
	on           Interface
	name, status string
}

// maxCalls bounds how many different (interface, name, status) a Log tells apart. Later ones are counted under the name
// "other" of their interface, so that no guest can fill the host's memory with them.
const maxCalls = 1024

// NewLog returns an empty Log. The sink may be nil.
func NewLog(sink Sink) *Log {
	return &Log{sink: sink, totals: totals{called: map[call]int{}}}
}

// Watch makes a second sink hear of what happens as it happens: each page by itself, where the first hears of runs, and
// each line of the guest's console. Calls it can count by Counted, which it may ask from within Event.
func (l *Log) Watch(s Sink) { l.watch = s }

func (l *Log) show(e Event) {
	if l.watch != nil {
		l.watch.Event(e)
	}
}

// Count is how often something happened and how much memory it covered in all.
type Count struct {
	Bytes      uint64 `json:"bytes"`
	Operations uint64 `json:"operations"`
}

func (c *Count) add(bytes, operations uint64) {
	c.Bytes += bytes
	c.Operations += operations
}

// Accept takes an Accepted. Its Last need not be set.
func (l *Log) Accept(e Accepted) {
	if l == nil {
		return
	}
	e.Size = min(e.Size, physical.Size1G)
	guests := e.By == Running
	if e.By == Running || e.By >= agents {
		e.By = l.running()
	}
	a, operations := &l.totals.accepted[e.By], pages(e.Bytes, e.Size)
	l.last, l.operations = e, l.operations+operations
	if l.awaited != 0 && l.operations >= l.awaited {
		l.awaited = 0
		l.heard()
	}
	a.sizes[e.Size].add(e.Bytes, operations)
	a.ns = addNS(a.ns, e.NS)
	l.detector.accept(e)
	if l.Reached(Init) {
		a.afterInit.add(e.Bytes, operations)
	} else {
		a.untilInit.add(e.Bytes, operations)
	}
	if guests {
		l.acceptors.take(e, operations)
		e.Stack = l.callers.take(e.Bytes, operations, e.NS, l.Reached(Init))
	}
	e.Last = e.Stamp
	l.show(e)
	if l.sink == nil {
		return
	}
	if r := &l.taken; r.Bytes != 0 && r.By == e.By && r.CPU == e.CPU && r.Size == e.Size && r.RIP == e.RIP && r.Stack == e.Stack &&
		r.GPA+Address(r.Bytes) == e.GPA {
		r.Last, r.Bytes, r.NS = e.Stamp, r.Bytes+e.Bytes, addNS(r.NS, e.NS)
		return
	} else if r.Bytes != 0 {
		l.Flush()
	}
	l.taken = e
}

// Add takes an Added. Its Last need not be set.
func (l *Log) Add(e Added) {
	if l == nil {
		return
	}
	e.Size = min(e.Size, physical.Size1G)
	l.totals.added[e.Size].add(e.Bytes, pages(e.Bytes, e.Size))
	e.Last = e.Stamp
	l.show(e)
	if l.sink == nil {
		return
	}
	if r := &l.added; r.Bytes != 0 && r.Size == e.Size && r.GPA+Address(r.Bytes) == e.GPA {
		r.Last, r.Bytes = e.Stamp, r.Bytes+e.Bytes
		return
	} else if r.Bytes != 0 {
		l.Flush()
	}
	l.added = e
}

// Convert takes a Converted. Each counts as one operation.
func (l *Log) Convert(e Converted) {
	if l == nil {
		return
	}
	e.To = min(e.To, physical.Shared)
	l.totals.converted[e.To].add(e.Bytes, 1)
	l.detector.taken.remove(uint64(e.GPA), e.Bytes)
	l.show(e)
	if l.sink != nil {
		l.Flush()
		l.sink.Event(e)
	}
}

// Call counts a Called. Only those of UEFI reach the sink: calls of the other interfaces are as many as the pages
// accepted, and what they did shows as Accepted, Added and Converted.
func (l *Log) Call(e Called) {
	if l == nil {
		return
	}
	key := call{min(e.Interface, interfaces-1), e.Name, e.Status}
	t := &l.totals
	i, known := t.called[key]
	if !known && len(t.calls) >= maxCalls {
		key.name, key.status = "other", ""
		i, known = t.called[key]
	}
	if !known {
		i = len(t.calls)
		t.called[key] = i
		t.calls = append(t.calls, Calls{Interface: key.on, Name: key.name, Status: key.status})
	}
	t.calls[i].Times++
	l.detector.call(e.Status)
	if l.sink != nil && e.Interface == UEFI {
		l.Flush()
		l.sink.Event(e)
	}
}

// Counted returns how often what was called, in the order of first calls: later ones come after those that were there
// before. It is the Log's own, to be read at once and not to be changed.
func (l *Log) Counted() []Calls {
	if l == nil {
		return nil
	}
	return l.totals.calls
}

// Say takes a Said. Its text is made printable.
func (l *Log) Say(e Said) {
	if l == nil || l.watch == nil {
		return
	}
	e.Text = Printable(e.Text)
	l.watch.Event(e)
}

// Mark takes a Marked. Only the first mark of a phase counts.
func (l *Log) Mark(e Marked) {
	if l == nil || e.Phase >= phases || l.Reached(e.Phase) {
		return
	}
	l.totals.marks[e.Phase] = &e
	l.show(e)
	if l.sink != nil {
		l.Flush()
		l.sink.Event(e)
	}
}

// Reached reports whether the phase was marked.
func (l *Log) Reached(p Phase) bool { return l != nil && p < phases && l.totals.marks[p] != nil }

// AcceptedBytes is the memory accepted so far, by all agents.
func (l *Log) AcceptedBytes() uint64 {
	if l == nil {
		return 0
	}
	var sum uint64
	for i := range l.totals.accepted {
		a := &l.totals.accepted[i]
		sum += a.untilInit.Bytes + a.afterInit.Bytes
	}
	return sum
}

// LastAccepted returns the last Accepted, with its agent, and how many operations there have been with it, by all
// agents.
func (l *Log) LastAccepted() (e Accepted, operations uint64) {
	if l == nil {
		return Accepted{}, 0
	}
	return l.last, l.operations
}

// Await has f called, once, when so many operations of acceptance there have been, by all agents; at once where they have.
// It takes the place of what was awaited before; 0 awaits none.
func (l *Log) Await(operations uint64, f func()) {
	l.awaited, l.heard = operations, f
	if operations != 0 && l.operations >= operations {
		l.awaited = 0
		f()
	}
}

// Flush hands the sink the events that the Log holds back to join them with their continuation: a guest accepts its
// memory in millions of steps, and the host adds pages between them. The sink sees events in the order of their stamps.
func (l *Log) Flush() {
	if l == nil || l.sink == nil {
		return
	}
	added, taken := l.added, l.taken
	l.added, l.taken = Added{}, Accepted{}
	if taken.Bytes != 0 && taken.before(added.Stamp) {
		l.sink.Event(taken)
		taken.Bytes = 0
	}
	if added.Bytes != 0 {
		l.sink.Event(added)
	}
	if taken.Bytes != 0 {
		l.sink.Event(taken)
	}
}

func (l *Log) running() Agent {
	switch {
	case l.Reached(KernelEntry):
		return Kernel
	case l.Reached(StubEntry):
		return Stub
	}
	return Firmware
}

// pages is how many pages of that size it takes to hold the bytes.
func pages(bytes uint64, size physical.PageSize) uint64 {
	n := bytes / size.Bytes()
	if bytes%size.Bytes() != 0 {
		n++
	}
	return n
}

func addNS(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
