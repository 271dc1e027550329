package firmware

import (
	"math"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is what a timer interrupt is on silicon: notification functions of timers run while a program does something else,
// and HLT ends.

const (
	tickNS  = 10_000_000 // ns from one tick to the next, as EDK2's timer has them; a processor that waits is woken by each
	retryNS = 1_000_000  // ns after which a tick is tried again that could not be, with interrupts off
)

// NextTick returns the virtual time at which [Firmware.Tick] has something to do, in nanoseconds; [x86.Never] where it has not.
// Halted says that the processor waits.
func (f *Firmware) NextTick(now int64, halted bool) int64 {
	if f.exited || len(f.frames) == 0 {
		return x86.Never
	}
	next := int64(x86.Never)
	for i := range f.events {
		if e := &f.events[i]; e.armed && e.has(uefi.EventNotifySignal) {
			next = min(next, e.due)
		}
	}
	if f.watchdog != 0 {
		next = min(next, f.watchdog)
	}
	if next = min(next, f.nextDeadline()); f.notifies() {
		next = now // another processor has ended what it had to do
	}
	if next = max(next, f.retry); halted {
		next = min(next, (now/tickNS+1)*tickNS)
	}
	return next
}

// Tick runs what is due by timers, and wakes the processor where it waits, where interrupts are on. It is called for the first
// processor, between two instructions, at the time that [Firmware.NextTick] has said. An error is the end of the run.
func (f *Firmware) Tick(c *x86.CPU) error { return f.interrupt(x86CPU{c}) }

func (f *Firmware) interrupt(cpu processor) error {
	defer f.sized()
	f.cpu = cpu
	now := cpu.Now()
	if f.exited || len(f.frames) == 0 {
		return nil
	}
	if err := f.watch(); err != nil {
		return err
	}
	if err := f.tickJobs(); err != nil {
		return err
	}
	if cpu.Flags()&flagIF == 0 || !cpu.Long() {
		f.retry = now + retryNS
		return nil
	}
	cpu.Resume()
	f.tick()
	ran, err := f.notifyNext()
	if f.retry = 0; !ran {
		f.retry = now + retryNS
	}
	return err
}

// watch ends the run where the watchdog has not been heard of for too long.
func (f *Firmware) watch() error {
	if f.watchdog == 0 || f.cpu.Now() < f.watchdog {
		return nil
	}
	return &Reset{Type: uefi.ResetCold, Status: uefi.Timeout, Text: "the watchdog timer has expired"}
}

// bootTimeout is how long what the boot manager starts has by the watchdog, in nanoseconds (UEFI 2.10, section 3.1.2).
const bootTimeout = 5 * 60 * 1_000_000_000

// setWatchdogTimer(Timeout, WatchdogCode, DataSize, *WatchdogData)
func (f *Firmware) setWatchdogTimer(a args) error {
	const most = math.MaxInt64 / 4 / 1_000_000_000
	f.watchdog = 0
	if a[0] != 0 {
		f.watchdog = f.cpu.Now() + int64(min(a[0], most))*1_000_000_000
	}
	return nil
}
