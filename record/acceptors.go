package record

import (
	"math/bits"
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
)

// AcceptedOn is what a guest accepted on one of its processors. What firmware accepted for it is not in it.
type AcceptedOn struct {
	CPU int `json:"cpu"`
	Count
	VirtualNS int64 `json:"virtual_ns"` // that it took, the host's part included
}

// Acceptors is how many processors of a guest accepted memory at the same time, which is within the same millisecond of
// virtual time: from the millisecond in which an operation began to the one in which it ended, its processor is one of them.
type Acceptors struct {
	Most      int   `json:"most"`       // that ever did
	AtNS      int64 `json:"at_ns"`      // the beginning of the first millisecond in which so many did
	StretchNS int64 `json:"stretch_ns"` // a power of two milliseconds: how long each of the following is
	MostIn    []int `json:"most_in"`    // the most in any millisecond of each stretch, from the start of the machine to the last acceptance
}

const (
	slotNS        = 1_000_000 // a millisecond
	openSlots     = 64        // the latest that may still change: of an operation one hears when it has ended
	maxStretches  = 256
	maxProcessors = 256
)

// A slot is the processors that accepted within a millisecond, a bit each.
type slot [maxProcessors / 64]uint64

// acceptors counts what [AcceptedOn] and [Acceptors] say, in memory that does not grow with a run. Without processors it
// counts nothing.
type acceptors struct {
	on     []AcceptedOn // by processor
	latest int64        // the number of the latest slot
	open   [openSlots]slot
	most   uint16 // in a slot that is closed
	at     int64  // the number of the first such slot
	width  int64  // slots of a stretch
	mostIn []uint16
}

// CountProcessors has the Log count what each of so many processors accepts, up to 256, and which do at the same time.
func (l *Log) CountProcessors(n int) {
	a := &l.acceptors
	a.on, a.width = make([]AcceptedOn, min(max(n, 0), maxProcessors)), 1
	for i := range a.on {
		a.on[i].CPU = i
	}
}

// take counts what a processor has accepted until now.
func (a *acceptors) take(e Accepted, operations uint64) {
	if e.CPU < 0 || e.CPU >= len(a.on) {
		return
	}
	on := &a.on[e.CPU]
	on.add(e.Bytes, operations)
	on.VirtualNS = addNS(on.VirtualNS, e.NS)
	last := max(e.VirtualNS-1, 0) / slotNS
	a.advance(last)
	for n := max(max(e.VirtualNS-max(e.NS, 0), 0)/slotNS, a.latest-openSlots+1); n <= last; n++ {
		a.open[n%openSlots][e.CPU/64] |= 1 << (e.CPU % 64)
	}
}

// advance closes the slots that can change no more when one of this number begins.
func (a *acceptors) advance(to int64) {
	for n := a.latest + 1; n <= min(to, a.latest+openSlots); n++ {
		a.close(n - openSlots)
	}
	a.latest = max(a.latest, to)
}

// close counts a slot, and makes room for another one.
func (a *acceptors) close(n int64) {
	if n < 0 {
		return
	}
	var count uint16
	s := &a.open[n%openSlots]
	for _, word := range s {
		count += uint16(bits.OnesCount64(word))
	}
	if *s = (slot{}); count == 0 {
		return
	}
	if count > a.most {
		a.most, a.at = count, n
	}
	for n/a.width >= maxStretches {
		a.halve()
	}
	for int64(len(a.mostIn)) <= n/a.width {
		a.mostIn = append(a.mostIn, 0)
	}
	a.mostIn[n/a.width] = max(a.mostIn[n/a.width], count)
}

// halve makes one stretch of two.
func (a *acceptors) halve() {
	a.width *= 2
	for i, count := range a.mostIn {
		if i%2 == 0 {
			a.mostIn[i/2] = count
		} else {
			a.mostIn[i/2] = max(a.mostIn[i/2], count)
		}
	}
	a.mostIn = a.mostIn[:(len(a.mostIn)+1)/2]
}

// account returns what was counted; nothing where nothing is.
func (a *acceptors) account() (on []AcceptedOn, at *Acceptors) {
	if len(a.on) == 0 {
		return nil, nil
	}
	all := *a // of which all slots are closed
	all.mostIn = slices.Clone(a.mostIn)
	all.advance(all.latest + openSlots)
	at = &Acceptors{Most: int(all.most), AtNS: all.at * slotNS, StretchNS: all.width * slotNS, MostIn: []int{}}
	for _, count := range all.mostIn {
		at.MostIn = append(at.MostIn, int(count))
	}
	return slices.Clone(a.on), at
}

func (a *acceptors) carry(s *state.Stream) {
	state.Slice(s, &a.on, maxProcessors, func(on *AcceptedOn) {
		cpu := uint32(on.CPU)
		state.Numbers(s, &cpu)
		on.CPU = int(cpu)
		on.Count.carry(s)
		state.Numbers(s, &on.VirtualNS)
	})
	state.Numbers(s, &a.latest, &a.at, &a.width)
	state.Numbers(s, &a.most)
	for i := range a.open {
		state.Array(s, a.open[i][:])
	}
	state.Slice(s, &a.mostIn, maxStretches, func(count *uint16) { state.Numbers(s, count) })
	const never = int64(1) << 62
	s.Check(a.latest >= 0 && a.latest < never && a.at >= 0 && (a.width > 0 || len(a.on) == 0) && a.width < never, "acceptances at no time")
}
