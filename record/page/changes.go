package page

import (
	"encoding/base64"
	"encoding/binary"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// A change is one of a timeline's, of units for which the same asked.
type change struct {
	timeline.Change
	asked int // index into who asked, from 1; 0 is not known
}

// Bounds of the map. A timeline has fewer changes; they are more here where one has several who asked.
const (
	maxChanges = 16_000
	askedRoom  = 100_000 // bytes of JSON
	topUnit    = 1 << 24 // 32 TiB, of which the machine has less
)

// changesOf returns a timeline's changes with who asked for each, and who those are.
func changesOf(t *timeline.Timeline) ([]change, []string) {
	a := askers{asked: []string{}, room: askedRoom, index: map[string]int{}, of: map[*record.Stack]int{}}
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
			if (c.To == timeline.ByKernel || c.To == timeline.ByStub) && len(all) < maxChanges {
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
	room  budget
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

// who is the number of those who asked by this stack; beyond so many, one is not told apart from another.
func (a *askers) who(s *record.Stack) int {
	if i, known := a.of[s]; known {
		return i
	}
	asked := clean(s.Asked(), askedLength)
	i := a.index[asked]
	if i == 0 && a.room.json(asked) {
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
