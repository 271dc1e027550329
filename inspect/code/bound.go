package code

import (
	"math/bits"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/disasm"
)

// Firmware keeps what memory there is in resource descriptors (PI 1.8, volume 3, section 5.5). This follows where it asks
// whether one is of unaccepted memory, or makes one so, and with which address it compares meanwhile.
const (
	descriptorType   = 0x18 // offset of the type in EFI_HOB_RESOURCE_DESCRIPTOR
	unacceptedMemory = 7    // EFI_RESOURCE_MEMORY_UNACCEPTED
	lowestBound      = 1 << 30
	highestBound     = 1 << 52
)

// bounds is what is known of such comparisons at one place.
type bounds struct {
	check   int    // the number of the last check of a type in Facts.Checks, from 1 on, where it held; 0 for none
	checked bool   // the last instruction was that check
	against uint64 // the last address that something was compared with; 0 for none
}

// bound notes what an instruction of firmware does with resource descriptors.
func (w *walk) bound(s *state, in disasm.Inst, at int, next uint64) {
	dst, src := in.Args[0], in.Args[1]
	s.checked = false
	switch in.Op {
	case x86asm.CMP:
		size := width(in, dst)
		a, b := w.get(s, dst, size, at, next), w.get(s, src, size, at, next)
		if size == 4 && a == (value{kind: field, n: descriptorType}) && b.kind == number && b.n == unacceptedMemory {
			w.facts.Checks = append(w.facts.Checks, Bound{At: at})
			s.check, s.checked = len(w.facts.Checks), true
			return
		}
		for _, v := range []value{a, b} {
			if v.kind == number && size == 8 {
				w.limit(s, uint64(v.n))
			}
		}
	case x86asm.SHR: // what is left is zero for all addresses below
		if n, ok := src.(x86asm.Imm); ok && n >= 0 && n < 64 && width(in, dst) == 8 {
			w.limit(s, 1<<uint(n))
		}
	case x86asm.MOV:
		m, memory := dst.(x86asm.Mem)
		n, immediate := src.(x86asm.Imm)
		if memory && immediate && n == unacceptedMemory && m.Disp == descriptorType && m.Index == 0 && in.MemBytes == 4 &&
			w.address(s, m, next).kind != stack {
			w.facts.Marks = append(w.facts.Marks, Bound{at, s.against})
		}
	}
}

// limit notes that something is compared with an address: one, or the last one below it.
func (w *walk) limit(s *state, address uint64) {
	if bits.OnesCount64(address+1) == 1 {
		address++
	}
	if address < lowestBound || address > highestBound {
		return
	}
	s.against = address
	if s.check > 0 && w.facts.Checks[s.check-1].Limit == 0 {
		w.facts.Checks[s.check-1].Limit = address
	}
}
