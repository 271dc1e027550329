package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Virtual-8086 mode: a program of the 8086 under a monitor in 32-bit protected mode (SDM vol. 3, chapter 21; APM vol. 2, 8.10).
// It runs at privilege 3, with segments as in real mode. Its code is decoded as that of real mode, and far transfers
// are those of realmode.go; what IOPL has to do with its flags is in interruptflag.go. It is entered by IRET, which only
// privilege 0 can do, and left by whatever goes through the IDT (interrupt_legacy.go), and by SYSENTER.

// virtual8086 says whether the processor is in virtual-8086 mode: EFLAGS.VM.
func (c *CPU) virtual8086() bool { return c.rest&FlagVM != 0 }

// segment8086 is a segment register in virtual-8086 mode.
func segment8086(selector uint16) Segment {
	return Segment{Selector: selector, Base: uint64(selector) << 4, Limit: 0xFFFF, Attr: segPresent | segData | 3<<5}
}

// enter8086 is IRET of 32 bits at privilege 0 where the flags on the stack have VM set. The frame is what an interrupt
// of the program has pushed.
func (c *CPU) enter8086() bool {
	var frame struct {
		EIP, CS, EFLAGS, ESP, SS, ES, DS, FS, GS uint64
	}
	for i, word := range []*uint64{&frame.EIP, &frame.CS, &frame.EFLAGS, &frame.ESP, &frame.SS, &frame.ES, &frame.DS, &frame.FS, &frame.GS} {
		v, ok := c.loadStack(c.R[uop.RSP]+4*uint64(i), 4)
		if !ok {
			return false
		}
		*word = v
	}
	code := segment8086(uint16(frame.CS))
	to, fits := c.startOf(&code, frame.EIP)
	if !fits {
		return c.raise(uop.VectorGP, 0)
	}
	c.cpl = 3
	c.flags.set(frame.EFLAGS)
	c.setRest(frame.EFLAGS)
	for n, selector := range [...]uint64{uop.SegES: frame.ES, uop.SegSS: frame.SS, uop.SegDS: frame.DS, uop.SegFS: frame.FS, uop.SegGS: frame.GS} {
		c.setSegment(n, segment8086(uint16(selector)))
	}
	c.setCode(code)
	c.R[uop.RSP] = frame.ESP
	c.setNext(to)
	c.resume(frame.EFLAGS, 4)
	c.nesting.leave()
	c.stopBehind()
	return true
}

// leave8086 makes registers what they are in the handler of what has interrupted an 8086 program: CS, SS and flags are the
// caller's.
func (c *CPU) leave8086() {
	c.rest &^= FlagVM
	for _, n := range [...]int{uop.SegES, uop.SegDS, uop.SegFS, uop.SegGS} {
		c.setSegment(n, Segment{})
	}
}

// interrupt8086 looks at INT n of an 8086 program. The monitor has it, as #GP where IOPL is below 3 and through the
// vector's gate else, unless CR4.VME lets the program handle it itself, by its table at linear address 0 (SDM vol. 3,
// table 21-2). Done says that nothing is left to do, and ok that the instruction has completed then.
func (c *CPU) interrupt8086(vector uint8) (done, ok bool) {
	if c.cr4&CR4VME != 0 {
		redirected, ok := c.redirected(vector)
		if !ok || redirected {
			return true, ok && c.callVector(vector)
		}
	}
	if !c.mayInterrupt() {
		return true, c.raise(uop.VectorGP, 0)
	}
	return false, true
}

// redirected says whether the software interrupt redirection bitmap gives a vector to the program: 32 bytes of the TSS, in front
// of the I/O permission bitmap.
func (c *CPU) redirected(vector uint8) (yes, ok bool) {
	const size = 256 / 8
	base, ok := c.portMap()
	if !ok {
		return false, false
	}
	offset := base - size + uint64(vector/8)
	if offset > uint64(c.tr.Limit) {
		return false, c.raise(uop.VectorGP, 0)
	}
	var bits uint8
	ok = c.implicit(func() (ok bool) {
		bits, ok = c.load8(c.tr.Base + offset)
		return ok
	})
	return bits>>(vector%8)&1 == 0, ok
}

// callVector goes to the 8086 program's own handler. Where IOPL keeps IF from the program it sees and loses VIF instead.
func (c *CPU) callVector(vector uint8) bool {
	code, rip, ok := c.throughVector(uint64(vector)*4, c.flags8086(), c.nextIP())
	if !ok {
		return false
	}
	off := uint64(FlagTF | FlagIF)
	if !c.mayInterrupt() {
		off = FlagTF | FlagVIF
	}
	c.setRest(c.rest &^ off)
	c.setCode(code)
	c.setNext(rip)
	c.newTF = c.Instructions() + 1 // there is no trap in front of the handler
	c.nesting.depth++
	return true
}

// announced8086 says whether the processor meets an 8086 program that lets interrupts in, by VIF, while one is pending
// for it, by VIP: that is #GP in front of the next instruction, and the monitor's affair (SDM vol. 3, 21.3.2). Only IRET to the
// program can bring it about.
func (c *CPU) announced8086() bool {
	const both = FlagVM | FlagVIF | FlagVIP
	return c.rest&both == both && c.cr4&CR4VME != 0 && !c.mayInterrupt()
}
