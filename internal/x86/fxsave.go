package x86

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// FXSAVE, FXRSTOR and MXCSR's own instructions.

// The layout of the FXSAVE area (SDM vol. 1, tables 10-2 and 10-3), which is the legacy region of the XSAVE area.
// Processors leave what is after XMM15 alone.
const (
	fxFCW     = 0
	fxFSW     = 2
	fxFTW     = 4
	fxFOP     = 6
	fxFIP     = 8
	fxFDP     = 16
	fxMXCSR   = 24
	fxMask    = 28
	fxST      = 32
	fxXMM     = 160
	fxEnd     = 416
	fxSize    = 512
	fxAligned = 16
)

// fxArea is as much of the area as is used.
type fxArea [fxEnd]byte

// putX87 stores the x87 state. In the 32-bit form (wide is false) the pointers have their low halves only, and segments
// of 0.
func (a *fxArea) putX87(f *x87State, wide bool) {
	le := binary.LittleEndian
	le.PutUint16(a[fxFCW:], f.cw)
	le.PutUint16(a[fxFSW:], f.status())
	a[fxFTW] = f.full
	le.PutUint16(a[fxFOP:], f.fop)
	fip, fdp := f.fip, f.fdp
	if !wide {
		fip, fdp = low32(fip), low32(fdp)
	}
	le.PutUint64(a[fxFIP:], fip)
	le.PutUint64(a[fxFDP:], fdp)
	for i := range uint8(8) {
		r := f.st(i)
		le.PutUint64(a[fxST+16*int(i):], r.M)
		le.PutUint16(a[fxST+16*int(i)+8:], r.SE)
	}
}

func (a *fxArea) x87(f *x87State, wide bool) {
	le := binary.LittleEndian
	f.setControl(le.Uint16(a[fxFCW:]))
	f.setStatus(le.Uint16(a[fxFSW:]))
	f.full = a[fxFTW]
	f.fop = le.Uint16(a[fxFOP:]) & 0x7FF
	f.fip, f.fdp = canonicalized(le.Uint64(a[fxFIP:])), canonicalized(le.Uint64(a[fxFDP:]))
	if !wide {
		f.fip, f.fdp = low32(f.fip), low32(f.fdp)
	}
	for i := range uint8(8) {
		*f.st(i) = softfloat.Float80{M: le.Uint64(a[fxST+16*int(i):]), SE: le.Uint16(a[fxST+16*int(i)+8:])}
	}
}

// canonicalized copies bit 47 to the bits above, as processors do with the pointers that they load.
func canonicalized(v uint64) uint64 { return uint64(int64(v<<16) >> 16) }

func (a *fxArea) putMXCSR(v uint32) {
	binary.LittleEndian.PutUint32(a[fxMXCSR:], v)
	binary.LittleEndian.PutUint32(a[fxMask:], mxcsrExist)
}

func (a *fxArea) mxcsr() uint32 { return binary.LittleEndian.Uint32(a[fxMXCSR:]) }

func (a *fxArea) putXMM(x []XMM) {
	for i := range x {
		b := x[i].bytes()
		copy(a[fxXMM+16*i:], b[:])
	}
}

func (a *fxArea) xmm(x []XMM) {
	for i := range x {
		x[i] = xmmOf((*[16]byte)(a[fxXMM+16*i:]))
	}
}

// Image returns the x87 state in the 64-bit FXSAVE format: the first 24 bytes and the eight registers, with zeros for
// MXCSR.
func (f *x87State) Image() (b [fxXMM]byte) {
	var a fxArea
	a.putX87(f, true)
	return [fxXMM]byte(a[:])
}

// SetImage takes the x87 state from that format.
func (f *x87State) SetImage(b *[fxXMM]byte) {
	var a fxArea
	copy(a[:], b[:])
	a.x87(f, true)
}

var fxsaveHandlers = map[uop.Op]handler{
	uop.FXSAVE:  fxsave,
	uop.FXRSTOR: fxrstor,
	uop.LDMXCSR: ldmxcsr,
	uop.STMXCSR: func(c *CPU, u *uop.Uop) bool { return c.store32(c.ea(u), c.mxcsr) },
}

// fxReady says whether FXSAVE and FXRSTOR can be executed on the area at va.
func (c *CPU) fxReady(va uint64) bool {
	if c.cr0&(CR0EM|CR0TS) != 0 {
		return c.raiseNoCode(uop.VectorNM)
	}
	return c.areaAligned(va, fxAligned)
}

// areaAligned raises what an area of saved state at va raises that is not aligned. #AC, where alignment is checked,
// comes before #GP.
func (c *CPU) areaAligned(va, align uint64) bool {
	switch {
	case !c.canonical(va):
		c.raiseNonCanonical()
		return false
	case !c.natural(va, 4):
		return false
	case va%align != 0:
		return c.raise(uop.VectorGP, 0)
	}
	return true
}

// fxsave and fxrstor have their operand size, REX.W, in Aux.
func fxsave(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.fxReady(va) {
		return false
	}
	var a fxArea
	a.putX87(&c.fpu, u.Aux != 0)
	a.putMXCSR(c.mxcsr)
	a.putXMM(c.X[:16])
	return c.claim(va, fxSize) && c.writeBytes(va, a[:])
}

func fxrstor(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.fxReady(va) {
		return false
	}
	var b [fxSize]byte
	if !c.readBytes(va, b[:]) {
		return false
	}
	a := (*fxArea)(b[:])
	if a.mxcsr()&^mxcsrExist != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	a.x87(&c.fpu, u.Aux != 0)
	c.mxcsr = a.mxcsr()
	a.xmm(c.X[:16])
	return true
}

func ldmxcsr(c *CPU, u *uop.Uop) bool {
	v, ok := c.load32(c.ea(u))
	if !ok {
		return false
	}
	if v&^mxcsrExist != 0 {
		return c.raise(uop.VectorGP, 0)
	}
	c.mxcsr = v
	return true
}
