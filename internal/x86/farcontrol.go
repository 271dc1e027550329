package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Far transfers: IRET, far RET, far JMP and CALL, SYSCALL, SYSRET, SYSENTER, SYSEXIT. What is different in real and
// virtual-8086 mode is in realmode.go and virtual8086.go, and gates are in callgate.go.

// iret returns from an interrupt with operands of size bytes (SDM vol. 2, IRET). It ends the blocking of NMIs
// whatever becomes of it. The order in which the stack is read, and RIP checked, is silicon's (a Sapphire Rapids).
func (c *CPU) iret(size uint64) bool {
	c.UnblockNMI()
	switch {
	case c.paragraphs():
		return c.realIRET(size)
	case c.rest&FlagNT != 0 && !c.longMode():
		return c.taskSwitch("IRET with NT set")
	case c.rest&FlagNT != 0:
		return c.raise(uop.VectorGP, 0)
	}
	sp := c.R[uop.RSP]
	flags, ok := c.loadStack(sp+2*size, size)
	if !ok {
		return false
	}
	if !c.longMode() && size == 4 && c.cpl == 0 && flags&FlagVM != 0 {
		return c.enter8086()
	}
	rip, code, ok := c.returnAddress(sp, size)
	if !ok {
		return false
	}
	rpl := uint8(code.Selector & 3)
	rsp, stack := sp+3*size, c.seg[uop.SegSS]
	full := c.wide() || rpl > c.cpl
	if full {
		if rsp, stack, ok = c.returnStack(sp+3*size, size, rpl); !ok {
			return false
		}
	}
	to, fits := c.startOf(&code, rip)
	if !fits {
		return c.raise(uop.VectorGP, 0)
	}
	// Which flags change depends on the privilege that is left.
	mask := uint64(FlagTF | FlagDF | FlagNT | FlagAC | FlagID)
	if c.cpl == 0 {
		mask |= iopl | FlagVIF | FlagVIP
	}
	if c.cpl <= uint8(c.rest>>12&3) {
		mask |= FlagIF
	}
	if size == 2 {
		mask &= 0xFFFF
	}
	rest := c.rest&^mask | flags&mask
	c.flags.set(flags)
	c.enter(code, stack, rpl, rsp, to)
	c.setRest(rest)
	c.resume(flags, size)
	c.nesting.leave()
	c.returned()
	return true
}

// resume is what IRET does about RF: a breakpoint on the next instruction is passed over.
func (c *CPU) resume(flags, size uint64) {
	if size > 2 && flags&FlagRF != 0 {
		c.resuming = c.Instructions() + 1
	}
}

// returned makes the run loop look up after an instruction that has lowered privilege and loaded flags, where there may be
// something for it to see: an interrupt that is let in, a trap after the next instruction, the first one at CPL 3.
func (c *CPU) returned() {
	if c.watch.user || c.rest&FlagTF != 0 || c.APIC.pending() {
		c.stopBehind()
	}
}

// enter switches to code and stack at privilege cpl; rip is a linear address.
func (c *CPU) enter(code, stack Segment, cpl uint8, rsp, rip uint64) {
	outer := cpl > c.cpl
	c.seg[uop.SegSS] = stack
	c.setCode(code)
	c.cpl = cpl
	c.setSP(rsp)
	c.setNext(rip)
	if outer {
		// Segments that the new privilege may not use become null (SDM vol. 2, IRET,
		// "RETURN-TO-OUTER-PRIVILEGE-LEVEL").
		for _, n := range [...]int{uop.SegES, uop.SegFS, uop.SegGS, uop.SegDS} {
			s := &c.seg[n]
			if s.Selector&^3 != 0 && uint8(s.Attr>>5&3) < cpl && (s.Attr&segCode == 0 || s.Attr&segConforming == 0) {
				c.setSegment(n, Segment{})
			}
		}
	}
	c.selectTLB()
}

// returnAddress loads CS and RIP from the stack at sp, in words of size bytes, and checks the code segment for IRET and
// RETF.
func (c *CPU) returnAddress(sp, size uint64) (rip uint64, code Segment, ok bool) {
	cs, ok := c.loadStack(sp+size, 2)
	if !ok {
		return 0, code, false
	}
	if rip, ok = c.loadStack(sp, size); !ok {
		return 0, code, false
	}
	code, ok = c.returnCode(uint16(cs))
	return rip, code, ok
}

// returnCode checks the code segment of IRET and RETF.
func (c *CPU) returnCode(cs uint16) (Segment, bool) {
	if cs&^3 == 0 {
		return Segment{}, c.raise(uop.VectorGP, 0)
	}
	s, ok := c.descriptor(cs, 0)
	if !ok {
		return s, false
	}
	code := uint32(cs) &^ 3
	dpl, rpl := uint8(s.Attr>>5&3), uint8(cs&3)
	switch conforming := s.Attr&segConforming != 0; {
	case s.Attr&(segS|segCode) != segS|segCode, rpl < c.cpl, conforming && dpl > rpl, !conforming && dpl != rpl:
		return s, c.raise(uop.VectorGP, code)
	case s.Attr&segPresent == 0:
		return s, c.raise(uop.VectorNP, code)
	case c.longMode() && s.Attr&(segLong|segBig) == segLong|segBig:
		return s, c.raise(uop.VectorGP, code)
	}
	return s, c.setAccessed(&s)
}

