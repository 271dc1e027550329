package x86

// The local APIC's modes (SDM vol. 3, 11.4 and 11.12): off, xAPIC, whose registers are in memory, and x2APIC, in which
// firmware hands the processor over. A TD is always in the last, and KVM lets no guest with memory encryption here leave it.

// Bits of IA32_APIC_BASE.
const (
	apicBaseBSP  = 1 << 8
	apicBaseEXTD = 1 << 10 // x2APIC
	apicBaseEN   = 1 << 11
	apicBaseMode = apicBaseEN | apicBaseEXTD

	apicBaseAddress = 0xFEE0_0000 // after reset; registers cannot be moved here
	apicBaseExist   = pteAddr | apicBaseMode | apicBaseBSP
)

// base is IA32_APIC_BASE.
func (a *LocalAPIC) base() uint64 {
	v := apicBaseAddress | a.mode
	if a.id == 0 {
		v |= apicBaseBSP
	}
	return v
}

func (a *LocalAPIC) x2APIC() bool { return a.mode == apicBaseMode }
func (a *LocalAPIC) xAPIC() bool  { return a.mode == apicBaseEN }

// setAPICBase writes IA32_APIC_BASE; it returns false for what it may not hold. From off there is no way but to xAPIC, from x2APIC none but off (SDM vol. 3, 11.12.5).
func (c *CPU) setAPICBase(v uint64) bool {
	a := c.APIC
	was, is := a.mode, v&apicBaseMode
	switch {
	case v&^apicBaseExist != 0, is == apicBaseEXTD, was == 0 && is == apicBaseMode, was == apicBaseMode && is == apicBaseEN:
		return false
	case v&pteAddr != apicBaseAddress:
		c.Stop(&UnsupportedError{RIP: c.RIP(), What: "moving the local APIC's registers"})
		return false
	}
	a.mode = is
	switch {
	case is == 0 || was == 0:
		a.reset()
	case was != is: // to x2APIC: the destination of an interrupt command is another, and the logical ID follows from the ID
		a.icr &= low
	}
	c.stopBehind()
	return true
}

// logical8 says whether a logical destination of xAPIC is this controller's: in the flat model a bit of eight, in clusters one of
// four (SDM vol. 3, 11.6.2.2).
func (a *LocalAPIC) logical8(dest uint32) bool {
	id := uint32(a.ldr >> 24)
	if a.dfr>>28 == 0xF {
		return id&dest != 0
	}
	return (id>>4 == dest>>4&0xF || dest>>4&0xF == 0xF) && id&dest&0xF != 0
}

// Registers of xAPIC that x2APIC has not, or has otherwise, by the numbers of x2APIC's.
const (
	apicAPR     = 0x809
	apicRRD     = 0x80C // remote read
	apicDFR     = 0x80E
	apicICRHigh = 0x831
)

// readBus and writeBus access a device's memory, or the local APIC's own registers.
func (c *CPU) readBus(gpa uint64, n int) uint64 {
	if c.APIC.xAPIC() && gpa&^pageMask == apicBaseAddress {
		return c.APIC.read(gpa&pageMask) & (1<<(8*n) - 1)
	}
	return c.bus.Read(gpa, n)
}

func (c *CPU) writeBus(gpa uint64, n int, v uint64) {
	if c.APIC.xAPIC() && gpa&^pageMask == apicBaseAddress {
		if n == 4 && gpa&0xF == 0 { // other accesses are undefined (SDM vol. 3, 11.4.1)
			c.APIC.write(gpa&pageMask, v)
		}
		return
	}
	c.bus.Write(gpa, n, v)
}

// read returns the register at an offset, whose byte at that is the lowest. Between registers there are zeros.
func (a *LocalAPIC) read(offset uint64) uint64 {
	if offset&0xF >= 4 {
		return 0
	}
	var v uint64
	switch index := apicFirst + uint32(offset>>4); index {
	case apicID:
		v = uint64(a.id) << 24
	case apicLDR:
		v = a.ldr
	case apicDFR:
		v = a.dfr
	case apicAPR, apicRRD: // of older processors
	case apicICR:
		v = a.icr & low
	case apicICRHigh:
		v = a.icr >> 32
	default:
		var ok bool
		if v, ok = a.ReadMSR(index); !ok && index != apicEOI {
			a.failed(apicIllegalRegister)
		}
	}
	return v >> (8 * (offset & 3))
}

// write stores to the register at an offset. What does not exist of one is ignored.
func (a *LocalAPIC) write(offset, v uint64) {
	index := apicFirst + uint32(offset>>4)
	switch index {
	case apicID: // it is what it is, as on Intel's processors of today
		return
	case apicLDR:
		a.ldr = v & 0xFF00_0000
		return
	case apicDFR:
		a.dfr = v&0xF000_0000 | 0x0FFF_FFFF
		return
	case apicICRHigh:
		a.icr = a.icr&low | v&0xFF00_0000<<32
		return
	case apicICR:
		a.icr = a.icr&^low | v&icrWritable
		a.interprocessor(a.icr&low | a.icr>>56<<32)
		return
	case apicTPR:
		v &= 0xFF
	case apicEOI, apicESR:
		v = 0
	case apicSVR:
		v &= svrWritable
	case apicDivide:
		v &= divideWritable
	}
	if index >= apicTimer && index <= apicError {
		v &= lvtWritable[index-apicTimer]
	}
	if index == apicSelfIPI || !a.WriteMSR(index, v) {
		a.failed(apicIllegalRegister)
	}
}
