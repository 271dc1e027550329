package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// crKeep is what each control register may hold: the features that are announced.
const (
	cr0Keep = CR0PE | CR0MP | CR0EM | CR0TS | CR0ET | CR0NE | CR0WP | CR0AM | CR0NW | CR0CD | CR0PG
	cr4Keep = CR4VME | CR4PVI | CR4TSD | CR4DE | CR4PSE | CR4PAE | CR4MCE | CR4PGE | CR4PCE | CR4OSFXSR | CR4OSXMMEXCPT | CR4UMIP |
		CR4FSGSBASE | CR4PCIDE | CR4OSXSAVE | CR4SMEP | CR4SMAP
	eferKeep = EFERSCE | EFERLME | EFERLMA | EFERNXE
)

// cr4Keep is what CR4 may hold.
func (c *CPU) cr4Keep() uint64 {
	if c.la57 {
		return cr4Keep | CR4LA57
	}
	return cr4Keep
}

func moveFromCR(c *CPU, u *uop.Uop) bool {
	var v uint64
	switch u.Aux {
	case 0:
		v = c.cr0
	case 2:
		v = c.cr2
	case 3:
		v = c.cr3
	case 4:
		v = c.cr4
	case 8:
		v = c.APIC.taskPriority() >> 4
	}
	c.R[u.Dst%uop.Slots] = v
	return true
}

func moveToCR(c *CPU, u *uop.Uop) bool {
	v := c.R[u.Src%uop.Slots]
	switch u.Aux {
	case 0:
		return c.writeCR0(v)
	case 2:
		c.cr2 = v
	case 3:
		return c.writeCR3(v)
	case 4:
		return c.writeCR4(v)
	case 8:
		if v > 15 {
			return c.raise(uop.VectorGP, 0)
		}
		c.APIC.setTaskPriority(v << 4)
		c.stopBehind()
	}
	return true
}

// guarded asks the platform about a control register write. done says that the instruction has ended, one way or the
// other.
func (c *CPU) guarded(which int, v uint64) (done, ok bool) {
	switch c.platform.WriteCR(c, which, v) {
	case Native:
		return false, true
	case Done:
		return true, true
	}
	return true, false
}

// Takes says whether the processor takes a value for CR0 (0), CR4 (4) or EFER ([GuardEFER]) as things are; otherwise
// the write raises #GP (SDM vol. 3, 2.5 and 10.8.5: in 64-bit mode paging cannot be turned off, nor long mode turned on
// from a segment that would be 64-bit code).
// The platform is asked first, since a hypervisor's interest in a write comes before what is wrong with the value (SDM
// vol. 3, 26.1.1).
func (c *CPU) Takes(which int, v uint64) bool {
	switch which {
	case 0:
		return v>>32 == 0 && (v&CR0PG == 0 || v&CR0PE != 0) && (v&CR0NW == 0 || v&CR0CD != 0) && c.takesPaging(v&CR0PG != 0)
	case 4:
		return v&^c.cr4Keep() == 0 && (!c.longMode() || v&CR4PAE != 0 && (v^c.cr4)&CR4LA57 == 0) &&
			(v&CR4PCIDE == 0 || c.cr4&CR4PCIDE != 0 || c.longMode() && c.cr3&0xFFF == 0)
	}
	return v&^c.eferKeep == 0 && ((v^c.efer)&EFERLME == 0 || c.cr0&CR0PG == 0)
}

// takesPaging says whether paging can be turned on or off, as CR0 will have it.
func (c *CPU) takesPaging(on bool) bool {
	long := c.seg[uop.SegCS].Attr&segLong != 0
	switch was := c.cr0&CR0PG != 0; {
	case on && !was && c.efer&EFERLME != 0:
		return c.cr4&CR4PAE != 0 && !long && c.tr.Attr&descriptorTypes&^2 != typeTSS16
	case !on && was:
		return !c.wide() && c.cr4&CR4PCIDE == 0
	}
	return true
}

func (c *CPU) writeCR0(v uint64) bool {
	if done, ok := c.guarded(0, v); done {
		return ok
	}
	if !c.Takes(0, v) {
		return c.raise(uop.VectorGP, 0)
	}
	v = v&cr0Keep | CR0ET
	old := c.cr0
	if v&CR0PG != 0 && c.efer&EFERLME == 0 && (old^v)&(CR0PG|CR0CD|CR0NW) != 0 && c.cr4&CR4PAE != 0 && !c.loadPDPTEs(c.cr3) {
		return false
	}
	c.cr0 = v
	if (old^v)&CR0PG != 0 {
		c.efer &^= EFERLMA
		if v&CR0PG != 0 && c.efer&EFERLME != 0 {
			c.efer |= EFERLMA
		}
	}
	if (old^v)&(CR0WP|CR0PG|CR0PE) != 0 {
		c.flushTLB()
	}
	c.mode = c.codeMode()
	return true
}

// writeCR3 loads the page table's base. With PCIDs, bit 63 asks to keep translations; there is nothing to load then but
// to keep what is global, which is allowed.
func (c *CPU) writeCR3(v uint64) bool {
	if c.cr4&CR4PCIDE != 0 {
		v &^= 1 << 63
	}
	if v&c.platform.ReservedBits()&pteAddr != 0 || v>>52 != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	if c.pagingPAE() && !c.loadPDPTEs(v) {
		return false
	}
	c.cr3 = v
	c.flushNonGlobal()
	return true
}

func (c *CPU) writeCR4(v uint64) bool {
	if done, ok := c.guarded(4, v); done {
		return ok
	}
	if !c.Takes(4, v) {
		return c.raise(uop.VectorGP, 0)
	}
	old := c.cr4
	c.cr4 = v
	if (old^v)&(CR4PAE|CR4PSE|CR4PGE|CR4SMEP) != 0 && c.pagingPAE() && !c.loadPDPTEs(c.cr3) {
		c.cr4 = old
		return false
	}
	if (old^v)&(CR4PGE|CR4PSE|CR4PAE|CR4SMEP|CR4SMAP|CR4PCIDE|CR4LA57) != 0 {
		c.flushTLB()
	}
	c.arm()
	c.mode = c.codeMode()
	return true
}

// writeEFER is WRMSR of IA32_EFER. LMA follows LME when paging changes, which it does not here.
func (c *CPU) writeEFER(v uint64) bool {
	if done, ok := c.guarded(GuardEFER, v); done {
		return ok
	}
	if !c.Takes(GuardEFER, v) {
		return c.raise(uop.VectorGP, 0)
	}
	old := c.efer
	c.efer = v&^EFERLMA | old&EFERLMA
	if (old^c.efer)&EFERNXE != 0 {
		c.flushTLB()
	}
	return true
}
