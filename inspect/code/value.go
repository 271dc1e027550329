package code

import "golang.org/x/arch/x86/x86asm"

// value is what is known about the contents of a register or of a slot on the stack.
type value struct {
	kind kind
	n    int64 // by kind
	from int   // of a number: the offset in the file that it came from; of a method: its offset in the interface
}

type kind uint8

const (
	unknown      kind = iota
	number            // n
	stack             // the address n bytes from where the function's stack pointer was at its entry
	data              // the address n in the program
	sum               // n and something unknown
	bootServices      // the pointer to the table of boot services
	bootService       // the pointer to the boot service at offset n of that table
	protocol          // the interface that call number n of Facts.Services located
	method            // the pointer to a member of that interface
	entry             // a signed 32-bit number out of the jump table at address n
	jump              // that number and the address of its table
	field             // four bytes at offset n of something unknown
)

func (v value) plus(n int64) value {
	switch v.kind {
	case number, stack, data, sum:
		v.n += n
		return v
	case unknown:
		return value{kind: sum, n: n}
	}
	return value{}
}

// state is what is known at one place of a function.
type state struct {
	regs  [16]value // RAX to R15, in the order of their encoding
	slots []slot    // of the stack, in no order

	compared int64 // the constant of the last comparison or mask, or -1
	limit    int64 // what the last range check left as the highest value, or -1

	bounds // of firmware
}

// A slot is four bytes of a number on the stack, or the eight bytes of another value.
type slot struct {
	at int64 // as value.n of an address on the stack
	v  value
}

// maxSlots bounds what is kept of one stack frame; the oldest goes first.
const maxSlots = 64

func (s *state) clone() *state {
	c := *s
	c.slots = append(make([]slot, 0, len(s.slots)+4), s.slots...)
	return &c
}

// atEntry is the state in which a function begins.
func atEntry() *state {
	s := &state{compared: -1, limit: -1}
	s.regs[rsp] = value{kind: stack}
	return s
}

// Indices in state.regs.
const (
	rax = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
	r8
	r9
	r10
	r11
)

// forget drops what is known of the stack in size bytes from at on.
func (s *state) forget(at, size int64) {
	kept := s.slots[:0]
	for _, slot := range s.slots {
		length := int64(8)
		if slot.v.kind == number {
			length = 4
		}
		if slot.at+length <= at || at+size <= slot.at {
			kept = append(kept, slot)
		}
	}
	s.slots = kept
}

// store writes v, of size bytes, to the stack at an address.
func (s *state) store(at, size int64, v value) {
	s.forget(at, size)
	switch {
	case v.kind == number && size == 8:
		s.put(slot{at, value{number, v.n & 0xffffffff, v.from}})
		s.put(slot{at + 4, value{number, v.n >> 32 & 0xffffffff, v.from}})
	case v.kind == number && size == 4:
		s.put(slot{at, value{number, v.n & 0xffffffff, v.from}})
	case v.kind != unknown && v.kind != number && size == 8:
		s.put(slot{at, v})
	}
}

func (s *state) put(new slot) {
	if len(s.slots) == maxSlots {
		s.slots = append(s.slots[:0], s.slots[1:]...)
	}
	s.slots = append(s.slots, new)
}

// load reads size bytes of the stack at an address.
func (s *state) load(at, size int64) value {
	low, high := s.slot(at), s.slot(at+4)
	switch {
	case size == 8 && low.kind == number && high.kind == number:
		return value{number, low.n | high.n<<32, low.from}
	case size == 4 && low.kind == number:
		return low
	case size == 8 && low.kind != number:
		return low
	}
	return value{}
}

func (s *state) slot(at int64) value {
	for _, slot := range s.slots {
		if slot.at == at {
			return slot.v
		}
	}
	return value{}
}

// register tells which register r is, or a part of which, and its width in bytes; ok is false for one that is not of
// the sixteen general ones.
func register(r x86asm.Reg) (index, width int, ok bool) {
	switch {
	case x86asm.RAX <= r && r <= x86asm.R15:
		return int(r - x86asm.RAX), 8, true
	case x86asm.EAX <= r && r <= x86asm.R15L:
		return int(r - x86asm.EAX), 4, true
	case x86asm.AX <= r && r <= x86asm.R15W:
		return int(r - x86asm.AX), 2, true
	case x86asm.AL <= r && r <= x86asm.BL:
		return int(r - x86asm.AL), 1, true
	case x86asm.AH <= r && r <= x86asm.BH:
		return int(r - x86asm.AH), 1, true
	case x86asm.SPB <= r && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + rsp, 1, true
	}
	return 0, 0, false
}
