package x86

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// systemHandlers are the privileged and system instructions, and those that platforms intercept.
var systemHandlers = map[uop.Op]handler{
	uop.Locked:    lockedMemory,
	uop.LockedAt:  lockedAt,
	uop.Raise:     func(c *CPU, u *uop.Uop) bool { return c.raiseFor(uint8(u.Imm)) },
	uop.Intercept: intercept,
	uop.CheckCPL0: func(c *CPU, _ *uop.Uop) bool {
		return c.cpl == 0 || c.raise(uop.VectorGP, 0)
	},
	uop.Cli:         clearInterrupts,
	uop.Sti:         setInterrupts,
	uop.Hlt:         func(c *CPU, _ *uop.Uop) bool { c.Halt(); return true },
	uop.MovSeg:      func(c *CPU, u *uop.Uop) bool { c.R[u.Dst%uop.Slots] = uint64(c.seg[u.Aux].Selector); return true },
	uop.LoadSeg:     loadSegmentRegister,
	uop.PopSeg:      popSegment,
	uop.Lfs:         loadFarPointer,
	uop.MovFromCR:   moveFromCR,
	uop.MovToCR:     moveToCR,
	uop.MovFromDR:   moveFromDR,
	uop.MovToDR:     moveToDR,
	uop.Clts:        func(c *CPU, _ *uop.Uop) bool { return c.writeCR0(c.cr0 &^ CR0TS) },
	uop.Lmsw:        func(c *CPU, u *uop.Uop) bool { return c.writeCR0(c.cr0&^0xE | c.R[u.Src%uop.Slots]&0xF) },
	uop.Smsw:        storeSystem(func(c *CPU) uint64 { return c.cr0 }),
	uop.Sldt:        storeSystem(func(c *CPU) uint64 { return uint64(c.ldtr.Selector) }),
	uop.Str:         storeSystem(func(c *CPU) uint64 { return uint64(c.tr.Selector) }),
	uop.Lgdt:        func(c *CPU, u *uop.Uop) bool { return c.loadTable(&c.gdtr, c.ea(u), u.Aux) },
	uop.Lidt:        func(c *CPU, u *uop.Uop) bool { return c.loadTable(&c.idtr, c.ea(u), u.Aux) },
	uop.Sgdt:        func(c *CPU, u *uop.Uop) bool { return c.storeTable(c.gdtr, c.ea(u), u.Aux) },
	uop.Sidt:        func(c *CPU, u *uop.Uop) bool { return c.storeTable(c.idtr, c.ea(u), u.Aux) },
	uop.Lldt:        func(c *CPU, u *uop.Uop) bool { return c.loadLDT(uint16(c.R[u.Src%uop.Slots])) },
	uop.Ltr:         func(c *CPU, u *uop.Uop) bool { return c.loadTask(uint16(c.R[u.Src%uop.Slots])) },
	uop.Lar:         loadAccessRights,
	uop.Lsl:         loadAccessRights,
	uop.Verr:        verify,
	uop.Invlpg:      func(c *CPU, u *uop.Uop) bool { c.flushPage(c.ea(u)); return true },
	uop.Invpcid:     invalidatePCID,
	uop.Swapgs:      swapGS,
	uop.Rdtsc:       rdtsc,
	uop.Rdpmc:       func(c *CPU, _ *uop.Uop) bool { return c.raise(uop.VectorGP, 0) },
	uop.Rdpid:       func(c *CPU, u *uop.Uop) bool { c.R[u.Dst%uop.Slots] = uint64(uint32(c.msr.tscAux)); return true },
	uop.Rdrand:      readRandom,
	uop.FSGSBase:    segmentBase,
	uop.Cpuid:       cpuid,
	uop.Xgetbv:      readXCR,
	uop.Xsetbv:      writeXCR,
	uop.Clac:        setAC,
	uop.Clflush:     func(*CPU, *uop.Uop) bool { return true }, // caches are invisible
	uop.ClflushLine: flushLine,
	uop.Movdir64b:   moveDirect64,
}

// raiseFor raises an exception without further information.
func (c *CPU) raiseFor(vector uint8) bool {
	if vector == uop.VectorGP {
		return c.raise(uop.VectorGP, 0)
	}
	return c.raiseNoCode(vector)
}