// returnStack loads SS and RSP from the stack at sp, in words of size bytes, and checks the stack segment of a return
// to privilege rpl.
func (c *CPU) returnStack(sp, size uint64, rpl uint8) (rsp uint64, stack Segment, ok bool) {
	ss, ok := c.loadStack(sp+size, 2)
	if !ok {
		return 0, stack, false
	}
	if rsp, ok = c.loadStack(sp, size); !ok {
		return 0, stack, false
	}
	stack, ok = c.returnData(uint16(ss), rpl)
	return rsp, stack, ok
}

// returnData checks the stack segment of a return to privilege rpl.
func (c *CPU) returnData(ss uint16, rpl uint8) (Segment, bool) {
	if ss&^3 == 0 {
		if rpl == 3 || uint8(ss&3) != rpl || !c.wide() {
			return Segment{}, c.raise(uop.VectorGP, 0)
		}
		return Segment{Selector: ss}, true
	}
	s, ok := c.descriptor(ss, 0)
	if !ok {
		return s, false
	}
	code := uint32(ss) &^ 3
	switch {
	case uint8(ss&3) != rpl, s.Attr&segS == 0, s.Attr&segCode != 0, s.Attr&segWritable == 0, uint8(s.Attr>>5&3) != rpl:
		return s, c.raise(uop.VectorGP, code)
	case s.Attr&segPresent == 0:
		return s, c.raise(uop.VectorSS, code)
	}
	return s, c.setAccessed(&s)
}

// retFar is RETF; extra bytes of arguments are dropped.
func (c *CPU) retFar(size, extra uint64) bool {
	if c.paragraphs() {
		return c.realRET(size, extra)
	}
	rsp := c.R[uop.RSP]
	rip, code, ok := c.returnAddress(rsp, size)
	if !ok {
		return false
	}
	rpl := uint8(code.Selector & 3)
	rsp += 2*size + extra
	stack := c.seg[uop.SegSS]
	if rpl > c.cpl {
		if rsp, stack, ok = c.returnStack(rsp, size, rpl); !ok {
			return false
		}
		rsp += extra
	}
	to, fits := c.startOf(&code, rip)
	if !fits {
		return c.raise(uop.VectorGP, 0)
	}
	c.enter(code, stack, rpl, rsp, to)
	return true
}

// jumpFar is far JMP (and CALL, with push set) with operands of size bytes: to a code segment of the same privilege, or through
// a gate.
func (c *CPU) jumpFar(selector uint16, rip, size uint64, push bool) bool {
	if c.paragraphs() {
		return c.realJump(selector, rip, size, push)
	}
	if selector&^3 == 0 {
		return c.raise(uop.VectorGP, 0)
	}
	s, ok := c.descriptor(selector, 0)
	if !ok {
		return false
	}
	code := uint32(selector) &^ 3
	dpl, rpl := uint8(s.Attr>>5&3), uint8(selector&3)
	if s.Attr&segS == 0 {
		return c.jumpSystem(selector, &s, push)
	}
	conforming := s.Attr&segConforming != 0
	switch {
	case s.Attr&segCode == 0, conforming && dpl > c.cpl, !conforming && (rpl > c.cpl || dpl != c.cpl):
		return c.raise(uop.VectorGP, code)
	case s.Attr&segPresent == 0:
		return c.raise(uop.VectorNP, code)
	case c.longMode() && s.Attr&(segLong|segBig) == segLong|segBig:
		return c.raise(uop.VectorGP, code)
	}
	to, fits := c.startOf(&s, rip)
	if !fits {
		return c.raise(uop.VectorGP, 0)
	}
	if !c.setAccessed(&s) {
		return false
	}
	s.Selector = selector&^3 | uint16(c.cpl)
	if push && !c.pushReturn(size) {
		return false
	}
	c.setCode(s)
	c.setNext(to)
	return true
}

// pushReturn stores CS and the next instruction's offset, in words of size bytes.
func (c *CPU) pushReturn(size uint64) bool {
	sp := c.R[uop.RSP] - 2*size
	if !c.storeStack(sp+size, size, uint64(c.seg[uop.SegCS].Selector)) || !c.storeStack(sp, size, c.nextIP()) {
		return false
	}
	c.setSP(sp)
	return true
}

// taskSwitch ends the run where a task would be switched.
func (c *CPU) taskSwitch(why string) bool {
	c.Stop(&UnsupportedError{RIP: c.RIP(), What: "task switch (" + why + ")"})
	return false
}

