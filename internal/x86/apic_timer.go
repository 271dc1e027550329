package x86

import "math/bits"

// The local APIC's timer (SDM vol. 3, 11.5.4): it counts down from the initial count, once or again and again, or waits
// for the TSC to reach a deadline.

// APICTimerHz is the frequency of the timer before division where Config.TimerHz says no other: the crystal that CPUID leaf
// 0x15 tells of.
const APICTimerHz = 25_000_000

// Modes, in the timer's entry of the local vector table; without either bit it is one shot. Both are reserved, and
// count nothing (SDM vol. 3, figure 11-8).
const (
	apicPeriodic = 1 << 17
	apicDeadline = 1 << 18
)

// noTimer is the expiry of a timer that is not armed.
const noTimer = int64(^uint64(0) >> 1)

// next returns when the timer fires, or deadline where that is earlier.
func (a *LocalAPIC) next(deadline int64) int64 { return min(a.expiry, deadline) }

// NextEvent returns the virtual time, in nanoseconds, at which the timer fires; ok is false where it is not armed.
func (a *LocalAPIC) NextEvent() (ns int64, ok bool) { return a.expiry, a.expiry != noTimer }

// timerWakes says whether the timer, when it fires, ends a wait: whether its interrupt, or the error that a vector below
// 16 is, would be taken at the present priority. What the processor does about that while it waits is nothing.
func (a *LocalAPIC) timerWakes() bool {
	timer := a.lvt[lvtTimer]
	switch {
	case a.expiry == noTimer, timer&apicLVTMask != 0, a.svr&apicEnabled == 0:
		return false
	case timer&0xFF < 16:
		return a.errors&apicReceiveIllegal == 0 // an error interrupts once
	}
	return timer&0xFF>>4 > a.processorPriority()>>4
}

// advance fires the timer where it is due.
func (a *LocalAPIC) advance(now int64) {
	for a.expiry <= now {
		if timer := a.lvt[lvtTimer]; timer&apicLVTMask == 0 {
			a.Deliver(uint8(timer), false)
		}
		if a.timerMode() != apicPeriodic {
			a.expiry, a.ddl = noTimer, 0
			return
		}
		// Periods that passed unseen are one interrupt, since the request register has one bit; the next one keeps the
		// beat.
		period := a.duration(a.initial)
		a.expiry += period
		if a.expiry <= now {
			a.expiry += (now - a.expiry) / period * period
		}
	}
}

// duration converts timer counts to nanoseconds.
func (a *LocalAPIC) duration(count uint64) int64 {
	return int64(count * a.divisor() * (1_000_000_000 / a.timerHz))
}

// divisor is what the timer's input is divided by: bits 3, 1 and 0 count from 2 on, and all ones is 1 (SDM vol. 3,
// figure 11-10).
func (a *LocalAPIC) divisor() uint64 {
	n := a.divide&3 | a.divide>>1&4
	return 1 << ((n + 1) & 7)
}

// timerMode is 0 for one shot, apicPeriodic, apicDeadline, or both bits.
func (a *LocalAPIC) timerMode() uint64 { return a.lvt[lvtTimer] & (apicPeriodic | apicDeadline) }

// startTimer sets the initial count and counts down from there. In TSC-deadline mode the write is ignored (SDM vol. 3,
// 11.5.4.1).
func (a *LocalAPIC) startTimer(initial uint64) {
	if a.timerMode()&apicDeadline != 0 {
		return
	}
	a.initial, a.expiry = initial, noTimer
	if initial != 0 {
		a.expiry = a.now() + a.duration(initial)
	}
}

// current is the count: it falls by one at each tick, and is 0 when the timer fires.
func (a *LocalAPIC) current() uint64 {
	if a.expiry == noTimer || a.timerMode()&apicDeadline != 0 {
		return 0
	}
	left, tick := uint64(max(a.expiry-a.now(), 0)), a.divisor()*(1_000_000_000/a.timerHz)
	return (left + tick - 1) / tick
}

// armDeadline sets the timer for TSC-deadline mode: it fires when the TSC is not below the deadline, both taken as
// unsigned.
func (a *LocalAPIC) armDeadline(tsc uint64) {
	a.ddl, a.expiry = tsc, noTimer
	if tsc == 0 {
		return
	}
	now, ticks := a.now(), a.tsc()
	if tsc <= ticks {
		a.expiry = now
		return
	}
	hi, lo := bits.Mul64(tsc-ticks, 1_000_000_000)
	if hi >= a.hz {
		return // later than time goes
	}
	ns, rest := bits.Div64(hi, lo, a.hz)
	if rest != 0 {
		ns++
	}
	if ns < uint64(noTimer-now) {
		a.expiry = now + int64(ns)
	}
}