func loadSegmentRegister(c *CPU, u *uop.Uop) bool {
	if !c.loadSegment(int(u.Aux), uint16(c.R[u.Src%uop.Slots])) {
		return false
	}
	if u.Aux == uop.SegSS {
		c.hold(true)
	}
	return true
}

func popSegment(c *CPU, u *uop.Uop) bool {
	v, ok := c.loadStack(c.R[uop.RSP], uint64(u.Dst))
	mask := c.stackMask() // of the stack that is left, where SS is loaded
	if !ok || !c.loadSegment(int(u.Aux), uint16(v)) {
		return false
	}
	c.putSP(mask, c.R[uop.RSP]+uint64(u.Dst))
	if u.Aux == uop.SegSS {
		c.hold(true)
	}
	return true
}

// loadFarPointer is LSS, LFS and LGS: Aux is the segment register, and the operand size in bits 15:8.
func loadFarPointer(c *CPU, u *uop.Uop) bool {
	n := u.Aux >> 8
	va := c.ea(u)
	var b [10]byte
	if !c.readBytes(va, b[:n+2]) {
		return false
	}
	if !c.loadSegment(int(u.Aux&0xFF), uint16(b[n])|uint16(b[n+1])<<8) {
		return false
	}
	var v uint64
	for i := range n {
		v |= uint64(b[i]) << (8 * i)
	}
	c.putSize(u.Dst, n, v)
	return true
}

// storeSystem makes a handler for SMSW, SLDT and STR, which UMIP keeps from user programs.
func storeSystem(value func(c *CPU) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
		if c.userProhibited() {
			return c.raise(uop.VectorGP, 0)
		}
		c.R[u.Dst%uop.Slots] = value(c)
		return true
	}
}

func (c *CPU) userProhibited() bool { return c.cpl > 0 && c.cr4&CR4UMIP != 0 }

// tableBytes is the size of a base in memory: 8 bytes in 64-bit mode (size is 0), else 4, of which operands of 16 bits use
// three (SDM vol. 2, LGDT).
func tableBytes(size uint32) int {
	if size == 0 {
		return 8
	}
	return 4
}

func (c *CPU) loadTable(t *tableRegister, va uint64, size uint32) bool {
	var b [10]byte
	n := tableBytes(size)
	if !c.readBytes(va, b[:2+n]) {
		return false
	}
	if size == 2 {
		n = 3
	}
	var base uint64
	for i := range n {
		base |= uint64(b[2+i]) << (8 * i)
	}
	if !c.CanonicalBase(base) {
		return c.raise(uop.VectorGP, 0)
	}
	*t = tableRegister{base: base, limit: uint16(b[0]) | uint16(b[1])<<8}
	return true
}

func (c *CPU) storeTable(t tableRegister, va uint64, size uint32) bool {
	if c.userProhibited() {
		return c.raise(uop.VectorGP, 0)
	}
	b := [10]byte{byte(t.limit), byte(t.limit >> 8)}
	for i := range 8 {
		b[2+i] = byte(t.base >> (8 * i))
	}
	return c.writeBytes(va, b[:2+tableBytes(size)])
}

// invalidatePCID flushes more than it is asked for, which is allowed (SDM vol. 3, 4.10.4.1).
func invalidatePCID(c *CPU, u *uop.Uop) bool {
	var b [16]byte
	if !c.readBytes(c.ea(u), b[:]) {
		return false
	}
	kind, pcid, va := c.R[u.Src%uop.Slots], binary.LittleEndian.Uint64(b[:]), binary.LittleEndian.Uint64(b[8:])
	switch {
	case kind > 3, pcid>>12 != 0, kind == 0 && !c.CanonicalBase(va), kind < 2 && pcid != 0 && c.cr4&CR4PCIDE == 0:
		return c.raise(uop.VectorGP, 0)
	}
	c.flushTLB()
	return true
}

func swapGS(c *CPU, _ *uop.Uop) bool {
	c.R[uop.GSBase], c.msr.kernelGSBase = c.msr.kernelGSBase, c.R[uop.GSBase]
	return true
}

