package code

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/disasm"
)

// methods follows what comes after a call of LocateProtocol, without entering functions, and returns the calls through
// the interface that it located. This reads instructions that may have been read before, in another state: where a
// kernel for 32-bit firmware too has two ways to the same place, only one knows the interface.
func (w *walk) methods(from place, located int) []Method {
	const furthest = 512 // instructions; those of Linux are within 20
	var found []Method
	todo, seen := []place{{from.address, from.state.clone()}}, map[uint64]bool{}
	for len(todo) > 0 && len(seen) < furthest {
		at := todo[0]
		todo = todo[1:]
		for address := at.address; !seen[address] && len(seen) < furthest; {
			seen[address] = true
			offset, rest := w.bytes(address)
			in, ok := disasm.Decode(rest)
			if !ok {
				break
			}
			next := address + uint64(in.Len)
			s := at.state
			switch flow(in) {
			case onward:
				w.step(s, in, offset, next)
			case calls:
				if v := w.get(s, in.Args[0], 8, offset, next); v.kind == method && v.n == int64(located) {
					found = append(found, Method{offset, v.from})
				}
				for _, r := range []int{rax, rcx, rdx, r8, r9, r10, r11} {
					s.regs[r] = value{}
				}
			case branches:
				todo = append(todo, w.branch(s, in, next))
			case jumps:
				todo = append(todo, w.jump(s, in, offset, next)...)
				next = 0
			case leaves, ends:
				next = 0
			}
			if next == 0 {
				break
			}
			address = next
		}
	}
	slices.SortFunc(found, func(a, b Method) int { return a.At - b.At })
	return found
}
