package code

import (
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/disasm"
)

// systemTableBootServices is the offset of BootServices in EFI_SYSTEM_TABLE (UEFI 2.10, section 4.3).
const systemTableBootServices = 0x60

// step applies what an instruction that does not jump does to s. What it does not know it forgets. Of flags nothing is
// kept, and of memory only the function's own stack.
func (w *walk) step(s *state, in disasm.Inst, at int, next uint64) {
	if in.Op == 0 { // one that x86asm does not know; they answer in these
		for _, r := range []int{rax, rcx, rdx, r8, r9, r10, r11} {
			s.regs[r] = value{}
		}
		return
	}
	dst, src := in.Args[0], in.Args[1]
	if w.p.Firmware {
		w.bound(s, in, at, next)
	}
	switch in.Op {
	case x86asm.CMP:
		s.compared = -1
		if n, ok := src.(x86asm.Imm); ok && n >= 0 {
			s.compared = int64(n)
		}
	case x86asm.TEST, x86asm.NOP, x86asm.BT:
	case x86asm.MOV:
		v := w.get(s, src, width(in, dst), at, next)
		if _, ok := dst.(x86asm.Mem); ok {
			w.take(v)
		}
		w.set(s, dst, v, in, next)
	case x86asm.LEA:
		v := w.address(s, src.(x86asm.Mem), next)
		if v.kind == data && slices.Contains(w.p.Watch, uint64(v.n)) {
			w.facts.References = append(w.facts.References, Reference{at, uint64(v.n)})
		}
		w.set(s, dst, v, in, next)
	case x86asm.XOR:
		v := value{}
		if dst == src {
			v = value{number, 0, at}
		}
		w.set(s, dst, v, in, next)
	case x86asm.ADD, x86asm.SUB:
		w.set(s, dst, w.add(s, in, at, next), in, next)
	case x86asm.AND:
		if n, ok := src.(x86asm.Imm); ok && n >= 0 {
			s.limit = int64(n)
		}
		// The stack pointer being aligned: how far down it goes matters little, as all else follows from it.
		if r, ok := dst.(x86asm.Reg); !ok || r != x86asm.RSP {
			w.set(s, dst, value{}, in, next)
		}
	case x86asm.MOVSXD:
		w.set(s, dst, w.entry(s, src, next), in, next)
	case x86asm.PUSH:
		s.push(w.get(s, dst, 8, at, next))
	case x86asm.POP:
		w.set(s, dst, s.pop(), in, next)
	case x86asm.PUSHFQ, x86asm.PUSHF:
		s.push(value{})
	case x86asm.POPFQ, x86asm.POPF:
		s.pop()
	case x86asm.LEAVE:
		s.regs[rsp] = s.regs[rbp]
		s.regs[rbp] = s.pop()
	case x86asm.XCHG:
		w.set(s, dst, value{}, in, next)
		w.set(s, src, value{}, in, next)
	case x86asm.MOVSB, x86asm.MOVSW, x86asm.MOVSD, x86asm.MOVSQ:
		w.copyString(s, in)
	case x86asm.STOSB, x86asm.STOSW, x86asm.STOSD, x86asm.STOSQ, x86asm.LODSB, x86asm.LODSW, x86asm.LODSD, x86asm.LODSQ,
		x86asm.SCASB, x86asm.SCASW, x86asm.SCASD, x86asm.SCASQ, x86asm.CMPSB, x86asm.CMPSW, x86asm.CMPSD, x86asm.CMPSQ:
		s.regs[rax], s.regs[rcx], s.regs[rsi], s.regs[rdi] = value{}, value{}, value{}, value{}
	default:
		w.set(s, dst, value{}, in, next)
		// MUL, DIV, CPUID, RDMSR, CMPXCHG and the like answer in registers that they do not name.
		if implicit[in.Op] {
			s.regs[rax], s.regs[rcx], s.regs[rdx], s.regs[rbx] = value{}, value{}, value{}, value{}
		}
	}
}

