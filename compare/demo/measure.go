package demo

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// Init is when the guest's program started, in virtual nanoseconds; 0 where it did not.
func (r *Result) Init() int64 {
	if ns := r.Record.VirtualNS.Init; ns != nil {
		return *ns
	}
	return 0
}

// Lost is memory that the guest was given and can never use, in bytes: it has not been accepted, and the guest keeps no
// book in which it stands as still to be accepted. A guest without such a book has never heard of unaccepted memory.
func (r *Result) Lost() uint64 {
	steps := r.Record.Guest.Steps
	if len(steps) == 0 {
		return 0
	}
	return lost(steps[len(steps)-1])
}

func lost(s record.Step) uint64 {
	if s.BitmapSet == nil {
		return s.Unaccepted
	}
	return s.Unaccepted - min(*s.BitmapSet, s.Unaccepted)
}

// Left is what was not accepted when the guest ended, in bytes.
func (r *Result) Left() uint64 {
	if n := r.Record.Acceptance.UnacceptedAtEnd; n != nil {
		return *n
	}
	return 0
}

// BySystem is what the operating system accepted, before and after it had left boot services, in bytes.
func (r *Result) BySystem() uint64 {
	return r.Record.Acceptance.By.Stub.Bytes + r.Record.Acceptance.By.Kernel.Bytes
}

// ByFirmware is what firmware accepted, in bytes.
func (r *Result) ByFirmware() uint64 { return r.Record.Acceptance.By.Firmware.Bytes }

// outOfMemory is what tacit's own guest writes when it gives up for want of memory; the architectures have no word for
// it.
const outOfMemory = "out of memory"

// End says how the guest ended, in a word or three.
func (r *Result) End() string {
	switch o := r.Record.Outcome; {
	case o == record.PowerOff:
		return "switched off"
	case o == record.GuestPanic && strings.Contains(r.Console, outOfMemory):
		return outOfMemory
	default:
		return string(o)
	}
}

// otherwise says that the guest did not end as expected.
func (r *Result) otherwise() error {
	why := ""
	if d := r.Record.Diagnosis; d != nil {
		why = ": " + d.Summary
	}
	return fmt.Errorf("it ended with %s%s", r.Record.Outcome, why)
}

// Last is the guest's memory at the last instant that is known.
func (r *Result) Last() Bar {
	b := Bar{Memory: r.Record.MemoryBytes, Accepted: r.Record.MemoryBytes - min(r.Left(), r.Record.MemoryBytes), Lost: r.Lost()}
	if steps := r.Record.Guest.Steps; len(steps) > 0 {
		b.Held = held(steps[len(steps)-1])
	}
	return b
}

// held is what the guest's program holds.
func held(s record.Step) uint64 {
	if s.MemInfo == nil || s.MemInfo.Program == nil {
		return 0
	}
	return *s.MemInfo.Program
}
