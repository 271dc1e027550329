package code

import "github.com/tacit-vm/tacit/internal/disasm"

// returns tells whether a function, that many calls below the one that asks, comes back to its caller, as far as that
// can be seen within a few instructions. Some never do, Linux's error() and efi_exit() for instance: compilers put
// anything after a call of such a function, data too.
func (w *walk) returns(function uint64, below int) bool {
	const deepest = 64 // calls
	if returns, known := w.returning[function]; known || below == deepest {
		return returns || !known
	}
	w.returning[function] = true // for those that call themselves
	returns := w.comesBack(function, below)
	w.returning[function] = returns
	return returns
}

func (w *walk) comesBack(function uint64, below int) bool {
	const furthest = 1024 // instructions
	todo, seen := []uint64{function}, map[uint64]bool{}
	for len(todo) > 0 {
		address := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for !seen[address] {
			if w.looked++; len(seen) == furthest || w.looked > maxInstructions {
				return true
			}
			seen[address] = true
			_, rest := w.bytes(address)
			in, ok := disasm.Decode(rest)
			if !ok {
				break // it would be a gap of its own
			}
			next := address + uint64(in.Len)
			to, direct := target(in, next)
			switch flow(in) {
			case calls:
				if direct && !w.returns(to, below+1) {
					next = 0
				}
			case branches:
				todo = append(todo, to)
			case jumps:
				if !direct {
					return true
				}
				next = to
			case leaves:
				return true
			case ends:
				if !fatal(in) {
					return true
				}
				next = 0
			}
			if next == 0 {
				break
			}
			address = next
		}
	}
	return false
}
