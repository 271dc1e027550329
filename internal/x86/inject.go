package x86

// Interrupt is an interrupt from outside, for which no instruction of the program is to blame: whatever its vector, it
// pushes no error code, and makes no double fault with what comes during its delivery (SDM vol. 3, table 6-4).
func Interrupt(vector uint8) Exception { return Exception{Vector: vector, trap: true} }

// Inject has an event delivered in front of the next instruction, as a hypervisor does that enters its guest with one:
// IF and priorities are not asked (APM vol. 2, 15.20). It is for the time between two instructions, when [CPU.Run] has
// come back. It returns false where another event is to be delivered there already.
func (c *CPU) Inject(e Exception) bool {
	if c.raised {
		return false
	}
	c.Raise(e)
	return c.raised
}
