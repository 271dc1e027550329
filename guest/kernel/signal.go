//go:build linux && amd64

package kernel

// Signals are delivered as on Linux, for the Go runtime's handler (arch/x86/kernel/signal_64.c): on the signal stack of
// the thread, where a struct rt_sigframe says what happened and where to go on. They come of a thread's own faults, by
// which a nil dereference becomes a panic, and of tgkill, by which the runtime preempts a thread that makes no calls.

// A signalAction is a struct sigaction of the kernel (arch/x86/include/uapi/asm/signal.h).
type signalAction struct {
	handler, flags, restorer, mask uint64
}

// A threadSignals is what a thread has to do with signals. Masks have bit n-1 for signal n.
type threadSignals struct {
	start, size   uint64 // of the signal stack, 0 for none
	mask, pending uint64

	fault, code, address uint64 // the signal of the thread's own fault that is to be delivered, its siginfo; 0 for none
	timed, timedCode     uint64 // the pending signal that a timer has sent, its si_code; 0 for none
}

// Signals (include/uapi/asm-generic/signal.h).
const (
	sigILL, sigTRAP, sigFPE, sigKILL, sigSEGV, sigPROF = 4, 5, 8, 9, 11, 27

	signals = 64

	defaultHandler, ignoreHandler = 0, 1
	flagOnStack, flagNoDefer      = 0x0800_0000, 0x4000_0000
	flagRestart                   = 0x1000_0000 // SA_RESTART, which the Go runtime asks for

	// Those that do nothing where there is no handler: SIGCHLD, SIGCONT, SIGURG, SIGWINCH.
	ignoredByDefault = 1<<(17-1) | 1<<(18-1) | 1<<(23-1) | 1<<(28-1)

	// struct rt_sigframe, from its beginning: the return address, a struct ucontext, a siginfo; then what FXSAVE stores.
	sigContext   = 8
	sigRegisters = sigContext + 40  // struct sigcontext in the ucontext
	sigError     = sigContext + 192 // in it: error code, vector, mask, CR2, where the FPU's state is
	sigMask      = sigContext + 296
	sigInfo      = sigContext + 304
	sigFrameSize = sigInfo + 128

	stackDisable = 2
)

// fault has the thread that runs raise a signal for an exception of its own: what has been stored in its frame. It
// reports false where no signal stands for the exception.
func (k *kernel) raise(t *thread, f *frame, address uint64) bool {
	const mapError, divide = 1, 1 // SEGV_MAPERR, FPE_INTDIV
	s := &t.signal
	switch f.vector {
	case vectorPF:
		s.fault, s.code, s.address = sigSEGV, mapError, address
	case vectorGP, vectorSS, vectorNP:
		s.fault, s.code, s.address = sigSEGV, codeKernel, 0
	case vectorDE:
		s.fault, s.code, s.address = sigFPE, divide, f.ip
	case vectorMF, vectorXM:
		s.fault, s.code, s.address = sigFPE, 0, f.ip
	case vectorUD:
		s.fault, s.code, s.address = sigILL, codeKernel, f.ip
	case vectorBP, vectorDB:
		s.fault, s.code, s.address = sigTRAP, codeKernel, 0
	default:
		return false
	}
	return true
}

// deliver has the thread that runs go on in its handler, where a signal is to be delivered.
func (k *kernel) deliver(t *thread) {
	s := &t.signal
	if n := s.fault; n != 0 {
		s.fault = 0
		a := &k.actions[n]
		if a.handler <= ignoreHandler || s.mask>>(n-1)&1 != 0 || !k.push(t, n, s.code, s.address) {
			k.explain(&t.frame, s.address)
			k.fail()
		}
		return
	}
	for n, code := s.take(); n != 0; n, code = s.take() {
		switch a := &k.actions[n]; {
		case a.handler == ignoreHandler, a.handler == defaultHandler && ignoredByDefault>>(n-1)&1 != 0:
		case a.handler == defaultHandler, !k.push(t, n, code, 0):
			k.killed(n)
		default:
			return
		}
	}
}

