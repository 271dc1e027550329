package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// An nmi is what is known of non-maskable interrupts on a processor (SDM vol. 3, 6.7).
type nmi struct {
	latched bool // one has come and has not been delivered; a second one is lost
	blocked bool // from the delivery of one to the next IRET
	held    bool // the platform keeps them off
}

// NMI requests a non-maskable interrupt: it is taken between two instructions, whatever IF and priorities are.
func (c *CPU) NMI() {
	c.nmi.latched = true
	c.stopBehind()
}

// HoldNMI keeps NMIs off, or no longer: the TDX module injects none while the information about a #VE has not been fetched.
func (c *CPU) HoldNMI(held bool) {
	c.nmi.held = held
	if c.nmi.latched {
		c.stopBehind()
	}
}

// UnblockNMI ends what the delivery of an NMI has begun: the next one can come. IRET does it, also one that faults, and an
// SEV-ES guest that tells the hypervisor.
func (c *CPU) UnblockNMI() {
	c.nmi.blocked = false
	if c.nmi.latched {
		c.stopBehind()
	}
}

// nmiComes says whether an NMI is to be taken, here or after the instruction that STI and MOV SS keep interrupts off for.
func (c *CPU) nmiComes() bool { return c.nmi.latched && !c.nmi.blocked && !c.nmi.held }

// acceptNMI takes it through the IDT. It ends a wait.
func (c *CPU) acceptNMI() {
	c.nmi.latched, c.nmi.blocked = false, true
	c.halted, c.wakes = false, false
	c.Raise(Interrupt(uop.VectorNMI))
}
