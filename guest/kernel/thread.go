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

// A thread is what clone makes: the Go runtime's Ms. It gives the processor back in system calls only.
type thread struct {
	frame frame
	fs    uint64 // FS base
	state uint64
	futex uint64 // the address that it sleeps on, or waitEvent; 0 for none
	wake  uint64 // when it wakes by itself, in nanoseconds since the start; 0 for never
	late  uint64 // what its system call returns then

	signal signalStack
}

// States of a thread.
const (
	unused = iota
	runnable
	sleeping
)

const (
	maxThreads = 256

	// waitEvent is the futex of a thread that waits for an event of the one event file; it is no real address.
	waitEvent = 1
)

func (k *kernel) current(p *processor) *thread { return &k.threads[p.running] }

// spawn makes a thread that goes on as f says, and returns its index; 0, which is the first thread's, where there are
// too many.
func (k *kernel) spawn(f *frame, fs uint64) uint64 {
	for i := uint64(1); i < maxThreads; i++ {
		if t := &k.threads[i]; t.state == unused {
			*t = thread{frame: *f, fs: fs, state: runnable}
			return i
		}
	}
	return 0
}

// dispatch makes p go on with the next thread that can run, the present one last. While there is none the processor
// accepts memory, so that the next who needs some finds it.
func (k *kernel) dispatch(p *processor) {
	for {
		now := k.now()
		waits := false // somebody wakes by himself
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
			waits = waits || t.state == sleeping && t.wake != 0
		}
		if !waits {
			k.fatal(errAsleep)
		}
		if !k.idle(p) {
			pause()
		}
	}
}

func (k *kernel) switchTo(p *processor, i uint64) {
	t := &k.threads[i]
	p.running, p.threadFS = i, t.fs
	p.frameEnd = uint64(uintptr(unsafe.Pointer(&t.frame))) + uint64(unsafe.Sizeof(t.frame))
}

// sleep puts the present thread to sleep: until somebody wakes those who sleep on futex, or, where ns is not negative,
// so many nanoseconds have passed, after which its system call returns late.
func (k *kernel) sleep(p *processor, futex uint64, ns int64, late uint64) {
	t := k.current(p)
	t.state, t.futex, t.wake, t.late = sleeping, futex, 0, late
	if ns >= 0 {
		t.wake = max(k.now()+uint64(ns), 1)
	}
	k.dispatch(p)
}

// wake wakes up to n threads that sleep on futex.
func (k *kernel) wake(futex, n uint64) (woken uint64) {
	for i := range k.threads {
		if t := &k.threads[i]; t.state == sleeping && t.futex == futex && woken < n {
			t.state, t.futex = runnable, 0
			t.frame.ax = 0
			woken++
		}
	}
	return woken
}
