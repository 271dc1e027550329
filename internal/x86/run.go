package x86

import (
	"errors"
	"fmt"
	"math"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An ExitKind says why [CPU.Run] came back.
type ExitKind uint8

// Reasons to come back from Run.
const (
	ExitDeadline    ExitKind = iota // virtual time has reached the deadline
	ExitHalted                      // HLT, and nothing to do before the next interrupt
	ExitTrap                        // RIP is at an entry point of [Traps]; GPA is its address
	ExitStopped                     // [CPU.Stop] was called; Err is its argument, or [ErrTimeUp] or another end of the processor's own
	ExitTripleFault                 // an exception during delivery of #DF
	ExitUser                        // about to execute the first instruction at CPL 3: [CPU.WatchUser]
	ExitFence                       // about to execute the first instruction outside the fence: [CPU.Fence]
	ExitBudget                      // as many instructions as [CPU.LimitInstructions] allows
	ExitBreak                       // RIP is at a breakpoint: [CPU.SetBreakpoints]
	ExitWatch                       // what [CPU.SetWatches] waits for was used, at GPA as Access says
	ExitStep                        // [CPU.Step] is done
	ExitPause                       // [CPU.Pause] was called
	ExitYield                       // [CPU.Yield] was called
)

// An Exit is how a stretch of execution ended.
type Exit struct {
	Kind   ExitKind
	GPA    uint64
	Access Access
	Err    error
}

// An UnsupportedError ends the run at something that guests may do on hardware and that is missing here.
type UnsupportedError struct {
	RIP   uint64
	What  string
	Bytes []byte // of the instruction, where one is at fault
}

func (e *UnsupportedError) Error() string {
	if len(e.Bytes) > 0 {
		return fmt.Sprintf("not implemented: %s at %#x (bytes % x)", e.What, e.RIP, e.Bytes)
	}
	return fmt.Sprintf("not implemented: %s at %#x", e.What, e.RIP)
}

// A BadTableError ends the run where a paging structure is not in memory.
type BadTableError struct {
	GPA, GVA uint64
}

func (e *BadTableError) Error() string {
	return fmt.Sprintf("the paging structure at %#x, on the way to %#x, is not in memory", e.GPA, e.GVA)
}

// Stop ends the run with err at the instruction under way, which does not complete. The first end counts.
func (c *CPU) Stop(err error) { c.leave(Exit{Kind: ExitStopped, Err: err}) }

// leave makes Run return e.
func (c *CPU) leave(e Exit) {
	if !c.exiting {
		c.exit, c.exiting = e, true
		c.limit.Store(0)
	}
}

// Halt makes the processor wait for an interrupt after the instruction under way.
func (c *CPU) Halt() {
	c.halted, c.wakes = true, false
	c.stopBehind()
}

// Resume ends the wait for an interrupt, as one does.
func (c *CPU) Resume() { c.halted = false }

// Wait is [CPU.Halt] by a hypercall: an interrupt that becomes pending ends it even while IF keeps it from being taken.
// The hypervisor does not see IF of a confidential guest, and Linux calls TDG.VP.VMCALL<Instruction.HLT> with IF clear.
func (c *CPU) Wait() {
	c.Halt()
	c.wakes = true
}

// Yield makes Run return ExitYield, once, in front of some instruction that comes soon: whatever the guest executes, that
// is a matter of milliseconds. Any goroutine may call it. It changes nothing for the guest but when Run comes back.
func (c *CPU) Yield() {
	c.yielding.Store(true)
	c.limit.Store(0)
}

// Yielding says whether Yield has been called and Run has not come back for it. Long work that is done for the processor
// between two instructions, and that cannot be taken up again, looks at it and ends with [ErrYield].
func (c *CPU) Yielding() bool { return c.yielding.Load() }

// ErrYield is how work ends that was given up because somebody called [CPU.Yield].
var ErrYield = errors.New("given up, because the run is to stop")

// Run executes until virtual time reaches deadline, in nanoseconds, or something else ends the stretch. What it leaves
// is exact: registers, time and the number of instructions are those at the boundary between two instructions.
//
// Processors over one memory take turns: Run may be called for one while no other's is under way.
func (c *CPU) Run(deadline int64) Exit {
	c.exiting, c.deadline = false, deadline
	c.protectCode()
	for {
		if c.raised {
			c.unused()
			if c.stuck() {
				return Exit{Kind: ExitStopped, Err: &FaultLoopError{RIP: c.RIP(), Last: c.pending}}
			}
			c.deliver()
			c.watch.entered = true
		}
		if c.exiting {
			c.exiting = false
			return c.exit
		}
		if c.traps != (traps{}) && c.debugTrap() {
			continue
		}
		if e, ok := c.watched(); ok {
			return e
		}
		if c.yielding.Load() && c.yielding.CompareAndSwap(true, false) {
			return Exit{Kind: ExitYield}
		}
		now := c.Now()
		c.APIC.advance(now)
		if c.nmiComes() && c.shadow != c.icount {
			c.acceptNMI()
			continue
		}
		if c.APIC.pending() {
			if c.rest&FlagIF != 0 && c.shadow != c.icount {
				c.acceptInterrupt()
				continue
			}
			if c.wakes {
				c.halted, c.wakes = false, false
			}
		}
		if c.announced8086() {
			c.raise(uop.VectorGP, 0)
			continue
		}
		switch {
		case now >= MaxTime:
			return Exit{Kind: ExitStopped, Err: ErrTimeUp}
		case now >= c.deadline:
			return Exit{Kind: ExitDeadline}
		}
		until := c.APIC.next(c.deadline)
		if c.halted {
			if until < c.deadline && c.TimerWakes() {
				c.Skip(until)
				continue
			}
			return Exit{Kind: ExitHalted}
		}
		c.finish = finishNot
		limit := c.icount + (uint64(until-now)+c.nsPerInsn-1)/c.nsPerInsn
		if c.watch.budget != 0 {
			limit = min(limit, c.watch.budget)
		}
		single := c.rest&FlagTF != 0
		if single || c.shadow == c.icount && (c.APIC.pending() || c.nmiComes() || c.traps.kept != 0) {
			limit = c.icount + 1
		}
		if c.watch.step {
			c.watch.most = limit
			limit = min(limit, max(c.watch.from.icount+c.watch.steps, c.icount+1))
		}
		if c.spins && !single && !c.watch.step && !c.watch.fenced && c.shadow != c.icount && c.looks() {
			if c.spin(limit); c.raised || c.exiting || c.finish != finishNot {
				continue
			}
		}
		c.limit.Store(limit)
		if c.yielding.Load() {
			continue // Yield came before its 0 could be seen
		}
		before := c.icount
		why := c.engine.run(c)
		if c.newTF == c.icount {
			single = c.rest&FlagTF != 0
		}
		if single && c.icount > before && why == stopLimit && !(c.shadow == c.icount && c.shadowSS) {
			c.traps.now |= dr6BS
		}
	}
}

// Shorten makes the deadline of the Run under way an earlier one, which is met after the instruction under way at the
// earliest: something has happened that other processors have to see soon.
func (c *CPU) Shorten(deadline int64) {
	if deadline < c.deadline {
		c.deadline = deadline
		c.stopBehind()
	}
}

// Deadline is the virtual time until which the last Run was to execute: what it was told, or what Shorten has made of that.
func (c *CPU) Deadline() int64 { return c.deadline }

// Waits says whether the processor waits for an interrupt.
func (c *CPU) Waits() bool { return c.halted }

// Never is a virtual time, in nanoseconds, that does not come.
const Never = math.MaxInt64

// Ready returns the virtual time, in nanoseconds, at which the processor goes on: that is now, where it does not wait or
// what it waits for has come; the expiry of its timer, where that will end its wait; or [Never], as long as nothing
// comes from outside.
func (c *CPU) Ready() int64 {
	switch now := c.Now(); {
	case !c.halted, c.nmiComes(), c.APIC.pending() && (c.rest&FlagIF != 0 || c.wakes):
		return now
	case c.TimerWakes():
		expiry, _ := c.APIC.NextEvent()
		return max(now, expiry)
	}
	return Never
}

// TimerWakes says whether the local APIC's timer can end the processor's wait: a periodic one that cannot would be
// waited for again and again.
func (c *CPU) TimerWakes() bool {
	return c.APIC.timerWakes() && (c.rest&FlagIF != 0 || c.wakes)
}

// Skip moves virtual time forward to t: a halted processor has nothing else to do.
func (c *CPU) Skip(t int64) {
	if d := t - c.Now(); d > 0 {
		c.wait(uint64(d))
	}
}

// acceptInterrupt takes the highest pending interrupt from the local APIC through the IDT.
func (c *CPU) acceptInterrupt() {
	c.halted = false
	c.Raise(Exception{Vector: c.APIC.acknowledge(), trap: true})
}
