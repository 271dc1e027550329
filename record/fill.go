package record

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/physical"
)

// Record returns a record with what the Log knows: acceptance, pages added, conversions, calls, phases, times. The
// machine marks End first, and then adds what only it knows: image, platform, configuration, outcome, guest and host.
func (l *Log) Record() *Record {
	l.Flush()
	r := &Record{
		Schema:      Schema,
		Added:       map[string]Count{},
		Conversions: map[string]Count{},
		Calls:       map[string]Callees{},
		Phases:      []PhaseReached{},
		Guest:       Guest{Flags: []string{}, Steps: []Step{}},
		Costs:       Costs{Total: Spent{Events: map[string]Charged{}}},
	}
	t := &totals{}
	if l != nil {
		t = &l.totals
		r.Acceptance.Callers, r.Detected = l.callers.all(), l.detector.Detected
		r.Acceptance.Processors, r.Acceptance.Acceptors = l.acceptors.account()
	}
	r.Acceptance.By = AcceptanceBy{
		Firmware: t.accepted[Firmware].account(),
		Stub:     t.accepted[Stub].account(),
		Kernel:   t.accepted[Kernel].account(),
	}
	for size := range physical.PageSizes {
		if c := t.added[size]; c.Operations != 0 {
			r.Added[size.String()] = c
		}
	}
	for plane := range physical.Planes {
		if c := t.converted[plane]; c.Operations != 0 {
			r.Conversions[plane.String()] = c
		}
	}
	for _, c := range t.calls {
		on := r.Calls[c.Interface.String()]
		if on == nil {
			on = Callees{}
			r.Calls[c.Interface.String()] = on
		}
		if on[c.Name] == nil {
			on[c.Name] = map[string]uint64{}
		}
		on[c.Name][c.Status] = c.Times
	}
	for _, m := range t.marks {
		if m != nil {
			r.Phases = append(r.Phases, PhaseReached{m.Phase, m.Stamp, m.Unaccepted})
		}
	}
	slices.SortStableFunc(r.Phases, func(a, b PhaseReached) int {
		return cmp.Or(cmp.Compare(a.VirtualNS, b.VirtualNS), cmp.Compare(a.Instructions, b.Instructions))
	})
	if m := t.marks[Init]; m != nil {
		r.VirtualNS.Init, r.Acceptance.UnacceptedAtInit = new(m.VirtualNS), new(m.Unaccepted)
	}
	if m := t.marks[Report]; m != nil {
		r.Acceptance.UnacceptedAtReport = new(m.Unaccepted)
	}
	if m := t.marks[End]; m != nil {
		r.VirtualNS.Total, r.Instructions = m.VirtualNS, m.Instructions
		r.Acceptance.UnacceptedAtEnd = new(m.Unaccepted)
	}
	return r
}

func (a *acceptance) account() AgentAcceptance {
	account := AgentAcceptance{
		VirtualNS: a.ns, Sizes: map[string]Count{}, UntilInit: a.untilInit, AfterInit: a.afterInit,
	}
	for size := range physical.PageSizes {
		if c := a.sizes[size]; c.Operations != 0 {
			account.Sizes[size.String()] = c
			account.add(c.Bytes, c.Operations)
		}
	}
	return account
}
