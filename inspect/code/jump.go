package code

import (
	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/disasm"
)

// flow is where an instruction goes.
type direction int

const (
	onward   direction = iota // to the next instruction
	calls                     // elsewhere and back
	branches                  // elsewhere or to the next
	jumps                     // elsewhere
	leaves                    // to another code segment
	ends
)

func flow(in disasm.Inst) direction {
	switch in.Op {
	case x86asm.CALL:
		return calls
	case x86asm.JMP:
		return jumps
	case x86asm.LRET:
		return leaves
	case x86asm.RET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ, x86asm.UD0, x86asm.UD1, x86asm.UD2, x86asm.LJMP,
		x86asm.SYSRET, x86asm.SYSEXIT:
		return ends
	case x86asm.INT:
		if in.Args[0] == x86asm.Imm(3) {
			return ends
		}
	}
	if _, ok := in.Args[0].(x86asm.Rel); ok {
		return branches
	}
	return onward
}

// fatal tells whether an instruction that ends a function raises an exception rather than returns.
func fatal(in disasm.Inst) bool {
	switch in.Op {
	case x86asm.UD0, x86asm.UD1, x86asm.UD2, x86asm.INT:
		return true
	}
	return false
}

// target returns where a direct call or jump goes.
func target(in disasm.Inst, next uint64) (address uint64, ok bool) {
	to, ok := in.Args[0].(x86asm.Rel)
	return next + uint64(int64(to)), ok
}

// jump returns where a jump goes, as far as that is known.
func (w *walk) jump(s *state, in disasm.Inst, offset int, next uint64) []place {
	if to, ok := target(in, next); ok {
		return []place{{to, s}}
	}
	v := value{}
	if r, ok := in.Args[0].(x86asm.Reg); ok {
		v = w.register(s, r)
	}
	switch v.kind {
	case data:
		return []place{{uint64(v.n), s}}
	case sum:
		if _, rest := w.bytes(w.p.Base + uint64(v.n)); len(rest) > 0 && v.n > 0 {
			return []place{{w.p.Base + uint64(v.n), s}}
		}
	case jump:
		return w.table(s, v.n, offset)
	}
	return nil // to what the program was given, or has unpacked
}

// leave returns where a far return may end: at an address in a register. Linux's head_64.S reloads its code segment in
// this way, and gives the code that switches the depth of paging the address to come back to in one.
func (w *walk) leave(s *state) []place {
	var all []place
	for _, v := range s.regs {
		if v.kind == data && w.plausible(uint64(v.n)) {
			all = append(all, place{uint64(v.n), atEntry()})
		}
	}
	return all
}

// plausible tells whether there is code at an address: instructions up to one that ends them, with jumps to code. Text
// is none: it decodes to string input and output, and the zeros between two to additions of AL.
func (w *walk) plausible(address uint64) bool {
	const most = 64 // instructions
	for range most {
		_, rest := w.bytes(address)
		in, ok := disasm.Decode(rest)
		if !ok || rest[0] == 0 && rest[1] == 0 {
			return false
		}
		switch in.Op {
		case x86asm.INSB, x86asm.INSW, x86asm.INSD, x86asm.OUTSB, x86asm.OUTSW, x86asm.OUTSD:
			return false
		}
		next := address + uint64(in.Len)
		if to, ok := target(in, next); ok {
			if _, rest := w.bytes(to); len(rest) == 0 {
				return false
			}
		}
		if f := flow(in); f == jumps || f == leaves || f == ends {
			return true
		}
		address = next
	}
	return false
}

// table returns where the entries of a jump table lead: signed offsets from the table itself. Its length is that of the
// range check that comes before such a jump.
func (w *walk) table(s *state, address int64, offset int) []place {
	const most = 1024 // entries; a switch in a boot loader has some tens
	if s.limit < 0 || s.limit >= most {
		w.gap(offset, "a jump table of unknown length")
		return nil
	}
	var all []place
	for i := range s.limit + 1 {
		v := w.constant(address+4*i, 4)
		if v.kind != number {
			w.gap(offset, "a jump table that leads out of the file")
			break
		}
		all = append(all, place{uint64(address + int64(int32(v.n))), s.clone()})
	}
	return all
}

// branch returns where a conditional jump goes. Of its condition only a range check is remembered, on the side on which
// the number is in the range.
func (w *walk) branch(s *state, in disasm.Inst, next uint64) place {
	taken := s.clone()
	if s.checked {
		s.checked, taken.checked = false, false
		switch in.Op {
		case x86asm.JE:
			s.check = 0
		case x86asm.JNE:
			taken.check = 0
		}
	}
	if s.compared >= 0 {
		switch in.Op {
		case x86asm.JA:
			s.limit = s.compared
		case x86asm.JAE:
			s.limit = s.compared - 1
		case x86asm.JBE:
			taken.limit = s.compared
		case x86asm.JB:
			taken.limit = s.compared - 1
		}
	}
	to, _ := target(in, next)
	return place{to, taken}
}