// take returns the signal to deliver first of those that are pending and not masked, with its si_code; 0 for none. A timer's
// is first, since another's handler may have the thread go on elsewhere.
func (s *threadSignals) take() (n, code uint64) {
	ready := s.pending &^ s.mask
	if ready == 0 {
		return 0, 0
	}
	if n = s.timed; n != 0 && ready>>(n-1)&1 != 0 {
		code, s.timed = s.timedCode, 0
	} else {
		code = ^uint64(6) + 1 // SI_TKILL
		for n = 1; ready>>(n-1)&1 == 0; {
			n++
		}
	}
	s.pending &^= 1 << (n - 1)
	return n, code
}

// push puts a signal's frame on the thread's stack, and has it go on in the handler. It reports false where there is no
// room for it.
func (k *kernel) push(t *thread, n, code, address uint64) bool {
	a, s, f := &k.actions[n], &t.signal, &t.frame
	const redZone = 128
	sp := f.sp - redZone
	if a.flags&flagOnStack != 0 && s.size != 0 && (f.sp < s.start || f.sp-s.start > s.size) {
		sp = s.start + s.size
	}
	fx := (sp - fxSize) &^ 63
	// As at a function's entry: the return address is on top of a stack that was aligned before.
	sp = (fx-sigFrameSize)&^15 - 8
	if !k.reach(sp, fx+fxSize-sp, canRead|canWrite) {
		return false
	}
	zero(sp, sigFrameSize)
	*at(sp) = a.restorer
	flags := uint64(0)
	if s.size == 0 {
		flags = stackDisable
	}
	*at(sp + sigContext + 16), *at(sp + sigContext + 24), *at(sp + sigContext + 32) = s.start, flags, s.size
	for i, v := range registersOf(f) {
		*at(sp + sigRegisters + 8*uint64(i)) = *v
	}
	const segments = 18 * 8
	*at(sp + sigRegisters + segments) = f.cs | f.ss<<48
	*at(sp + sigError), *at(sp + sigError + 8), *at(sp + sigError + 24) = f.code, f.vector, address
	*at(sp + sigError + 32) = fx
	*at(sp + sigMask) = s.mask
	*at(sp + sigInfo), *at(sp + sigInfo + 8), *at(sp + sigInfo + 16) = n, code&0xFFFF_FFFF, address
	if !t.full {
		t.clearFX()
	}
	move(fx, t.fxArea(), fxSize)
	s.mask |= a.mask
	if a.flags&flagNoDefer == 0 {
		s.mask |= 1 << (n - 1)
	}
	f.ip, f.sp = a.handler, sp
	f.di, f.si, f.dx, f.ax = n, sp+sigInfo, sp+sigContext, 0
	f.flags &^= 0x500 // TF, DF
	return true
}

// sigreturn goes on where a signal's handler wants it.
func (k *kernel) sigreturn(t *thread) {
	const context = sigContext // of which the handler's return has taken the first word
	sp := t.frame.sp - context
	if !k.reach(sp, sigFrameSize, canRead) {
		k.killed(sigSEGV)
	}
	fx := *at(sp + sigError + 32)
	for i, v := range registersOf(&t.frame) {
		*v = *at(sp + sigRegisters + 8*uint64(i))
	}
	const reserved, status = 2, 0xCD5 // bit 1, and those that a program can change by itself
	t.frame.flags = t.frame.flags&status | reserved | k.interruptFlag
	t.signal.mask = *at(sp + sigMask)
	if fx != 0 {
		const mxcsr, known = 24, 0xFFFF // SSE's control register, of which other bits raise #GP
		if !k.reach(fx, fxSize, canRead) {
			k.killed(sigSEGV)
		}
		move(t.fxArea(), fx, fxSize)
		*(*uint32)(pointer(t.fxArea() + mxcsr)) &= known
		t.full = true
	}
	if t.frame.ip >= 1<<47 { // IRET would fault, and not in the program
		k.killed(sigSEGV)
	}
}

