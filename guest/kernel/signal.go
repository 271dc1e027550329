//go:build linux && amd64

package kernel

// The one signal is SIGSEGV, of which the Go runtime makes a panic: a program that dereferences nil can recover, as
// packages fmt and net/http do. It is delivered as on Linux, for the runtime's handler (arch/x86/kernel/signal_64.c): to
// the thread that is at fault, on its signal stack, where a struct rt_sigframe says what happened and where to go on.
type signals struct {
	handler, restorer uint64 // of SIGSEGV, 0 for none
}

// A signalStack is what a thread has said with sigaltstack.
type signalStack struct {
	start, size uint64
	busy        bool // a signal is being handled
}

const (
	sigSEGV = 11

	// struct rt_sigframe, from its beginning: the return address, a struct ucontext, a siginfo.
	sigContext   = 8
	sigRegisters = sigContext + 40 // struct sigcontext in the ucontext
	sigInfo      = sigContext + 304
	sigFrameSize = sigInfo + 128
)

// raise has the program handle a page fault of its own. It reports false where it cannot.
func (k *kernel) raise(p *processor, f *frame, va uint64) bool {
	s := &k.current(p).signal
	if k.signals.handler == 0 || s.size < sigFrameSize+2*pageSize || s.busy {
		return false
	}
	// As at a function's entry: the return address is on top of a stack that was aligned before.
	sp := (s.start+s.size-sigFrameSize)&^15 - 8
	// This runs on the stack for page faults, so that there must be none.
	for page := sp &^ pageMask; page < s.start+s.size; page += pageSize {
		if e, _ := k.tables.entry(page, 12, false); (e == nil || *e&present == 0) && !k.fault(p, page) {
			return false
		}
	}
	zero(sp, sigFrameSize)
	*at(sp) = k.signals.restorer
	for i, v := range registersOf(f) {
		*at(sp + sigRegisters + 8*uint64(i)) = *v
	}
	const mapError = 1 // SEGV_MAPERR
	*at(sp + sigInfo) = sigSEGV
	*at(sp + sigInfo + 8) = mapError
	*at(sp + sigInfo + 16) = va
	s.busy = true
	f.ip, f.sp = k.signals.handler, sp
	f.di, f.si, f.dx = sigSEGV, sp+sigInfo, sp+sigContext
	return true
}

// sigreturn goes on where a signal's handler wants it.
func (k *kernel) sigreturn(t *thread) {
	t.signal.busy = false
	const context = sigRegisters - sigContext // where the stack is after the return to the restorer
	from := t.frame.sp + context
	for i, v := range registersOf(&t.frame) {
		*v = *at(from + 8*uint64(i))
	}
	const reserved, status = 2, 0xCD5 // bit 1, and those that a program can change by itself
	t.frame.flags = t.frame.flags&status | reserved
}

// registersOf returns a frame's registers in the order of a struct sigcontext (arch/x86/include/uapi/asm/sigcontext.h).
func registersOf(f *frame) [18]*uint64 {
	return [...]*uint64{&f.r8, &f.r9, &f.r10, &f.r11, &f.r12, &f.r13, &f.r14, &f.r15,
		&f.di, &f.si, &f.bp, &f.bx, &f.dx, &f.ax, &f.cx, &f.sp, &f.ip, &f.flags}
}

// sigaction keeps the handler of the one signal that there is.
func (k *kernel) sigaction(signal, from uint64) {
	if signal == sigSEGV && from != 0 {
		k.signals.handler, k.signals.restorer = *at(from), *at(from + 16)
	}
}

// sigaltstack is about a stack_t: address, flags, size.
func (k *kernel) sigaltstack(t *thread, from, old uint64) {
	const disable = 2
	s := &t.signal
	if old != 0 {
		flags := uint64(0)
		if s.size == 0 {
			flags = disable
		}
		*at(old), *at(old + 8), *at(old + 16) = s.start, flags, s.size
	}
	if from != 0 {
		s.start, s.size = *at(from), *at(from + 16)
		if *at(from + 8)&disable != 0 {
			s.start, s.size = 0, 0
		}
	}
}
