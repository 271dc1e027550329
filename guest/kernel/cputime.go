//go:build linux && amd64

package kernel

// The processor time of threads, and timers by it, with which package runtime/pprof samples: one of each thread
// (timer_create), and one of the process (setitimer). As on Linux (kernel/time/posix-cpu-timers.c) they are looked at when
// the local APIC's timer interrupts. That comes when the timer of the thread that runs has run out, so a sample is where the
// time went.

// The si_code of a signal that a timer of a thread, or that of the process, sends (include/uapi/asm-generic/siginfo.h).
const (
	codeTimer  = ^uint64(2) + 1 // SI_TIMER
	codeKernel = 0x80           // SI_KERNEL
)

// A usedTimer sends a signal when processor time has been used, which is counted in nanoseconds.
type usedTimer struct {
	made     bool
	signal   uint64
	next     uint64 // how much has been used when it runs out; 0 for never
	interval uint64 // until it runs out again; 0 for never
}

// set has the timer run out in so many nanoseconds; 0 is never.
func (u *usedTimer) set(used, value, interval uint64) {
	u.next, u.interval = 0, interval
	if value != 0 {
		u.next = used + value
	}
}

// left is how long it takes until the timer runs out; 0 for never.
func (u *usedTimer) left(used uint64) uint64 {
	if u.next == 0 {
		return 0
	}
	return max(u.next, used+1) - used
}

// ranOut says whether the timer has, and sets it for the next time.
func (u *usedTimer) ranOut(used uint64) bool {
	if u.next == 0 || used < u.next {
		return false
	}
	passed := used - u.next
	if u.next = 0; u.interval != 0 {
		u.next = used - passed%u.interval + u.interval
	}
	return true
}

// account adds what p has run its thread for, since it was last accounted, to what that thread has used.
func (k *kernel) account(p *processor) {
	now := k.now()
	spent := max(now, p.since) - p.since // two processors' counters may differ a little
	p.since += spent
	k.used += spent
	k.current(p).used += spent
}

// processTime is what all threads have used, those that run included.
func (k *kernel) processTime(p *processor) uint64 {
	k.account(p)
	all := k.used
	for i := range k.online {
		if q := k.cpus[i]; q.running != noThread {
			all += max(p.since, q.since) - q.since
		}
	}
	return all
}

// sample has timers that have run out send their signals to the thread that p's timer has interrupted.
func (k *kernel) sample(p *processor) {
	const other = 1 // than any time that setTick finds
	if p.tickAt != 0 {
		p.tickAt = other
	}
	t := k.current(p)
	if t.byUse.next == 0 && k.byUse.next == 0 {
		return
	}
	all := k.processTime(p)
	switch s := &t.signal; {
	case s.timed != 0: // one at a time; what has run out has, next time, too
	case t.byUse.ranOut(t.used):
		s.sendTimed(t.byUse.signal, codeTimer)
	case k.byUse.ranOut(all):
		s.sendTimed(k.byUse.signal, codeKernel)
	}
}

// sendTimed makes a timer's signal pending.
func (s *threadSignals) sendTimed(signal, code uint64) {
	s.pending |= 1 << (signal - 1)
	s.timed, s.timedCode = signal, code
}

// setTick has the processor's timer interrupt the thread that it goes on with when that one's own timer runs out, if that is
// before the end of its slice.
func (k *kernel) setTick(p *processor) {
	t := k.current(p)
	at := uint64(0)
	if left := t.byUse.left(t.used); left != 0 {
		at = p.since + left
	}
	if at == p.tickAt || k.timer.perMS == 0 {
		return
	}
	p.tickAt = at
	ns := uint64(slice)
	if now := k.now(); at != 0 {
		const late = 1000 // rather than early, when it would have to be set again
		ns = min(slice, max(at, now)-now+late)
	}
	k.tick(ns)
}