var implicit = map[x86asm.Op]bool{
	x86asm.MUL: true, x86asm.IMUL: true, x86asm.DIV: true, x86asm.IDIV: true, x86asm.CPUID: true, x86asm.RDMSR: true,
	x86asm.RDTSC: true, x86asm.RDTSCP: true, x86asm.RDPMC: true, x86asm.XGETBV: true, x86asm.CMPXCHG: true,
	x86asm.CMPXCHG8B: true, x86asm.CMPXCHG16B: true, x86asm.CDQE: true, x86asm.CWDE: true, x86asm.CQO: true,
	x86asm.CDQ: true, x86asm.SYSCALL: true, x86asm.XLATB: true, x86asm.LAHF: true,
}

func (s *state) push(v value) {
	s.regs[rsp] = s.regs[rsp].plus(-8)
	if s.regs[rsp].kind == stack {
		s.store(s.regs[rsp].n, 8, v)
	}
}

func (s *state) pop() value {
	top := s.regs[rsp]
	s.regs[rsp] = top.plus(8)
	if top.kind != stack {
		return value{}
	}
	return s.load(top.n, 8)
}

// width is the size of an operand in bytes.
func width(in disasm.Inst, arg x86asm.Arg) int64 {
	switch arg := arg.(type) {
	case x86asm.Reg:
		if _, width, ok := register(arg); ok {
			return int64(width)
		}
	case x86asm.Mem:
		return int64(in.MemBytes)
	}
	return 0
}

// address is what a memory operand points to, a displacement on something unknown included.
func (w *walk) address(s *state, m x86asm.Mem, next uint64) value {
	if m.Segment != 0 || m.Index != 0 {
		if m.Base == 0 || m.Segment != 0 {
			return value{}
		}
		base, index := w.base(s, m, next), w.register(s, m.Index)
		switch {
		case index.kind == entry && m.Scale == 1 && base.kind == data && m.Disp == 0: // some compilers add in this way
			return value{jump, base.n, 0}
		case index.kind == number && m.Scale != 0:
			return base.plus(m.Disp + index.n*int64(m.Scale))
		}
		return value{}
	}
	return w.base(s, m, next).plus(m.Disp)
}

func (w *walk) base(s *state, m x86asm.Mem, next uint64) value {
	switch m.Base {
	case 0:
		return value{kind: data}
	case x86asm.RIP:
		return value{kind: data, n: int64(next)}
	}
	return w.register(s, m.Base)
}

func (w *walk) register(s *state, r x86asm.Reg) value {
	if index, width, ok := register(r); ok && width == 8 {
		return s.regs[index]
	}
	return value{}
}

// get reads an operand of size bytes.
func (w *walk) get(s *state, arg x86asm.Arg, size int64, at int, next uint64) value {
	switch arg := arg.(type) {
	case x86asm.Imm:
		n := int64(arg)
		if size == 4 {
			n &= 0xffffffff
		}
		return value{number, n, at}
	case x86asm.Reg:
		index, width, ok := register(arg)
		if !ok || width < 4 {
			return value{}
		}
		v := s.regs[index]
		if width == 4 {
			if v.kind == field {
				return v
			}
			if v.kind != number {
				return value{}
			}
			v.n &= 0xffffffff
		}
		return v
	case x86asm.Mem:
		switch from := w.address(s, arg, next); {
		case from.kind == stack:
			return s.load(from.n, size)
		case from.kind == data && size >= 4:
			if v, ok := w.variables[uint64(from.n)]; ok && size == 8 {
				return v
			}
			return w.constant(from.n, size)
		case size == 4 && w.p.Firmware && arg.Index == 0 && arg.Segment == 0:
			return value{kind: field, n: arg.Disp}
		case size == 8 && arg.Index == 0 && arg.Segment == 0:
			return w.member(s, arg)
		}
	}
	return value{}
}