// flat makes CPL, CS and SS what the quick transfers make them: fixed segments, whatever the descriptors say.
func (c *CPU) flat(cs, ss uint16, cpl uint8) { c.flatCode(cs, ss, cpl, segLong) }

// flat32 is flat for 32-bit code.
func (c *CPU) flat32(cs, ss uint16, cpl uint8) { c.flatCode(cs, ss, cpl, segBig) }

// Attributes of the fixed segments, but for their privilege and the size of code.
const (
	flatCS = segPresent | segS | segCode | segWritable | segAccessed | segGranular
	flatSS = segPresent | segData | segBig | segGranular
)

func (c *CPU) flatCode(cs, ss uint16, cpl uint8, size uint16) {
	dpl := uint16(cpl) << 5
	c.seg[uop.SegSS] = Segment{Selector: ss, Attr: flatSS | dpl, Limit: ^uint32(0)}
	c.setCode(Segment{Selector: cs, Attr: flatCS | size | dpl, Limit: ^uint32(0)})
	c.cpl = cpl
}

// syscall is SYSCALL in long mode (SDM vol. 2; APM vol. 3). Compatibility mode has it on AMD's processors only.
func (c *CPU) syscall() bool {
	if c.efer&EFERSCE == 0 || !c.longMode() || !c.wide() && !c.amd() {
		return c.raiseNoCode(uop.VectorUD)
	}
	target := c.msr.lstar
	if !c.wide() {
		target = c.msr.cstar
	}
	c.R[uop.RCX] = c.nextIP()
	c.R[uop.R11] = c.Flags()
	base := uint16(c.msr.star >> 32)
	c.flat(base&^3, base+8, 0)
	flags := c.R[uop.R11] &^ c.msr.fmask
	c.newTF = c.Instructions() + 1 // a kernel that masks TF is not trapped at its entry
	c.setNext(target)
	c.SetFlags(flags)
	return true
}

// amd says whether the processor is one of AMD's, by its name.
func (c *CPU) amd() bool { return c.platform.CPUID(c, 0, 0)[1] == 0x6874_7541 } // "Auth"

// sysret is SYSRET, to 64-bit code where wide is set.
func (c *CPU) sysret(wide bool) bool {
	if c.efer&EFERSCE == 0 || !c.wide() {
		return c.raiseNoCode(uop.VectorUD)
	}
	if c.cpl != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	rip := c.R[uop.RCX]
	if wide && !c.canonical(rip) {
		return c.raise(uop.VectorGP, 0)
	}
	base := uint16(c.msr.star >> 48)
	if wide {
		c.flat((base+16)|3, (base+8)|3, 3)
	} else {
		c.flat32(base|3, (base+8)|3, 3)
		rip &= low
	}
	c.setNext(rip)
	c.SetFlags(c.R[uop.R11])
	c.newTF = c.Instructions() + 1 // unlike IRET's, a TF that is set here traps in front of the program's first instruction
	c.returned()
	return true
}

// sysenter is SYSENTER (SDM vol. 2). It keeps nothing of the caller's.
func (c *CPU) sysenter() bool {
	base := uint16(c.msr.sysenter[0]) &^ 3
	switch {
	case c.longMode() && !c.wide() && c.amd():
		return c.raiseNoCode(uop.VectorUD) // APM vol. 3: AMD's have it in 32-bit protected mode only
	case base == 0 || c.realMode():
		return c.raise(uop.VectorGP, 0)
	}
	sp, ip := c.msr.sysenter[1], c.msr.sysenter[2]
	c.rest &^= FlagVM
	if c.longMode() {
		c.flat(base, base+8, 0)
	} else {
		c.flat32(base, base+8, 0)
		sp, ip = sp&low, ip&low
	}
	c.R[uop.RSP] = sp
	c.setRest(c.rest &^ FlagIF)
	c.setNext(ip)
	return true
}

// sysexit is SYSEXIT: to RDX with the stack at RCX, or to EDX with the stack at ECX.
func (c *CPU) sysexit(wide bool) bool {
	base := uint16(c.msr.sysenter[0]) &^ 3
	if c.cpl != 0 || base == 0 || c.realMode() {
		return c.raise(uop.VectorGP, 0)
	}
	rip, rsp := c.R[uop.RDX], c.R[uop.RCX]
	if wide && (!c.canonical(rip) || !c.canonical(rsp)) {
		return c.raise(uop.VectorGP, 0)
	}
	if wide {
		c.flat((base+32)|3, (base+40)|3, 3)
	} else {
		c.flat32((base+16)|3, (base+24)|3, 3)
		rip, rsp = rip&low, rsp&low
	}
	c.R[uop.RSP] = rsp
	c.setRest(c.rest) // the TLB in use follows the privilege
	c.setNext(rip)
	c.returned()
	return true
}
