package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
)

// What a VMM can have the guest take when it enters it: EVENTINJ of the VMCB (APM 15.20). That is for guests without
// restricted and without alternate injection (APM 15.36.15, 15.36.16), as those of KVM are: there the VMM chooses freely.

const (
	vectorNMI  = 2
	exceptions = 32 // vectors below are those of exceptions
)

// Interrupt injects an external interrupt, or an NMI where the vector is 2. The guest's IF is not asked.
func (p *Platform) Interrupt(c *x86.CPU, vector uint8) error { return inject(c, x86.Interrupt(vector)) }

// Exception injects an exception that no instruction has raised.
func (p *Platform) Exception(c *x86.CPU, e x86.Exception) error {
	if e.Vector >= exceptions || e.Vector == vectorNMI {
		return fmt.Errorf("EVENTINJ: vector %d is that of no exception", e.Vector)
	}
	return inject(c, e)
}

func inject(c *x86.CPU, e x86.Exception) error {
	if !c.Inject(e) {
		return fmt.Errorf("EVENTINJ: another event is to be delivered already")
	}
	return nil
}
