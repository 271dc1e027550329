package x86

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// A bus lock is a locked access that caches cannot serve alone: one that is in two cache lines, and any one to memory that is not
// write-back (Linux, Documentation/arch/x86/buslock.rst). Software that asks for it, in IA32_DEBUGCTL, has a #DB after each that it
// does at CPL 1 to 3 (SDM vol. 3, 18.3.1.6).
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
	if !c.busLocks.told || c.cpl == 0 {
		return true
	}
	va, n := c.ea(u), uint64(u.Aux)
	locked := va%line+n > line
	if !locked && !c.cached(va) && !c.writeBack(va) {
		// What the access needs is asked for here, so that its plane is known.
		if !c.natural(va, int(n)) || !c.claim(va, int(n)) {
			return false
		}
		p, ok := c.reach(va, Write)
		locked = ok && p.frame.Plane() == physical.Shared
	}
	if locked {
		c.hit(dr6BusLock)
	}
	return true
}

// cached says whether the TLB knows a page of the private plane at va, which is write-back memory. Code of the translator asks
// nobody then.
func (c *CPU) cached(va uint64) bool {
	e := &c.tlb.cur[va>>mem.PageShift%tlbSize]
	return e.write.page() == va&^pageMask && e.frame().Plane() == physical.Private
}
