package attack

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// What passes between a guest's processors goes through its host: interrupts, since a guest's local APIC is the host's as far as
// sending is concerned, and the first instruction of each, since it is the host that runs them.

const (
	msrICR = 0x830 // the interrupt command register, in x2APIC mode

	icrMode      = 7 << 8
	icrShorthand = 3 << 18
	icrSelf      = 1 << 18
	icrNMI       = 4 << 8
)

// sends hears of a write to the interrupt command register, and says whether it has dealt with it.
func (h *Host) sends(c *x86.CPU, index uint32, value uint64) bool {
	if !h.begun || h.tactic.ipi == nil || index != msrICR || value&icrShorthand == icrSelf {
		return false
	}
	if mode := value & icrMode; mode != 0 && mode != icrNMI {
		return false
	}
	return h.tactic.ipi(h, c, value)
}

// dropIPI loses interrupts between processors.
func dropIPI(h *Host, c *x86.CPU, _ uint64) bool {
	if !h.from() {
		return false
	}
	h.step(c, "lost interrupts between processors", nil)
	return true
}

// astray sends them back to who has sent them.
func astray(h *Host, c *x86.CPU, value uint64) bool {
	if !h.from() {
		return false
	}
	h.step(c, "delivered interrupts between processors to the one that sends them", nil)
	h.honest.WriteMSR(c, msrICR, value&^icrShorthand|icrSelf)
	return true
}

// lateEvery is one of how many is late: each costs a tick, where its sender waits for the answer.
const lateEvery = 64

// lateIPI keeps some back until their sender exits again.
func lateIPI(h *Host, c *x86.CPU, value uint64) bool {
	if h.kept.some || !h.from() || (h.count-h.attack.N)%lateEvery != 0 {
		return false
	}
	h.step(c, "kept interrupts between processors back until their sender exited again", nil)
	h.kept = keptIPI{true, c.ID(), value}
	return true
}

// twiceIPI sends them, and again when their sender exits again.
func twiceIPI(h *Host, c *x86.CPU, value uint64) bool {
	if h.kept.some || !h.from() {
		return false
	}
	h.step(c, "delivered interrupts between processors twice", nil)
	h.kept = keptIPI{true, c.ID(), value}
	return false
}

// A keptIPI is an interrupt between processors that the host has yet to send.
type keptIPI struct {
	some  bool
	cpu   int // that sends it
	value uint64
}

// sendsKept sends it.
func sendsKept(h *Host, c *x86.CPU) {
	if k := h.kept; k.some && k.cpu == c.ID() {
		h.kept = keptIPI{}
		h.honest.WriteMSR(c, msrICR, k.value)
	}
}

// Runs says whether the host runs a processor that the guest wants to begin. In a TD it is only that which is the host's: where
// it begins is in the guest's own memory.
func (h *Host) Runs(c *x86.CPU) bool {
	if !h.begun || !h.tactic.holds || !h.from() {
		return true
	}
	h.step(c, "did not run a processor that the guest had started", nil)
	return false
}

// StartProcessor starts a processor of an SEV-SNP guest's, or says that it has. See [snp.Starter].
func (h *SNP) StartProcessor(c *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error {
	h.exits(c)
	switch {
	case h.tactic.holds:
		if !h.Runs(c) {
			return nil
		}
	case h.begun && h.tactic.start != nil:
		return h.tactic.start(h.Host, c, id, vmsa, start)
	}
	return start(id, vmsa)
}

// twoFromOne runs the processor, and the one that has started it from the same VMSA.
func twoFromOne(h *Host, c *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error {
	if err := start(id, vmsa); err != nil || !h.once() {
		return err
	}
	h.step(c, fmt.Sprintf("ran two processors from the VMSA at %#x", vmsa), start(c.ID(), vmsa))
	return nil
}

// fromAnother runs it from another page of the guest's than that of its VMSA.
func fromAnother(h *Host, c *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error {
	if !h.once() {
		return start(id, vmsa)
	}
	other := vmsa ^ mem.PageSize
	h.step(c, fmt.Sprintf("ran a processor from the page at %#x, and its VMSA is at %#x", other, vmsa), start(id, other))
	return nil
}

// An olderVMSA is from where a processor runs, and from where it ran before the guest had it begin anew: 0 for nowhere.
type olderVMSA struct {
	cpu        int
	at, before uint64
}

// runs notes from where the last processor runs that the guest has started.
func runs(h *Host, _ *x86.CPU, id int, vmsa uint64, start func(id int, vmsa uint64) error) error {
	err := start(id, vmsa)
	if o := h.older; err == nil && o.cpu == id && o.at != vmsa && h.once() {
		h.older.before = o.at
	}
	if err == nil {
		h.older.cpu, h.older.at = id, vmsa
	}
	return err
}

// runsAgain runs it from where it ran before, once the guest has gone on: when that has had time to take the mark from the page.
func runsAgain(h *Host, c *x86.CPU) {
	o := h.older
	if o.before == 0 || c.ID() == o.cpu {
		return
	}
	h.older.before = 0
	g, ok := h.guest.(interface {
		RunFrom(id int, vmsa uint64) error
	})
	if !ok {
		return
	}
	err := g.RunFrom(o.cpu, o.before)
	h.step(c, fmt.Sprintf("ran a processor from an older VMSA of its, at %#x", o.before), err)
	if err == nil {
		h.deceived("the guest has left a processor's older VMSA marked, at %#x, and its host runs it from there", o.before)
	}
}
