package page

import (
	"encoding/base64"
	"encoding/binary"
	"maps"
	"slices"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// A change is one of a timeline's, of units for which the same asked.
type change struct {
	timeline.Change
	asked int // index into who asked, from 1; 0 is not known
}

// Bounds of the map.
const (
	maxChanges = 60_000
	maxAsked   = 500
	topUnit    = 1 << 24 // 32 TiB, of which the machine has less
)

// changesOf returns a timeline's changes with who asked for each, and who those are.
func changesOf(t *timeline.Timeline) ([]change, []string) {
	a := askers{asked: []string{}, index: map[string]int{}, of: map[*record.Stack]int{}}
	var all []change
	taken := t.Taken
	for _, c := range t.Changes {
		end := min(uint64(c.First)+uint64(c.Units), topUnit)
		// What a change comes of began before it: the acceptances until then say who asked.
		for len(taken) > 0 && taken[0].NS <= c.NS {
			a.take(&taken[0])
			taken = taken[1:]
		}
		for first := uint64(c.First); first < end; {
			asked, next := 0, end
			if c.To == timeline.ByKernel || c.To == timeline.ByStub {
				asked = a.at(first)
				for next = first + 1; next < end && a.at(next) == asked; next++ {
				}
			}
			all = append(all, change{timeline.Change{NS: c.NS, First: uint32(first), Units: uint32(next - first), To: c.To}, asked})
			first = next
		}
	}
	return all, a.asked
}

// askers are who asked last for each unit.
type askers struct {
	asked []string
	index map[string]int
	of    map[*record.Stack]int
	units []uint16 // by unit
}

func (a *askers) take(t *timeline.Taken) {
	who := 0
	if t.Stack != nil {
		who = a.who(t.Stack)
	}
	first, end := t.GPA/timeline.UnitBytes, (t.GPA+t.Bytes+timeline.UnitBytes-1)/timeline.UnitBytes
	if end = min(end, topUnit); end > uint64(len(a.units)) {
		a.units = append(a.units, make([]uint16, end-uint64(len(a.units)))...)
	}
	for u := first; u < end; u++ {
		a.units[u] = uint16(who)
	}
}

// who is the number of those who asked by this stack; beyond so many, nobody is told apart from another.
func (a *askers) who(s *record.Stack) int {
	if i, known := a.of[s]; known {
		return i
	}
	asked := clean(s.Asked(), 3*functionLength)
	i := a.index[asked]
	if i == 0 && len(a.asked) < maxAsked {
		a.asked = append(a.asked, asked)
		i = len(a.asked)
		a.index[asked] = i
	}
	a.of[s] = i
	return i
}

func (a *askers) at(unit uint64) int {
	if unit < uint64(len(a.units)) {
		return int(a.units[unit])
	}
	return 0
}

// thinned makes changes fit. Where there are too many, those of one step of time are taken together, of as many steps as
// give room; where that does not help, the last are left out, and that is said.
func thinned(all []change, end int64) ([]change, string) {
	if len(all) <= maxChanges {
		return all, ""
	}
	for steps := int64(4096); steps >= 64; steps /= 2 {
		if together := inSteps(all, end/steps+1); len(together) <= maxChanges {
			return together, "There were more changes than a page can hold: the map moves in " + record.FormatCount(uint64(steps)) + " steps of time."
		}
	}
	last := all[maxChanges-1].NS
	return all[:maxChanges], "There were more changes than a page can hold: the map ends at " + record.FormatNS(last) + "."
}

// inSteps returns the changes with what each step of so many nanoseconds comes to, at its end, in runs of units.
func inSteps(all []change, step int64) (together []change) {
	type unit struct {
		to    timeline.State
		asked uint16
	}
	for len(all) > 0 {
		until := (all[0].NS/step + 1) * step
		became := map[uint32]unit{}
		n := 0
		for n < len(all) && all[n].NS < until {
			for u := all[n].First; u < all[n].First+all[n].Units; u++ {
				became[u] = unit{all[n].To, uint16(all[n].asked)}
			}
			n++
		}
		ns := all[n-1].NS
		all = all[n:]
		units := slices.Sorted(maps.Keys(became))
		for len(units) > 0 {
			run := 1
			for run < len(units) && units[run] == units[0]+uint32(run) && became[units[run]] == became[units[0]] {
				run++
			}
			u := became[units[0]]
			together = append(together, change{timeline.Change{NS: ns, First: units[0], Units: uint32(run), To: u.to}, int(u.asked)})
			units = units[run:]
		}
	}
	return together
}

// packed writes changes as numbers of seven bits a byte, the lowest first, the highest bit saying that more follow; all in
// base64. A change is the time since the one before; where it begins, seen from where the one before ended, twice that, and
// one less than twice the distance if it is before; how many units; and the state, to which 8 times who asked is added.
func packed(all []change) string {
	var b []byte
	var ns int64
	var at int64
	for _, c := range all {
		b = binary.AppendUvarint(b, uint64(c.NS-ns))
		b = binary.AppendVarint(b, int64(c.First)-at)
		b = binary.AppendUvarint(b, uint64(c.Units))
		b = binary.AppendUvarint(b, uint64(c.To)+8*uint64(c.asked))
		ns, at = c.NS, int64(c.First)+int64(c.Units)
	}
	return base64.StdEncoding.EncodeToString(b)
}
