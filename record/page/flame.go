package page

import (
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// flame is what the flame graph is drawn from. A stack is a list of indices of functions, the innermost first.
type flame struct {
	Functions []string     `json:"functions"`
	Machinery []int        `json:"machinery"` // those that only hand the wish on
	Stacks    []flameStack `json:"stacks"`
	Firmware  flameStack   `json:"firmware"` // no stack: firmware runs outside the guest
}

// A flameStack is what was accepted for one stack.
type flameStack struct {
	Bytes      uint64 `json:"bytes"`
	Operations uint64 `json:"operations"`
	NS         int64  `json:"ns"`
	Stack      []int  `json:"stack"`
	Stub       bool   `json:"stub"` // it is the EFI stub's
}

func (s *flameStack) add(bytes, operations uint64, ns int64) {
	s.Bytes, s.Operations, s.NS = s.Bytes+bytes, s.Operations+operations, s.NS+ns
}

// flameRoom bounds the flame graph: so many bytes of JSON. What has no room is one stack, "other".
const flameRoom = 300_000

// stubs are the stacks by which the EFI stub accepted, each as key has it.
func stubs(t *timeline.Timeline) map[string]bool {
	all := map[string]bool{}
	for _, taken := range t.Taken {
		if taken.By == record.Stub && taken.Stack != nil {
			all[key(*taken.Stack)] = true
		}
	}
	return all
}

func key(s record.Stack) string { return strings.Join(s, "\n") }

func flameOf(r *record.Record, t *timeline.Timeline) flame {
	ofStub := stubs(t)
	f := flame{Functions: []string{}, Machinery: []int{}, Stacks: []flameStack{}, Firmware: flameStack{Stack: []int{}}}
	f.Firmware.add(r.Acceptance.By.Firmware.Bytes, r.Acceptance.By.Firmware.Operations, r.Acceptance.By.Firmware.VirtualNS)
	room := budget(flameRoom)
	known := map[string]int{}
	function := func(name string) int {
		i, is := known[name]
		if is {
			return i
		}
		i = len(f.Functions)
		shown := clean(name, functionLength)
		room.json(shown)
		known[name], f.Functions = i, append(f.Functions, shown)
		if record.IsMachinery(name) {
			f.Machinery = append(f.Machinery, i)
		}
		return i
	}
	other := -1
	for _, c := range r.Acceptance.Callers { // the largest first
		if !room.take(80) { // its numbers
			if other < 0 {
				other = len(f.Stacks)
				f.Stacks = append(f.Stacks, flameStack{Stack: []int{function("other")}})
			}
			f.Stacks[other].add(c.Bytes, c.Operations, c.VirtualNS)
			continue
		}
		s := flameStack{Stack: []int{}, Stub: ofStub[key(c.Stack)]}
		s.add(c.Bytes, c.Operations, c.VirtualNS)
		from := max(len(c.Stack)-maxDepth, 0) // the outermost, from which the picture grows
		for _, place := range c.Stack[from:] {
			s.Stack = append(s.Stack, function(record.Function(place)))
			room.take(5)
		}
		f.Stacks = append(f.Stacks, s)
	}
	return f
}