// member is what a structure of UEFI has at an offset. Of system tables it is not known where they are: whatever has a
// pointer where they have that to the boot services is taken for one.
func (w *walk) member(s *state, m x86asm.Mem) value {
	switch of := w.register(s, m.Base); {
	case of.kind == bootServices:
		return value{kind: bootService, n: m.Disp}
	case of.kind == protocol:
		return value{method, of.n, int(m.Disp)}
	case m.Disp == systemTableBootServices:
		return value{kind: bootServices}
	}
	return value{}
}

// set writes an operand.
func (w *walk) set(s *state, arg x86asm.Arg, v value, in disasm.Inst, next uint64) {
	switch arg := arg.(type) {
	case x86asm.Reg:
		index, width, ok := register(arg)
		switch {
		case !ok:
		case width == 4 && v.kind == number:
			v.n &= 0xffffffff
			s.regs[index] = v
		case width == 8 || width == 4 && v.kind == field:
			s.regs[index] = v
		default:
			s.regs[index] = value{}
		}
	case x86asm.Mem:
		switch to := w.address(s, arg, next); {
		case to.kind == stack && in.MemBytes > 0:
			s.store(to.n, int64(in.MemBytes), v)
		case to.kind == data && w.p.Firmware && in.MemBytes == 8 && v.kind == bootServices:
			if w.variables == nil {
				w.variables = map[uint64]value{}
			}
			w.variables[uint64(to.n)] = v
		}
	}
}

// add is ADD and SUB of a constant, and the sum of a jump table's address and one of its entries.
func (w *walk) add(s *state, in disasm.Inst, at int, next uint64) value {
	dst, ok := in.Args[0].(x86asm.Reg)
	if !ok {
		return value{}
	}
	_, immediate := in.Args[1].(x86asm.Imm)
	a, b := w.get(s, dst, width(in, dst), at, next), w.get(s, in.Args[1], width(in, dst), at, next)
	switch {
	case in.Op == x86asm.SUB && b.kind == number:
		return a.plus(-b.n)
	case in.Op == x86asm.SUB:
		return value{}
	case b.kind == number && a.kind == unknown && !immediate:
		return value{} // what a sum counts from: where Linux moves itself to is worked out in this way
	case b.kind == number:
		return a.plus(b.n)
	case a.kind == entry && b.kind == data && a.n == b.n, a.kind == data && b.kind == entry && a.n == b.n:
		return value{kind: jump, n: a.n}
	}
	return value{}
}

// entry is what MOVSXD loads when it indexes a table whose address is known.
func (w *walk) entry(s *state, arg x86asm.Arg, next uint64) value {
	m, ok := arg.(x86asm.Mem)
	if !ok || m.Scale != 4 || m.Disp != 0 || m.Segment != 0 {
		return value{}
	}
	if table := w.register(s, m.Base); table.kind == data {
		return value{kind: entry, n: table.n}
	}
	return value{}
}

// copyString is MOVS with or without REP, which copies constants to the stack.
func (w *walk) copyString(s *state, in disasm.Inst) {
	size := map[x86asm.Op]int64{x86asm.MOVSB: 1, x86asm.MOVSW: 2, x86asm.MOVSD: 4, x86asm.MOVSQ: 8}[in.Op]
	count := value{kind: number, n: 1}
	for _, p := range in.Prefix {
		if p&0xff == x86asm.PrefixREP {
			count = s.regs[rcx]
			s.regs[rcx] = value{kind: number}
		}
	}
	const most = 4096 // bytes; more is no constant
	length := count.n * size
	from, to := s.regs[rsi], s.regs[rdi]
	if count.kind != number || count.n < 0 || count.n > most || length > most {
		s.regs[rsi], s.regs[rdi] = value{}, value{}
		if to.kind == stack {
			s.forget(to.n, 1<<31)
		}
		return
	}
	s.regs[rsi], s.regs[rdi] = from.plus(length), to.plus(length)
	if to.kind != stack {
		return
	}
	s.forget(to.n, length)
	if from.kind != data || size < 4 {
		return
	}
	for i := int64(0); i < min(length, 4*maxSlots); i += 4 {
		s.store(to.n+i, 4, w.constant(from.n+i, 4))
	}
}
