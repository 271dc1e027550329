package code

import (
	"encoding/binary"
	"slices"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/uefi"
)

// walk follows a program. Every instruction is read once, in the state in which it was met first; after a call of
// LocateProtocol some are read again, to see what is done with the result.
type walk struct {
	p         Program
	facts     Facts
	seen      []uint64 // a bit for each byte of the file at which an instruction has been read
	functions []uint64 // addresses of functions yet to be read
	taken     []uint64 // addresses that may be of functions: the code stores them, or passes them on
	guessing  bool     // those are being read
	known     map[uint64]bool
	calls     []constantCall
	gaps      []gap
	returning map[uint64]bool // whether a function comes back; see returns.go
}

// A gap, and the function that was called last before it; if that does not return, nothing is missing.
type gap struct {
	Gap
	called uint64 // 0 for none
}

// A constantCall is a direct call with a constant as its first argument (System V ABI: EDI).
type constantCall struct {
	at       int
	target   uint64
	argument uint32
}

// A place is where to go on reading, and what is known there.
type place struct {
	address uint64
	state   *state
}

func newWalk(p Program) *walk {
	return &walk{p: p, seen: make([]uint64, len(p.File)/64+1), known: map[uint64]bool{}, returning: map[uint64]bool{}}
}

// enter remembers a function to be read.
func (w *walk) enter(address uint64) {
	if !w.known[address] {
		w.known[address] = true
		w.functions = append(w.functions, address)
	}
}

// take remembers an address that the code does something with other than to read there.
func (w *walk) take(v value) {
	if v.kind == data && !w.known[uint64(v.n)] {
		w.taken = append(w.taken, uint64(v.n))
	}
}

// run reads all functions: first those that are called, then those whose address is taken. The latter may be data: what
// cannot be read there is no gap.
func (w *walk) run() {
	for {
		for len(w.functions) > 0 {
			address := w.functions[len(w.functions)-1]
			w.functions = w.functions[:len(w.functions)-1]
			w.function(place{address, atEntry()})
		}
		if len(w.taken) == 0 {
			return
		}
		w.guessing = true
		address := w.taken[0]
		w.taken = w.taken[1:]
		if w.plausible(address) {
			w.enter(address)
		}
	}
}

// result puts the facts into the order of the file.
func (w *walk) result() Facts {
	for _, c := range w.calls {
		if at, ok := w.tdcall(c.target); ok {
			w.facts.Leaves = append(w.facts.Leaves, Leaf{c.at, at, c.argument})
		}
	}
	for _, g := range w.gaps {
		if g.called == 0 || w.returns(g.called) {
			w.facts.Gaps = append(w.facts.Gaps, g.Gap)
		}
	}
	slices.SortFunc(w.facts.Leaves, func(a, b Leaf) int { return a.At - b.At })
	slices.SortFunc(w.facts.Services, func(a, b ServiceCall) int { return a.At - b.At })
	slices.SortFunc(w.facts.Special, func(a, b Special) int { return a.At - b.At })
	slices.SortFunc(w.facts.Gaps, func(a, b Gap) int { return a.At - b.At })
	return w.facts
}

// function reads from a place on what has not been read, the branches of jumps included.
func (w *walk) function(from place) {
	todo := []place{from}
	for len(todo) > 0 {
		at := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		todo = w.straight(at, todo)
	}
}

// straight reads from a place to the next instruction that does not go on to the one behind it. It adds where jumps go
// to todo.
func (w *walk) straight(from place, todo []place) []place {
	s, address := from.state, from.address
	called, last := uint64(0), 0
	for {
		offset, rest := w.bytes(address)
		if len(rest) == 0 {
			w.gap(last, "an instruction behind which no code is loaded", called)
			return todo
		}
		if w.seen[offset/64]&(1<<(offset%64)) != 0 {
			return todo
		}
		if w.facts.Instructions == maxInstructions {
			w.gap(offset, "more code than is read", 0)
			w.functions = nil
			return nil
		}
		in, ok := decode(rest)
		if !ok {
			w.gap(offset, "bytes that are no instruction", called)
			return todo
		}
		w.seen[offset/64] |= 1 << (offset % 64)
		w.facts.Instructions++
		next := address + uint64(in.Len)
		last = offset
		if in.special != "" {
			w.facts.Special = append(w.facts.Special, Special{offset, in.special})
		}
		switch flow(in) {
		case onward:
			w.step(s, in, offset, next)
		case calls:
			w.call(s, in, offset, next)
			called, _ = target(in, next)
		case branches:
			called = 0
			todo = append(todo, w.branch(s, in, next))
		case jumps:
			return append(todo, w.jump(s, in, offset, next)...)
		case leaves:
			return append(todo, w.leave(s)...)
		case ends:
			return todo
		}
		address = next
	}
}

// tdcall returns the offset of the TDCALL that a function begins with, but for moving its arguments into place (Linux,
// arch/x86/virt/vmx/tdx/tdxcall.S).
func (w *walk) tdcall(function uint64) (offset int, ok bool) {
	const most = 32 // instructions
	for range most {
		offset, rest := w.bytes(function)
		in, ok := decode(rest)
		if !ok || in.special == TDCALL {
			return offset, ok
		}
		if flow(in) != onward && flow(in) != branches {
			break
		}
		function += uint64(in.Len)
	}
	return 0, false
}

