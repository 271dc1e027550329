package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// A bus lock is a locked access that caches cannot serve alone: one that is in two cache lines. (One to memory that is not
// cached is one, too; here all memory is.) Software that asks for it, in IA32_DEBUGCTL, has a #DB after each that it does at
// CPL 1 to 3 (SDM vol. 3, 18.3.1.6).
//
// It costs nothing before the first processor is asked. Then locked instructions are decoded anew, with a look at where they
// lock.

// dr6BusLock is 1 but after a bus lock.
const dr6BusLock = 1 << 11

type busLocks struct {
	known bool // software can ask for the #DB, and finds them in DR6
	told  bool // it has asked
}

// DetectBusLocks is bit 2 of IA32_DEBUGCTL.
func (c *CPU) DetectBusLocks(on bool) {
	c.busLocks.told = on
	if on && !c.code.busLocks {
		c.code.busLocks = true
		c.code.replace(func(*block) bool { return true })
	}
}

// lockedAt is uop.LockedAt: Aux bytes will be locked. Where the instruction does not complete, what is noted is forgotten.
func lockedAt(c *CPU, u *uop.Uop) bool {
	const line = 64
	if c.busLocks.told && c.cpl > 0 && c.ea(u)%line+uint64(u.Aux) > line {
		c.hit(dr6BusLock)
	}
	return true
}
