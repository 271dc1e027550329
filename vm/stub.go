package vm

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/disasm"
)

// This file finds callers in the EFI stub, which nothing describes: it carries neither names nor unwinding tables, and its
// functions keep no frame pointers. Without names, what is on the stack and leads to an instruction after a call may be a
// return address, or left from an earlier call: a guess. With the stub's names (--stub-symbols) it is known where a
// function begins, and its code says how far below its return address the stack pointer is; that is exact.

const (
	stubStack = 16 << 10 // bytes of the stack that are searched
	maxStub   = 4096     // instructions of a function that are looked at
)

// A guessed frame stands in a stack as its address with this bit, which no address in an image has.
const guessed = 1 << 61

// inStub says whether an address is in what firmware has started, and that is neither a Go program nor the kernel proper.
func (m *Machine) inStub(address uint64) bool {
	s, image := m.symbols(), m.boot.Image()
	return (s == nil || !s.Fixed && s.ImageBase == 0) && address >= image.Start && address < image.End
}

// stubPlace names a place in the stub, given another address in its function.
func (m *Machine) stubPlace(address, within uint64) string {
	note := ""
	if address&guessed != 0 {
		address, within, note = address&^guessed, within&^guessed, " (guessed)"
	}
	start := m.boot.Image().Start
	if s := m.cfg.StubSymbols; s != nil {
		if name, offset, ok := s.Lookup(within - start - m.protectedMode()); ok {
			return fmt.Sprintf("%s+%#x%s", name, offset+address-within, note)
		}
	}
	return fmt.Sprintf("%s at %#x%s", m.stubName(), address-start, note)
}

// protectedMode is where in a kernel's image the stub was linked to be at 0.
func (m *Machine) protectedMode() uint64 {
	if m.cfg.Image.Kind != image.BzImage {
		return 0
	}
	return uint64(m.cfg.Image.Setup.ProtectedMode())
}

// stubCaller turns a frame into its caller's. Where that is a guess, so are all after it.
func (m *Machine) stubCaller(f *stackFrame) bool {
	if depth, ok := m.depth(f.ip&^guessed, f.called); ok {
		ip, ok := m.word(f.sp + depth)
		if !ok || !m.inStub(ip) {
			return false // firmware has called
		}
		*f = stackFrame{ip: ip | f.ip&guessed, sp: f.sp + depth + 8, called: true}
		return true
	}
	for at := f.sp; at < f.sp+stubStack; at += 8 {
		ip, ok := m.word(at)
		if !ok {
			return false
		}
		if m.inStub(ip) && m.calls(ip, f.ip&^guessed) {
			mark := uint64(guessed)
			if at == f.sp && f.regs != nil {
				mark = 0 // a function that has no frame: the return address is where the stack pointer is
			}
			*f = stackFrame{ip: ip | mark, sp: at + 8, called: true}
			return true
		}
	}
	return false
}

// calls says whether the instruction in front of an address is a call that may lead to the function that another address
// is in: a direct one to somewhere in front of that, or an indirect one.
func (m *Machine) calls(after, within uint64) bool {
	const direct, longest = 5, 7
	var b [longest]byte
	if m.cpu().ReadVirtual(after-longest, b[:]) != nil {
		return false
	}
	if b[longest-direct] == 0xE8 {
		const largest = 64 << 10 // bytes of a function
		target := after + uint64(int64(int32(binary.LittleEndian.Uint32(b[longest-4:]))))
		return target <= within && within-target < largest
	}
	for n := 2; n <= longest; n++ { // FF /2, with whatever it takes for an address
		in, ok := disasm.Decode(b[longest-n:])
		if ok && in.Len == n && in.Op == x86asm.CALL && b[longest-n] == 0xFF {
			return true
		}
	}
	return false
}

// depth returns how many bytes above the stack pointer a function's return address is when the processor is at an address
// in it, or where called, when a call that ends there is under way. It follows the function's code from its beginning and
// needs to know where that is.
func (m *Machine) depth(ip uint64, called bool) (bytes uint64, ok bool) {
	s := m.cfg.StubSymbols
	base := m.boot.Image().Start + m.protectedMode()
	if s == nil {
		return 0, false
	}
	at := ip
	if called {
		at-- // within the call: the function may end after it
	}
	_, offset, ok := s.Lookup(at - base)
	if !ok {
		return 0, false
	}
	w := walk{code: func(at uint64) []byte { return instructionAt(m.cpu(), at) }, ip: ip, called: called, seen: map[uint64]bool{}, tables: -1}
	return w.from(at - offset)
}