// registersOf returns a frame's registers in the order of a struct sigcontext (arch/x86/include/uapi/asm/sigcontext.h).
func registersOf(f *frame) [18]*uint64 {
	return [...]*uint64{&f.r8, &f.r9, &f.r10, &f.r11, &f.r12, &f.r13, &f.r14, &f.r15,
		&f.di, &f.si, &f.bp, &f.bx, &f.dx, &f.ax, &f.cx, &f.sp, &f.ip, &f.flags}
}

// sigaction is rt_sigaction.
func (k *kernel) sigaction(n, from, old uint64) uint64 {
	const size = 32
	if n == 0 || n > signals || from != 0 && (n == sigKILL || n == 19) {
		return einval
	}
	if from != 0 && !k.reach(from, size, canRead) || old != 0 && !k.reach(old, size, canWrite) {
		return efault
	}
	a := &k.actions[n]
	if was := *a; old != 0 {
		*at(old), *at(old + 8), *at(old + 16), *at(old + 24) = was.handler, was.flags, was.restorer, was.mask
	}
	if from != 0 {
		a.handler, a.flags, a.restorer, a.mask = *at(from), *at(from + 8), *at(from + 16), *at(from + 24)
	}
	return 0
}

// sigprocmask is rt_sigprocmask.
func (k *kernel) sigprocmask(t *thread, how, from, old uint64) uint64 {
	if from != 0 && !k.reach(from, 8, canRead) || old != 0 && !k.reach(old, 8, canWrite) {
		return efault
	}
	was := t.signal.mask
	if from != 0 {
		const never = 1<<(sigKILL-1) | 1<<(19-1)
		set := *at(from) &^ never
		switch how {
		case 0:
			t.signal.mask |= set
		case 1:
			t.signal.mask &^= set
		case 2:
			t.signal.mask = set
		default:
			return einval
		}
	}
	if old != 0 {
		*at(old) = was
	}
	return 0
}

// sigaltstack is about a stack_t: address, flags, size.
func (k *kernel) sigaltstack(t *thread, from, old uint64) uint64 {
	const size = 24
	if from != 0 && !k.reach(from, size, canRead) || old != 0 && !k.reach(old, size, canWrite) {
		return efault
	}
	s := &t.signal
	start, bytes := s.start, s.size
	if from != 0 {
		s.start, s.size = *at(from), *at(from + 16)
		if *at(from + 8)&stackDisable != 0 {
			s.start, s.size = 0, 0
		}
	}
	if old != 0 {
		flags := uint64(0)
		if bytes == 0 {
			flags = stackDisable
		}
		*at(old), *at(old + 8), *at(old + 16) = start, flags, bytes
	}
	return 0
}

// signal sends one to a thread, which takes it when it goes on next; one that sleeps is woken for it.
func (k *kernel) signal(t *thread, n uint64) uint64 {
	if n > signals {
		return einval
	}
	if n == 0 {
		return 0
	}
	if n == sigKILL {
		k.killed(n)
	}
	t.signal.pending |= 1 << (n - 1)
	if a := &k.actions[n]; t.state == sleeping && t.signal.mask>>(n-1)&1 == 0 && a.handler > ignoreHandler {
		t.futex = 0
		// Of the calls that are made again, that for events is not made again by itself (signal(7)).
		if t.retry && a.flags&flagRestart != 0 && t.call != sysEpollPwait {
			t.callAgain()
		} else {
			t.frame.ax = eintr
		}
		k.rouse(t)
	}
	if here := processorHere(); t.state == running && t.on != here.index {
		k.interrupt(k.cpus[t.on].id, vectorCall)
	}
	return 0
}

// kill sends a signal to the process: to the present thread, if it can take it, else to another.
func (k *kernel) kill(p *processor, n uint64) uint64 {
	t := k.current(p)
	for i := range k.threads {
		if n == 0 || n > signals || t.signal.mask>>(n-1)&1 == 0 {
			break
		}
		if other := &k.threads[i]; other.state != unused && other.signal.mask>>(n-1)&1 == 0 {
			t = other
		}
	}
	return k.signal(t, n)
}