// bytes returns where in the file an address is, and the file from there to the end of its segment.
func (w *walk) bytes(address uint64) (offset int, rest []byte) {
	for _, s := range w.p.Segments {
		if address >= s.Address && address-s.Address < uint64(s.Size) {
			offset := s.Offset + int(address-s.Address)
			return offset, w.p.File[offset : s.Offset+s.Size]
		}
	}
	return 0, nil
}

// constant is the number of size bytes that the file has at an address.
func (w *walk) constant(address, size int64) value {
	offset, rest := w.bytes(uint64(address))
	switch {
	case size == 8 && len(rest) >= 8:
		return value{number, int64(binary.LittleEndian.Uint64(rest)), offset}
	case size == 4 && len(rest) >= 4:
		return value{number, int64(binary.LittleEndian.Uint32(rest)), offset}
	}
	return value{}
}

func (w *walk) gap(offset int, why string, called uint64) {
	if w.guessing {
		return
	}
	w.gaps = append(w.gaps, gap{Gap{offset, why}, called})
}

// target returns where a direct call or jump goes.
func target(in instruction, next uint64) (address uint64, ok bool) {
	to, ok := in.Args[0].(x86asm.Rel)
	return next + uint64(int64(to)), ok
}

// call reads a call: of a function to be read too, of a boot service, or of something unknown.
func (w *walk) call(s *state, in instruction, offset int, next uint64) {
	for _, r := range []int{rdi, rsi, rdx, rcx, r8, r9} {
		w.take(s.regs[r])
	}
	if function, ok := target(in, next); ok {
		w.enter(function)
		if v := s.regs[rdi]; v.kind == number {
			w.calls = append(w.calls, constantCall{offset, function, uint32(v.n)})
		}
		for _, r := range []int{rax, rcx, rdx, rsi, rdi, r8, r9, r10, r11} { // System V ABI
			s.regs[r] = value{}
		}
		return
	}
	located := w.service(s, in, offset, next)
	for _, r := range []int{rax, rcx, rdx, r8, r9, r10, r11} { // UEFI 2.10, section 2.3.4.2
		s.regs[r] = value{}
	}
	if located >= 0 {
		w.facts.Services[located].Methods = w.methods(place{next, s}, located)
	}
}

// service notes a call of a boot service. If it locates a protocol whose GUID is known, the call's number is returned,
// otherwise -1.
func (w *walk) service(s *state, in instruction, offset int, next uint64) int {
	m, ok := in.Args[0].(x86asm.Mem)
	if !ok || w.register(s, m.Base).kind != bootServices || m.Index != 0 ||
		m.Disp < uefi.TableHeaderSize || m.Disp >= int64(uefi.BootServicesSize) || m.Disp%8 != 0 {
		return -1
	}
	c := ServiceCall{At: offset, Service: uefi.BootService(m.Disp)}
	low, high := w.pointed(s, s.regs[rcx], 0), w.pointed(s, s.regs[rcx], 8)
	if low.kind == number && high.kind == number {
		c.GUID, c.Halves = new(uefi.GUID), [2]int{low.from, high.from}
		binary.LittleEndian.PutUint64(c.GUID[:8], uint64(low.n))
		binary.LittleEndian.PutUint64(c.GUID[8:], uint64(high.n))
	}
	w.facts.Services = append(w.facts.Services, c)
	if c.Service != uefi.BSLocateProtocol || c.GUID == nil || s.regs[r8].kind != stack {
		return -1
	}
	number := len(w.facts.Services) - 1
	s.store(s.regs[r8].n, 8, value{kind: protocol, n: int64(number)})
	return number
}

// pointed is the eight bytes at an offset from a pointer.
func (w *walk) pointed(s *state, pointer value, offset int64) value {
	switch pointer.kind {
	case stack:
		return s.load(pointer.n+offset, 8)
	case data:
		return w.constant(pointer.n+offset, 8)
	}
	return value{}
}

// jump returns where a jump goes, as far as that is known.
func (w *walk) jump(s *state, in instruction, offset int, next uint64) []place {
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

// plausible tells whether there is code at an address: instructions up to one that ends them, with jumps to code. Text is
// none: it decodes to string input and output, and the zeros between two to additions of AL.
func (w *walk) plausible(address uint64) bool {
	const most = 64 // instructions
	for range most {
		_, rest := w.bytes(address)
		in, ok := decode(rest)
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
		w.gap(offset, "a jump table of unknown length", 0)
		return nil
	}
	var all []place
	for i := range s.limit + 1 {
		v := w.constant(address+4*i, 4)
		if v.kind != number {
			w.gap(offset, "a jump table that leads out of the file", 0)
			break
		}
		all = append(all, place{uint64(address + int64(int32(v.n))), s.clone()})
	}
	return all
}

// branch returns where a conditional jump goes. Of its condition only a range check is remembered, on the side on which
// the number is in the range.
func (w *walk) branch(s *state, in instruction, next uint64) place {
	taken := s.clone()
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

func flow(in instruction) direction {
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
func fatal(in instruction) bool {
	switch in.Op {
	case x86asm.UD0, x86asm.UD1, x86asm.UD2, x86asm.INT:
		return true
	}
	return false
}
