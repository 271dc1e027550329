package vm

import (
	"encoding/binary"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// This file finds out who called: the guest's call stack at the instruction under way, without help of the guest.

// maxStack is how many callers are looked at. Stacks of Linux are 16 KiB deep; the deepest that accept memory have some
// thirty callers.
const maxStack = 64

// stackSize is how large Linux's stacks for interrupts are, and for threads (Linux: arch/x86/include/asm/page_64_types.h,
// without KASAN). From one for interrupts the way leads to a thread's, which may be at a lower address.
const stackSize = 16 << 10

// userEnd is the first address that no program of Linux has, with page tables of five levels.
const userEnd = 1 << 56

// A stackFrame is where a function stands, as far as its caller can be found from that.
type stackFrame struct {
	ip, sp, bp uint64
	regs       *[16]uint64 // all registers, in a function that was interrupted or runs; nil where only SP and BP are known
	called     bool        // ip is a return address: the call ends there
	user       bool        // a program has entered the kernel here
}

// A return address stands in a stack with this bit changed, which no address has that the processor can use: it belongs
// to the function that the call before it is in, which may end there.
const returned = 1 << 62

// stack returns the addresses of the functions under way, the innermost first: where the processor stands, then where
// others called or were interrupted, and the process that entered the kernel. It stops where it does not know further.
func (m *Machine) stack() []uint64 {
	c := m.cpu()
	f := stackFrame{ip: c.RIP(), sp: c.R[x86.RSP], bp: c.R[x86.RBP], regs: (*[16]uint64)(c.R[:])}
	if m.sameStack(f) {
		return m.lastStack.all
	}
	l := &m.lastStack
	*l = lastStack{ip: f.ip, sp: f.sp, bp: f.bp, all: []uint64{f.ip}, words: l.words[:0]}
	next := m.unwinder()
	for next != nil && len(l.all) < maxStack && next(&f) {
		place := f.ip
		if f.called {
			place ^= returned
		}
		l.all = append(l.all, place)
	}
	if f.user {
		l.all = append(l.all, m.process())
	}
	return l.all
}

// A lastStack is the last one that was looked at, with the numbers in memory by which it was found: with 4 KiB pages
// there may be a million acceptances by the same loop.
type lastStack struct {
	ip, sp, bp uint64
	words      []stackWord
	all        []uint64
}

type stackWord struct{ va, value uint64 }

// sameStack says whether nothing has changed since the last time of what callers are found from.
func (m *Machine) sameStack(f stackFrame) bool {
	l := &m.lastStack
	if len(l.words) == 0 || f.ip != l.ip || f.sp != l.sp || f.bp != l.bp {
		return false
	}
	var page [mem.PageSize]byte // most of a stack that is in use is in one page or two
	at := uint64(1)             // the address of what is in page; none yet
	for _, w := range l.words {
		if w.va&^(mem.PageSize-1) != at {
			at = w.va &^ (mem.PageSize - 1)
			if m.cpu().ReadVirtual(at, page[:]) != nil {
				return false
			}
		}
		if offset := w.va - at; offset > mem.PageSize-8 || binary.LittleEndian.Uint64(page[offset:]) != w.value {
			return false
		}
	}
	return true
}

// unwinder returns what turns a frame into its caller's, and false where that cannot be done. It is nil where nothing is
// known of the guest's frames.
func (m *Machine) unwinder() func(*stackFrame) bool {
	symbols := m.symbols()
	switch {
	case m.inStub(m.cpu().RIP()):
		return m.stubCaller
	case symbols == nil:
		return nil
	case symbols.Fixed:
		return m.goCaller
	case m.names.orc != nil:
		if moved, ok := m.kernelOffset(); ok {
			return func(f *stackFrame) bool { return m.orcCaller(f, moved) }
		}
	default:
		return m.framePointerCaller
	}
	return nil
}

// framePointerCaller finds a caller in a kernel that keeps frame pointers (CONFIG_UNWINDER_FRAME_POINTER). Where an
// exception has entered it, the frame pointer is the address of the saved registers, plus one (Linux:
// arch/x86/include/asm/frame.h, ENCODE_FRAME_POINTER).
func (m *Machine) framePointerCaller(f *stackFrame) bool {
	caller := stackFrame{}
	ok := true
	if f.bp&1 != 0 {
		ok = m.savedRegisters(&caller, f.bp&^1, true)
	} else {
		var ok1, ok2 bool
		caller.bp, ok1 = m.word(f.bp)
		caller.ip, ok2 = m.word(f.bp + 8)
		caller.sp, caller.called = f.bp+16, true
		ok = ok1 && ok2
	}
	if ok && caller.ip < kernelTextFirst {
		f.user = f.bp&1 != 0 && caller.ip != 0 && caller.ip < userEnd // a thread of the kernel begins with zeroes
		return false
	}
	if ok = ok && (caller.sp > f.sp || f.sp-caller.sp >= stackSize); ok { // else there is a loop
		*f = caller
	}
	return ok
}

// word reads a number of the guest's stack.
func (m *Machine) word(va uint64) (v uint64, ok bool) {
	var b [8]byte
	if m.cpu().ReadVirtual(va, b[:]) != nil {
		return 0, false
	}
	v = binary.LittleEndian.Uint64(b[:])
	m.lastStack.words = append(m.lastStack.words, stackWord{va, v})
	return v, true
}

// orcCaller finds a caller by the kernel's own tables, as the kernel does (Linux: arch/x86/kernel/unwind_orc.c).
func (m *Machine) orcCaller(f *stackFrame, moved uint64) bool {
	at := f.ip
	if f.called {
		at-- // within the call: the function may end after it
	}
	e, ok := m.orcEntry(at, moved)
	if !ok || e.Type == image.ORCTypeUndefined || e.Type == image.ORCTypeEndOfStack {
		return false
	}
	sp, ok := m.orcSP(f, e)
	if !ok || e.Type == image.ORCTypeCall && sp <= f.sp && f.sp-sp < stackSize {
		return false // on the same stack the caller's frame is above, or there is a loop
	}
	caller := stackFrame{sp: sp, bp: f.bp}
	switch e.Type {
	case image.ORCTypeCall:
		caller.ip, ok = m.word(sp - 8)
		caller.called = true
	case image.ORCTypeRegs, image.ORCTypeRegsPartial:
		ok = m.savedRegisters(&caller, sp, e.Type == image.ORCTypeRegs)
	}
	if !ok || caller.ip < kernelTextFirst {
		f.user = ok && e.Type != image.ORCTypeCall && caller.ip != 0 && caller.ip < userEnd
		return false
	}
	switch e.BP {
	case image.ORCPrevSP:
		caller.bp, ok = m.word(sp + uint64(int64(e.BPOffset)))
	case image.ORCBP:
		caller.bp, ok = m.word(f.bp + uint64(int64(e.BPOffset)))
	}
	*f = caller
	return ok
}

// orcEntry returns the entry for a place in the kernel or in a module.
func (m *Machine) orcEntry(at, moved uint64) (e image.ORCEntry, ok bool) {
	if at < kernelTextFirst {
		return e, false
	}
	if at < modulesFirst {
		return m.names.orc.Find(at - moved)
	}
	in := m.moduleAt(at)
	if in == nil || in.orc == nil {
		return e, false
	}
	return in.orc.Find(at)
}

// orcSP returns the caller's stack pointer.
func (m *Machine) orcSP(f *stackFrame, e image.ORCEntry) (sp uint64, ok bool) {
	offset := uint64(int64(e.SPOffset))
	register := map[image.ORCRegister]int{
		image.ORCAX: x86.RAX, image.ORCDX: x86.RDX, image.ORCDI: x86.RDI, image.ORCR10: 10, image.ORCR13: 13,
	}
	switch e.SP {
	case image.ORCSP:
		return f.sp + offset, true
	case image.ORCBP:
		return f.bp + offset, true
	case image.ORCSPIndirect:
		sp, ok = m.word(f.sp)
		return sp + offset, ok
	case image.ORCBPIndirect:
		return m.word(f.bp + offset)
	}
	if r, known := register[e.SP]; known && f.regs != nil {
		return f.regs[r], true
	}
	return 0, false
}

// savedRegisters reads what an exception has saved (Linux: struct pt_regs, arch/x86/include/asm/ptrace.h): all registers
// at sp, or what the processor saves alone.
func (m *Machine) savedRegisters(f *stackFrame, sp uint64, all bool) bool {
	const ip, stack = 0, 24 // of what the processor saves: RIP, CS, RFLAGS, RSP, SS
	saved := sp
	if all {
		// R15 to R12, RBP, RBX, R11 to R8, RAX, RCX, RDX, RSI, RDI, and what the exception is about.
		order := [...]int{15, 14, 13, 12, x86.RBP, x86.RBX, 11, 10, 9, 8, x86.RAX, x86.RCX, x86.RDX, x86.RSI, x86.RDI}
		var regs [16]uint64
		for i, r := range order {
			v, ok := m.word(sp + 8*uint64(i))
			if !ok {
				return false
			}
			regs[r] = v
		}
		f.regs, f.bp = &regs, regs[x86.RBP]
		saved += 8 * uint64(len(order)+1)
	}
	var ok1, ok2 bool
	f.ip, ok1 = m.word(saved + ip)
	f.sp, ok2 = m.word(saved + stack)
	if f.regs != nil {
		f.regs[x86.RSP] = f.sp
	}
	return ok1 && ok2
}

// goCaller finds a caller by frame pointers, which Go keeps on amd64. Assembly has frames of its own; of these only the
// exception handler of guest/kernel is known, which leaves the registers that it has saved.
func (m *Machine) goCaller(f *stackFrame) bool {
	if f.regs != nil {
		// Where the processor stands there may be no frame yet: a leaf function's return address is at the stack pointer.
		if name, _, _ := m.symbols().Lookup(f.ip); isAssembly(name) {
			ip, ok := m.word(f.sp)
			*f = stackFrame{ip: ip, sp: f.sp + 8, bp: f.bp, called: true}
			return ok && ip != 0
		}
	}
	bp, ok1 := m.word(f.bp)
	ip, ok2 := m.word(f.bp + 8)
	if !ok1 || !ok2 || ip == 0 {
		return false
	}
	caller := stackFrame{ip: ip, sp: f.bp + 16, bp: bp, called: true}
	if name, _, _ := m.symbols().Lookup(ip - 1); strings.HasSuffix(name, "guest/kernel.trapped") {
		return m.trapped(f, caller.sp)
	}
	if bp != 0 && bp <= f.bp {
		return false // the caller's frame is above, or there is a loop
	}
	*f = caller
	return true
}

// isAssembly says whether a function is one of those that execute a single instruction and make no frame.
func isAssembly(name string) bool {
	return strings.HasSuffix(name, "accept/snp.pvalidate") || strings.HasSuffix(name, "guest/kernel.touch")
}

// trapped makes f the function that an exception has interrupted: guest/kernel's trapped calls the handler with the
// address of the frame that it has pushed, of which the registers come first (type frame, guest/kernel/thread.go).
func (m *Machine) trapped(f *stackFrame, argument uint64) bool {
	const bp, ip, sp = 8 * 8, 17 * 8, 20 * 8
	saved, ok := m.word(argument)
	if !ok {
		return false
	}
	var ok1, ok2, ok3 bool
	next := stackFrame{}
	next.bp, ok1 = m.word(saved + bp)
	next.ip, ok2 = m.word(saved + ip)
	next.sp, ok3 = m.word(saved + sp)
	*f = next
	return ok1 && ok2 && ok3
}
