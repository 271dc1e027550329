package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// IF, and who may change it: CLI, STI, PUSHF, POPF. Where IOPL keeps IF from software at privilege 3, CR4.VME and PVI let it
// have VIF instead, of which a monitor makes something (SDM vol. 3, 21.3.2 and 21.4).

// mayInterrupt says whether IOPL lets software change IF.
func (c *CPU) mayInterrupt() bool { return c.cpl <= uint8(c.rest>>12&3) }

// virtualInterrupts says whether CLI and STI change VIF where they may not change IF: by PVI in protected mode, by VME in
// virtual-8086 mode. In protected mode nothing else is different, and VIF means nothing to the processor.
func (c *CPU) virtualInterrupts() bool {
	if c.virtual8086() {
		return c.cr4&CR4VME != 0
	}
	return c.cr4&CR4PVI != 0 && c.cpl == 3
}

// hold keeps interrupts off until the next instruction has completed (SDM vol. 3, 6.8.3); debug says that it keeps #DB
// off, too. An interrupt may become pending at the boundary between the two, so the boundary is remembered even if none
// is pending now.
func (c *CPU) hold(debug bool) {
	c.shadow, c.shadowSS = c.Instructions()+1, debug
	if c.APIC.pending() || c.nmiComes() {
		c.stopBehind()
	}
}

func clearInterrupts(c *CPU, _ *uop.Uop) bool {
	switch {
	case c.mayInterrupt():
		c.rest &^= FlagIF
	case c.virtualInterrupts():
		c.rest &^= FlagVIF
	default:
		return c.raise(uop.VectorGP, 0)
	}
	return true
}

// setInterrupts is STI: what it enables is taken one instruction later.
// Where it sets VIF and an interrupt is pending for software (VIP), software is told by #GP.
func setInterrupts(c *CPU, _ *uop.Uop) bool {
	switch {
	case c.mayInterrupt():
		if c.rest&FlagIF == 0 {
			c.hold(false)
		}
		c.rest |= FlagIF
	case c.virtualInterrupts() && c.rest&FlagVIP == 0:
		c.rest |= FlagVIF
	default:
		return c.raise(uop.VectorGP, 0)
	}
	return true
}

// mayUseFlags says whether an 8086 program may push and pop flags of size bytes: with IOPL 3, or with VIF for IF. Else
// it raises #GP. In other modes everybody may.
func (c *CPU) mayUseFlags(size uint64) bool {
	return !c.virtual8086() || c.mayInterrupt() || size == 2 && c.cr4&CR4VME != 0 || c.raise(uop.VectorGP, 0)
}

// flags8086 is RFLAGS as an 8086 program sees it: with VIF for IF, and IOPL 3, where IOPL keeps IF from it.
func (c *CPU) flags8086() uint64 {
	v := c.Flags()
	if c.mayInterrupt() {
		return v
	}
	v = v&^FlagIF | iopl
	if v&FlagVIF != 0 {
		v |= FlagIF
	}
	return v
}

func pushFlags(c *CPU, u *uop.Uop) bool {
	size := uint64(u.Aux)
	if !c.mayUseFlags(size) {
		return false
	}
	v := c.Flags()
	if c.virtual8086() {
		v = c.flags8086() &^ FlagVM
	}
	return c.pushStack(v, size)
}

// flagsFrom returns what POPF of size bytes makes of the flags that are not arithmetic, and IRET that does not lower privilege
// in real and virtual-8086 mode. What an 8086 program may not load raises #GP: TF, and IF while an interrupt is pending for it.
func (c *CPU) flagsFrom(v, size uint64) (rest uint64, ok bool) {
	mask := uint64(FlagTF | FlagDF | FlagNT | FlagAC | FlagID)
	if c.cpl == 0 {
		mask |= iopl
	}
	switch {
	case c.mayInterrupt():
		mask |= FlagIF
	case c.virtual8086():
		if v&FlagTF != 0 || v&FlagIF != 0 && c.rest&FlagVIP != 0 {
			return 0, c.raise(uop.VectorGP, 0)
		}
		v = v&^FlagVIF | v&FlagIF<<10 // FlagVIF's place
		return c.rest&^(mask&0xFFFF|FlagVIF) | v&(mask&0xFFFF|FlagVIF), true
	}
	if size == 2 {
		mask &= 0xFFFF
	}
	return c.rest&^mask | v&mask, true
}

func popFlags(c *CPU, u *uop.Uop) bool {
	size := uint64(u.Aux)
	if !c.mayUseFlags(size) {
		return false
	}
	v, ok := c.loadStack(c.R[uop.RSP], size)
	if !ok {
		return false
	}
	rest, ok := c.flagsFrom(v, size)
	if !ok {
		return false
	}
	c.setSP(c.R[uop.RSP] + size)
	enabled := rest&^c.rest&FlagIF != 0
	c.flags.set(v)
	c.setRest(rest)
	if enabled && c.APIC.pending() || rest&FlagTF != 0 {
		c.stopBehind()
	}
	return true
}