// from looks for the place in a function that begins at an address.
func (w *walk) from(start uint64) (bytes uint64, ok bool) {
	w.later = []branch{{start, 0}}
	for len(w.seen) < maxStub {
		next, ok := w.next()
		if !ok {
			break
		}
		if w.follow(next) {
			return uint64(w.found), w.found >= 0
		}
	}
	return 0, false
}

// A walk follows a function's code to a place in it.
type walk struct {
	code   func(at uint64) []byte // an instruction's bytes, and maybe more
	ip     uint64
	called bool
	seen   map[uint64]bool
	later  []branch
	found  int64

	// Where a jump's targets are in a table, they are not known, but that the stack is the same there: so it is wherever
	// code begins after other code has ended, and nothing else leads.
	tables int64    // the depth at such jumps; -1: there are none, or more than one depth
	mixed  bool     // there is more than one
	ends   []uint64 // where code begins after other code has ended
}

// next returns where to go on.
func (w *walk) next() (b branch, ok bool) {
	if n := len(w.later); n > 0 {
		b, w.later = w.later[n-1], w.later[:n-1]
		return b, true
	}
	first := uint64(0)
	for _, at := range w.ends {
		if !w.seen[at] && at <= w.ip && (first == 0 || at < first) {
			first = at
		}
	}
	return branch{first, w.tables}, first != 0 && w.tables >= 0 && !w.mixed
}

// table notes a jump whose targets are in a table. One without a frame is a call at the end of a function.
func (w *walk) table(depth int64) {
	if depth > 0 {
		w.mixed = w.mixed || w.tables >= 0 && w.tables != depth
		w.tables = depth
	}
}

// A branch is a place, and how far the stack pointer is below the return address there.
type branch struct {
	at    uint64
	depth int64
}

// follow goes on until the code jumps or returns, or the place is reached. An instruction that disasm does not know is an
// end too: no function's frame depends on one.
func (w *walk) follow(b branch) (reached bool) {
	for !w.seen[b.at] && len(w.seen) < maxStub {
		if b.at == w.ip && !w.called {
			w.found = b.depth
			return true
		}
		w.seen[b.at] = true
		in, ok := disasm.Decode(w.code(b.at))
		if !ok {
			return false
		}
		next := b.at + uint64(in.Len)
		switch in.Op {
		case x86asm.CALL:
			if w.called && next == w.ip {
				w.found = b.depth
				return true
			}
		case x86asm.RET, x86asm.UD2, x86asm.HLT:
			w.ends = append(w.ends, next)
			return false
		case x86asm.JMP:
			w.ends = append(w.ends, next)
			rel, direct := in.Args[0].(x86asm.Rel)
			if !direct {
				w.table(b.depth)
				return false
			}
			next += uint64(int64(rel))
		default:
			if rel, jumps := in.Args[0].(x86asm.Rel); jumps {
				w.later = append(w.later, branch{next + uint64(int64(rel)), b.depth})
			}
			deeper, known := deepens(in)
			if !known {
				return false // it sets the stack pointer otherwise
			}
			b.depth += deeper
		}
		b.at = next
	}
	return false
}

// deepens says by how many bytes an instruction moves the stack pointer down.
func deepens(in disasm.Inst) (bytes int64, known bool) {
	switch in.Op {
	case x86asm.PUSH, x86asm.PUSHF, x86asm.PUSHFQ:
		return 8, true
	case x86asm.POP, x86asm.POPF, x86asm.POPFQ:
		return -8, in.Args[0] != x86asm.RSP
	case x86asm.LEAVE:
		return 0, false
	case x86asm.CMP, x86asm.TEST:
		return 0, true
	}
	if in.Args[0] != x86asm.RSP {
		return 0, true
	}
	switch by := in.Args[1].(type) {
	case x86asm.Imm:
		switch in.Op {
		case x86asm.SUB:
			return int64(by), true
		case x86asm.ADD:
			return -int64(by), true
		}
	case x86asm.Mem:
		if in.Op == x86asm.LEA && by.Base == x86asm.RSP && by.Index == 0 {
			return -by.Disp, true
		}
	}
	return 0, false
}