// rdtsc is RDTSC, and RDTSCP where Imm is 1.
func rdtsc(c *CPU, u *uop.Uop) bool {
	if c.cpl > 0 && c.cr4&CR4TSD != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	t := c.readTSC()
	c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(t)), t>>32
	if u.Imm == 1 {
		c.R[uop.RCX] = uint64(uint32(c.msr.tscAux))
	}
	return true
}

func readRandom(c *CPU, u *uop.Uop) bool {
	if c.random.dry { // SDM vol. 2, RDRAND: the destination is 0, and so are all of the flags
		c.putSize(u.Dst, u.Aux, 0)
		c.flags.set(0)
		return true
	}
	c.putSize(u.Dst, u.Aux, c.random.next())
	c.flags.set(FlagCF)
	return true
}

// segmentBase is RDFSBASE (Src 0), RDGSBASE, WRFSBASE, WRGSBASE.
func segmentBase(c *CPU, u *uop.Uop) bool {
	if c.cr4&CR4FSGSBASE == 0 {
		return c.raiseNoCode(uop.VectorUD)
	}
	base := &c.R[uop.FSBase+u.Src&1]
	if u.Src < 2 {
		v := *base
		if u.Aux == 0 {
			v = uint64(uint32(v))
		}
		c.R[u.Dst%uop.Slots] = v
		return true
	}
	v := c.R[u.Dst%uop.Slots]
	if u.Aux == 0 {
		v = uint64(uint32(v))
	}
	if !c.CanonicalBase(v) {
		return c.raise(uop.VectorGP, 0)
	}
	*base = v
	return true
}

func cpuid(c *CPU, _ *uop.Uop) bool {
	r := c.platform.CPUID(c, uint32(c.R[uop.RAX]), uint32(c.R[uop.RCX]))
	c.R[uop.RAX], c.R[uop.RBX], c.R[uop.RCX], c.R[uop.RDX] = uint64(r[0]), uint64(r[1]), uint64(r[2]), uint64(r[3])
	return true
}

func readXCR(c *CPU, _ *uop.Uop) bool {
	if c.cr4&CR4OSXSAVE == 0 {
		return c.raiseNoCode(uop.VectorUD)
	}
	var v uint64
	switch uint32(c.R[uop.RCX]) {
	case 0:
		v = c.xcr0
	case 1:
		v = c.xcr0 // XINUSE: both components count as in use
	default:
		return c.raise(uop.VectorGP, 0)
	}
	c.R[uop.RAX], c.R[uop.RDX] = uint64(uint32(v)), v>>32
	return true
}

func writeXCR(c *CPU, _ *uop.Uop) bool {
	if c.cr4&CR4OSXSAVE == 0 {
		return c.raiseNoCode(uop.VectorUD)
	}
	v := uint64(uint32(c.R[uop.RAX])) | c.R[uop.RDX]<<32
	if uint32(c.R[uop.RCX]) != 0 || v&^3 != 0 || v&1 == 0 {
		return c.raise(uop.VectorGP, 0)
	}
	c.xcr0 = v
	return true
}

// setAC is CLAC and STAC (Aux 1).
func setAC(c *CPU, u *uop.Uop) bool {
	if c.cpl > 0 {
		return c.raiseNoCode(uop.VectorUD)
	}
	if u.Aux != 0 {
		c.rest |= FlagAC
	} else {
		c.rest &^= FlagAC
	}
	c.selectTLB()
	return true
}

// flushLine is CLFLUSH and kin: no more than a read of the line, as far as anybody can see.
func flushLine(c *CPU, u *uop.Uop) bool {
	_, ok := c.reach(c.ea(u), Read)
	return ok
}

// moveDirect64 is MOVDIR64B: 64 bytes to where a register says, in ES outside 64-bit mode.
func moveDirect64(c *CPU, u *uop.Uop) bool {
	const n = 64
	from, to := c.ea(u), c.R[u.Src%uop.Slots]&addressMask(uint8(u.Aux))
	if !c.wide() {
		var ok bool
		if to, ok = c.linear(uop.SegES, to, n, true); !ok {
			return false
		}
	}
	if to%n != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	var b [n]byte
	return c.readBytes(from, b[:]) && c.writeBytes(to, b[:])
}
