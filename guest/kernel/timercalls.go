//go:build linux && amd64

package kernel

// System calls about timers by processor time (cputime.go), as far as the Go runtime makes them: by other clocks there are none.

const (
	clockProcess = 2 // CLOCK_PROCESS_CPUTIME_ID (include/uapi/linux/time.h)
	clockThread  = 3 // CLOCK_THREAD_CPUTIME_ID

	perMicrosecond, perNanosecond = 1000, 1 // what the second number of a struct timeval or timespec counts
)

// timerCreate is timer_create, of a timer by the time of the thread that calls, which is signalled. A thread has one, whose
// number is the thread's.
func (k *kernel) timerCreate(p *processor, clock, event, id uint64) uint64 {
	// A struct sigevent: signal, how to notify, and whom (include/uapi/asm-generic/siginfo.h).
	const size, signal, how, whom, thread = 64, 8, 12, 16, 4 // SIGEV_THREAD_ID
	if event == 0 || clock != clockThread {
		return einval
	}
	if !k.reach(event, size, canRead) || !k.reach(id, 4, canWrite) {
		return efault
	}
	number := func(offset uint64) uint64 { return uint64(*(*uint32)(pointer(event + offset))) }
	n := number(signal)
	if n == 0 || n > signals || number(how) != thread || number(whom) != p.running+1 {
		return einval
	}
	t := k.current(p)
	if t.byUse.made {
		return eagain
	}
	t.byUse = usedTimer{made: true, signal: n}
	*(*uint32)(pointer(id)) = uint32(p.running)
	return 0
}

// timerOf returns the thread that has a timer; nil where there is no such timer.
func (k *kernel) timerOf(id uint64) *thread {
	if id >= maxThreads || !k.threads[id].byUse.made {
		return nil
	}
	return &k.threads[id]
}

// timerSettime is timer_settime.
func (k *kernel) timerSettime(p *processor, id, flags, from, old uint64) uint64 {
	t := k.timerOf(id)
	if t == nil || flags != 0 { // TIMER_ABSTIME is the only flag
		return einval
	}
	k.account(p)
	return k.setTimer(&t.byUse, t.used, from, old, perNanosecond)
}

// timerDelete is timer_delete. A signal that the timer has sent and that was not delivered goes with it.
func (k *kernel) timerDelete(id uint64) uint64 {
	t := k.timerOf(id)
	if t == nil {
		return einval
	}
	if s := &t.signal; s.timed == t.byUse.signal && s.timedCode == codeTimer {
		s.pending &^= 1 << (s.timed - 1)
		s.timed = 0
	}
	t.byUse = usedTimer{}
	return 0
}

// setitimer is about the timer of the process.
func (k *kernel) setitimer(p *processor, which, from, old uint64) uint64 {
	const byUse = 2 // ITIMER_PROF
	if which != byUse {
		return einval
	}
	k.byUse.signal = sigPROF
	return k.setTimer(&k.byUse, k.processTime(p), from, old, perMicrosecond)
}

// setTimer reads a struct itimerspec or itimerval, the interval and the time until it runs out first, and stores what was before
// in another.
func (k *kernel) setTimer(u *usedTimer, used, from, old, unit uint64) uint64 {
	const size = 32
	if from != 0 && !k.reach(from, size, canRead) || old != 0 && !k.reach(old, size, canWrite) {
		return efault
	}
	const second = 1_000_000_000
	left, interval := u.left(used), u.interval
	if from != 0 {
		for i := from; i < from+size; i += 16 {
			if *at(i) > 1<<32 || *at(i + 8) >= second/unit {
				return einval
			}
		}
		u.set(used, *at(from + 16)*second+*at(from + 24)*unit, *at(from)*second+*at(from + 8)*unit)
	}
	if old != 0 {
		*at(old), *at(old + 8) = interval/second, interval%second/unit
		*at(old + 16), *at(old + 24) = left/second, left%second/unit
	}
	return 0
}
