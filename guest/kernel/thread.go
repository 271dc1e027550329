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
	on    uint64 // the index of the processor that it runs on
	call  uint64 // the system call that it makes, or made last
	futex uint64 // the address that it sleeps on, or what else it waits for; 0 for none
	wake  uint64 // when it wakes by itself, in nanoseconds since the start; 0 for never
	late  uint64 // what its system call returns then
	retry bool   // woken otherwise, it makes its system call again
	full  bool   // fx has its floating-point state; a system call keeps none, as the Go runtime expects none to be kept

	used  uint64 // processor time, in nanoseconds
	byUse usedTimer

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
	running // on a processor
	sleeping
)

const (
	maxThreads = 512
	noThread   = maxThreads

	never = ^uint64(0)

	// What a thread can wait for that is no address: an event of a file that it polls, a key, a lock on a file.
	waitEvent = 1
	waitInput = 2
	waitLock  = 3
)

func (k *kernel) current(p *processor) *thread { return &k.threads[p.running] }

// spawn makes a thread that goes on as f says, and returns its index; 0, which is the first thread's, where there are
// too many.
func (k *kernel) spawn(f *frame, fs, mask uint64) uint64 {
	for i := uint64(1); i < maxThreads; i++ {
		if t := &k.threads[i]; t.state == unused {
			t.frame, t.fs, t.futex, t.wake, t.full = *f, fs, 0, 0, false
			t.used, t.byUse = 0, usedTimer{}
			t.signal = threadSignals{mask: mask}
			k.threadsN = max(k.threadsN, i+1)
			k.rouse(t)
			return i
		}
	}
	return 0
}

// rouse makes a thread one that can run, and calls a processor for it that rests.
func (k *kernel) rouse(t *thread) {
	t.state = runnable
	k.summon()
}

// summon calls a processor that rests, if one does.
func (k *kernel) summon() {
	if k.online == 1 {
		return
	}
	for i := range k.online {
		if q := k.cpus[i]; q.idle {
			q.idle = false
			k.interrupt(q.id, vectorCall)
			return
		}
	}
}

// dispatch makes p go on with the next thread that can run, the present one last. While there is none the processor
// accepts memory, so that the next who needs some finds it, and then waits.
func (k *kernel) dispatch(p *processor) {
	if i := p.running; i != noThread {
		k.account(p)
		if t := &k.threads[i]; t.state == running {
			t.state = runnable
		}
		p.last, p.running = i, noThread
	}
	watched := false
	for {
		first, found := k.choose(p)
		if found {
			if watched || k.early { // another one has to look now when threads wake
				k.early = false
				k.summon()
			}
			return
		}
		watched = k.await(p, first)
		k.lookForInput()
	}
}

// choose has p run the next thread that can, and says whether there is one. Where there is none, first is when the first wakes
// by itself, never for none does.
func (k *kernel) choose(p *processor) (first uint64, found bool) {
	now := k.now()
	first = never
	waits := false
	for n := uint64(1); n <= k.threadsN; n++ {
		i := (p.last + n) % k.threadsN
		t := &k.threads[i]
		if t.state == sleeping && t.wake != 0 && now >= t.wake {
			t.futex = 0
			t.frame.ax = t.late
			t.state = runnable
		}
		if t.state == runnable {
			p.since = now
			k.switchTo(p, i)
			return now, true
		}
		if t.state == sleeping && t.wake != 0 {
			first = min(first, t.wake)
		}
		if t.state == sleeping && t.futex == waitInput {
			first = min(first, now+longRest) // there is no interrupt
		}
		waits = waits || t.state == sleeping && (t.wake != 0 || t.futex == waitInput) || t.state == running
	}
	if !waits {
		k.fatal(errAsleep)
	}
	return first, false
}

// await lets p rest until it is called, or the first thread wakes by itself; it says whether p was to look when that is. One
// does for all, and those that come to rest after it do not have to.
func (k *kernel) await(p *processor, first uint64) (watched bool) {
	now := k.now()
	k.early = false
	ns := uint64(deepRest)
	if first < k.watch || k.online == 1 {
		k.watch, watched = first, true
		ns = min(first-min(now, first), longRest)
	}
	p.idle = true
	ahead := !k.settled
	if ahead {
		k.accepting++
	}
	k.unlock()
	more := ahead && k.idle(p)
	if ahead {
		k.acquire(p)
		k.accepting--
		more = more || !p.idle // it has been called
		if !more {
			k.unlock()
		}
	}
	if !more {
		k.rest(ns)
		p.tickAt = 0
		k.acquire(p)
	}
	p.idle = false
	if watched {
		k.watch = never
	}
	return watched
}

func (k *kernel) switchTo(p *processor, i uint64) {
	t := &k.threads[i]
	t.state, t.on = running, p.index
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
		k.early = k.early || t.wake < k.watch
	}
}

// sleepAgain is sleep for a system call that is made again when the thread is woken, to find what has changed.
func (k *kernel) sleepAgain(p *processor, what uint64, ns int64, late uint64) {
	k.sleep(p, what, ns, late)
	k.current(p).retry = true
}

// wake wakes up to n threads that sleep on futex.
func (k *kernel) wake(futex, n uint64) (woken uint64) {
	for i := range k.threadsN {
		t := &k.threads[i]
		if t.state != sleeping || t.futex != futex || woken >= n {
			continue
		}
		t.futex = 0
		t.frame.ax = 0
		k.rouse(t)
		if t.retry {
			t.callAgain()
		}
		woken++
	}
	return woken
}

// callAgain has the thread go on by making its system call once more.
func (t *thread) callAgain() {
	const length = 2 // of SYSCALL
	t.frame.ax, t.frame.ip = t.call, t.frame.ip-length
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
	if t := k.current(p); t.signal.fault == 0 {
		if t.frame.vector == vectorTimer {
			k.sample(p)
		}
		k.dispatch(p)
	}
	k.leave(p)
	k.goBack(p)
}

// leave is what is left to do before the thread that runs goes on.
func (k *kernel) leave(p *processor) {
	t := k.current(p)
	k.deliver(t)
	k.setTick(p)
	if p.fx = 0; t.full {
		p.fx = t.fxArea()
	}
}
