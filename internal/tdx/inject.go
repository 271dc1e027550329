package tdx

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
)

// What a VMM can have the TD take: interrupts that it posts to the virtual APIC, of vectors above 30, and NMIs
// (TDX module base architecture, "Interrupt handling and APIC virtualization"; TDH.VP.WR of PEND_NMI).

const (
	vectorNMI   = 2
	firstPosted = 31
)

// Interrupt posts an interrupt, which the TD takes when its IF and its APIC let it, or makes an NMI pending where the vector
// is 2.
func (m *Module) Interrupt(c *x86.CPU, vector uint8) error {
	switch {
	case vector == vectorNMI && !c.Inject(x86.Interrupt(vector)):
		return fmt.Errorf("PEND_NMI: another event is to be delivered already")
	case vector == vectorNMI:
	case vector < firstPosted:
		return fmt.Errorf("posted interrupt: the module takes none of vector %d", vector)
	default:
		c.APIC.Deliver(vector, false)
	}
	return nil
}

// Exception is refused: the fields by which a VMM would enter a guest with an exception are the module's.
func (m *Module) Exception(_ *x86.CPU, e x86.Exception) error {
	return fmt.Errorf("the TDX module lets no VMM inject %v", e)
}
