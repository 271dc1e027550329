package confidential

import (
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// A Finding is something that a guest did by which a host could deceive it, whether this host does or not. A careful guest
// keeps books of what it has accepted, and does none of it.
type Finding uint8

// Findings. An address is given back by taking validation back, or by asking for it to be shared.
const (
	// AcceptedAgain: the guest accepted an address that it had accepted before and not given back. What the host has put
	// there meanwhile counts as the guest's from then on.
	AcceptedAgain Finding = iota

	// WentOn: the guest was told that an address is accepted already (CF of PVALIDATE, PAGE_ALREADY_ACCEPTED), and went on
	// to accept others. It is noticed at the next acceptance of another address by the same processor.
	WentOn

	// UsedAfterRemoval: the guest used an address that it had accepted, and that the host has taken away since.
	UsedAfterRemoval

	// FindingKinds is how many there are.
	FindingKinds
)

// String says what the guest did.
func (f Finding) String() string {
	switch f {
	case AcceptedAgain:
		return "accepted again what it had accepted"
	case WentOn:
		return "went on when told that it had accepted that already"
	case UsedAfterRemoval:
		return "used what the host had taken away"
	}
	return "?"
}

// Found is where and when a guest did it.
type Found struct {
	record.Stamp
	CPU int
	GPA uint64 // of the page
	RIP uint64 // of the instruction; for WentOn of the one that was told
}

// Findings is what a guest did of each kind: how often, and the first time.
type Findings struct {
	Count [FindingKinds]uint64
	First [FindingKinds]Found // where Count is not 0
}

// Note counts a finding.
func (f *Findings) Note(kind Finding, at Found) {
	if f.Count[kind]++; f.Count[kind] == 1 {
		f.First[kind] = at
	}
}

// Carry carries the findings.
func (f *Findings) Carry(s *state.Stream) {
	state.Array(s, f.Count[:])
	for i := range f.First {
		at := &f.First[i]
		state.Numbers(s, &at.VirtualNS)
		state.Numbers(s, &at.Instructions, &at.GPA, &at.RIP)
		state.Numbers(s, &at.CPU)
	}
}

// A Told is what a processor has been told is accepted already: [Start, End), by the instruction at RIP; nothing where
// End is 0.
type Told struct{ Start, End, RIP uint64 }

// Carry carries it.
func (t *Told) Carry(s *state.Stream) { state.Numbers(s, &t.Start, &t.End, &t.RIP) }

// Accepts notes that a processor goes on to accept gpa, if that is another address than the one that it was told of. It
// returns what it was told, where it does.
func (t *Told) Accepts(gpa uint64) (was Told, wentOn bool) {
	if t.End == 0 || gpa >= t.Start && gpa < t.End {
		return Told{}, false
	}
	was, *t = *t, Told{}
	return was, true
}
