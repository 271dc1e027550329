//go:build linux && amd64

package kernel

import "unsafe"

// A frame is what trapped and syscalled (entry_amd64.s) push of a program or of the kernel, the last pushed first.
type frame struct {
	r15, r14, r13, r12, r11, r10, r9, r8 uint64
	bp, di, si, dx, cx, bx, ax           uint64
	vector, code                         uint64
	ip, cs, flags, sp, ss                uint64
}

// A thread is what clone makes: the Go runtime's Ms. It gives the processor back in system calls, and, where there is a
// timer, when its time is up.
type thread struct {
	frame frame
	fs    uint64 // FS base
	state uint64
	call  uint64 // the system call that it makes, or made last
	futex uint64 // the address that it sleeps on, or what else it waits for; 0 for none
	wake  uint64 // when it wakes by itself, in nanoseconds since the start; 0 for never
	late  uint64 // what its system call returns then
	retry bool   // woken otherwise, it makes its system call again
	full  bool   // fx has its floating-point state; a system call keeps none, as the Go runtime expects none to be kept

	signal threadSignals
	fx     [fxSize + 8]byte // what FXSAVE stores, from a multiple of 16 on
}

const fxSize = 512

// fxArea is where fx begins, a multiple of 16.
func (t *thread) fxArea() uint64 { return (uint64(uintptr(unsafe.Pointer(&t.fx))) + 15) &^ 15 }

// clearFX gives the thread the floating-point state that a program begins with.
func (t *thread) clearFX() {
	const control, mxcsr = 0x37F, 0x1F80 // SDM vol. 3, table 11-1; System V ABI, AMD64 supplement, section 3.4.1
	zero(t.fxArea(), fxSize)
	*at(t.fxArea()), *at(t.fxArea() + 24) = control, mxcsr
}

// States of a thread.
const (
	unused = iota
	runnable
	sleeping
)

const (
	maxThreads = 256

	// What a thread can wait for that is no address: an event of a file that it polls, a key.
	waitEvent = 1
	waitInput = 2
)

func (k *kernel) current(p *processor) *thread { return &k.threads[p.running] }

// spawn makes a thread that goes on as f says, and returns its index; 0, which is the first thread's, where there are
// too many.
func (k *kernel) spawn(f *frame, fs, mask uint64) uint64 {
	for i := uint64(1); i < maxThreads; i++ {
		if t := &k.threads[i]; t.state == unused {
			t.frame, t.fs, t.state, t.futex, t.wake, t.full = *f, fs, runnable, 0, 0, false
			t.signal = threadSignals{mask: mask}
			return i
		}
	}
	return 0
}

// dispatch makes p go on with the next thread that can run, the present one last. While there is none the processor
// accepts memory, so that the next who needs some finds it, and then waits.
func (k *kernel) dispatch(p *processor) {
	for {
		now := k.now()
		first := ^uint64(0) // when the first wakes by itself
		waits := false
		for n := uint64(1); n <= maxThreads; n++ {
			i := (p.running + n) % maxThreads
			t := &k.threads[i]
			if t.state == sleeping && t.wake != 0 && now >= t.wake {
				t.state, t.futex = runnable, 0
				t.frame.ax = t.late
			}
			if t.state == runnable {
				k.switchTo(p, i)
				return
			}
			if t.state == sleeping && t.wake != 0 {
				first = min(first, t.wake)
			}
			waits = waits || t.state == sleeping && (t.wake != 0 || t.futex == waitInput)
		}
		if !waits {
			k.fatal(errAsleep)
		}
		if !k.idle(p) {
			k.rest(first - now)
		}
		k.lookForInput()
	}
}

func (k *kernel) switchTo(p *processor, i uint64) {
	t := &k.threads[i]
	p.running, p.threadFS = i, t.fs
	p.frameEnd = uint64(uintptr(unsafe.Pointer(&t.frame))) + uint64(unsafe.Sizeof(t.frame))
}

// sleep puts the present thread to sleep, which begins when its system call has been served: until somebody wakes those who sleep on futex, or, where ns is not negative,
// so many nanoseconds have passed, after which its system call returns late.
func (k *kernel) sleep(p *processor, futex uint64, ns int64, late uint64) {
	t := k.current(p)
	t.state, t.futex, t.wake, t.late, t.retry = sleeping, futex, 0, late, false
	if ns >= 0 {
		t.wake = max(k.now()+uint64(ns), 1)
	}
}

// sleepAgain is sleep for a system call that is made again when the thread is woken, to find what has changed.
func (k *kernel) sleepAgain(p *processor, what uint64, ns int64, late uint64) {
	k.sleep(p, what, ns, late)
	k.current(p).retry = true
}

// wake wakes up to n threads that sleep on futex.
func (k *kernel) wake(futex, n uint64) (woken uint64) {
	for i := range k.threads {
		t := &k.threads[i]
		if t.state != sleeping || t.futex != futex || woken >= n {
			continue
		}
		t.state, t.futex = runnable, 0
		t.frame.ax = 0
		if t.retry {
			const length = 2 // of SYSCALL
			t.frame.ax, t.frame.ip = t.call, t.frame.ip-length
		}
		woken++
	}
	return woken
}

// keep stores what an exception has interrupted in the record of the thread that runs, from where another can go on
// first, and a signal can be delivered.
func (k *kernel) keep(p *processor, f *frame, fx uint64) *thread {
	t := k.current(p)
	t.frame, t.full = *f, true
	move(t.fxArea(), fx, fxSize)
	return t
}

// serveThread goes on with a thread: the one that was kept, or another where its time is up.
//
//lint:ignore U1000 entry_amd64.s calls it
func serveThread() {
	p := processorHere()
	if k.current(p).signal.fault == 0 {
		k.dispatch(p)
	}
	k.leave(p)
}

// leave is what is left to do before the thread that runs goes on.
func (k *kernel) leave(p *processor) {
	t := k.current(p)
	k.deliver(t)
	if p.fx = 0; t.full {
		p.fx = t.fxArea()
	}
}
