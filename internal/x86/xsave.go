package x86

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// XSAVE and its kin, for x87 (component 0) and SSE (component 1), both of which live in the legacy region (SDM vol. 1,
// chapter 13).
var xsaveHandlers = map[uop.Op]handler{
	uop.XSAVE:    xsave,
	uop.XSAVEOPT: xsave,
	uop.XSAVEC:   xsavec,
	uop.XRSTOR:   xrstor,
	uop.XRSTORS:  xrstor,
}

// The XSAVE header (SDM vol. 1, 13.4.2).
const (
	xsHeader     = 512
	xsBV         = 0 // XSTATE_BV
	xsComp       = 8 // XCOMP_BV
	xsReserved   = 16
	xsHeaderSize = 64
	xsAligned    = 64

	xsX87       = 1 << 0
	xsSSE       = 1 << 1
	xsCompacted = 1 << 63
)

// xsReady says whether an XSAVE instruction can be executed on the area at va (SDM vol. 1, 13.7 to 13.10).
func (c *CPU) xsReady(va uint64) bool {
	switch {
	case c.cr4&CR4OSXSAVE == 0:
		return c.raiseNoCode(uop.VectorUD)
	case c.cr0&CR0TS != 0:
		return c.raiseNoCode(uop.VectorNM)
	}
	return c.areaAligned(va, xsAligned)
}

// requested is RFBM: the components that the instruction is about.
func (c *CPU) requested() uint64 { return (c.R[uop.RDX]<<32 | low32(c.R[uop.RAX])) & c.xcr0 }

// inUse is XINUSE: the components that are not in their initial state.
func (c *CPU) inUse() (bv uint64) {
	if c.fpu != (x87State{cw: x87Initial}) {
		bv |= xsX87
	}
	if c.mxcsr != mxcsrDefault || [16]XMM(c.X[:16]) != ([16]XMM{}) {
		bv |= xsSSE
	}
	return bv
}

// xsave is XSAVE and XSAVEOPT. The latter leaves components alone that are in their initial state.
func xsave(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.xsReady(va) || !c.claim(va+xsHeader, xsHeaderSize) {
		return false
	}
	bv, ok := c.load64(va + xsHeader + xsBV)
	if !ok {
		return false
	}
	rfbm, used := c.requested(), c.inUse()
	save := rfbm
	if u.Op == uop.XSAVEOPT {
		save &= used
	}
	return c.saveLegacy(va, save, rfbm&xsSSE != 0, u.Aux != 0) && c.store64(va+xsHeader+xsBV, bv&^rfbm|used&rfbm)
}

// xsavec is XSAVEC: it says that the area is compacted, which makes no difference to the legacy region.
func xsavec(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.xsReady(va) || !c.claim(va+xsHeader, xsHeaderSize) {
		return false
	}
	rfbm := c.requested()
	used := rfbm & c.inUse()
	return c.saveLegacy(va, used, used&xsSSE != 0, u.Aux != 0) &&
		c.store64(va+xsHeader+xsBV, used) && c.store64(va+xsHeader+xsComp, rfbm|xsCompacted)
}

// saveLegacy stores components, and MXCSR, each where it belongs. What is not stored need not be writable.
func (c *CPU) saveLegacy(va, components uint64, mxcsr, wide bool) bool {
	var a fxArea
	if components&xsX87 != 0 && !c.claim(va, fxXMM) || mxcsr && !c.claim(va+fxMXCSR, fxST-fxMXCSR) ||
		components&xsSSE != 0 && !c.claim(va+fxXMM, fxEnd-fxXMM) {
		return false
	}
	if components&xsX87 != 0 {
		a.putX87(&c.fpu, wide)
		if !c.writeBytes(va, a[:fxMXCSR]) || !c.writeBytes(va+fxST, a[fxST:fxXMM]) {
			return false
		}
	}
	if mxcsr {
		a.putMXCSR(c.mxcsr)
		if !c.writeBytes(va+fxMXCSR, a[fxMXCSR:fxST]) {
			return false
		}
	}
	if components&xsSSE != 0 {
		a.putXMM(c.X[:16])
		return c.writeBytes(va+fxXMM, a[fxXMM:])
	}
	return true
}

// xrstor is XRSTOR from either format, and XRSTORS from a compacted area. A component that was requested and is not in the area gets its initial state.
func xrstor(c *CPU, u *uop.Uop) bool {
	va := c.ea(u)
	if !c.xsReady(va) {
		return false
	}
	var b [xsHeader + xsHeaderSize]byte
	if !c.readBytes(va+xsHeader, b[xsHeader:]) {
		return false
	}
	// What is not requested is not read; but x87's part and MXCSR, on silicon, also where the header says that they are
	// not there, or that it is wrong.
	rfbm := c.requested()
	if rfbm&xsX87 != 0 && !c.readBytes(va, b[:fxXMM]) || rfbm&xsSSE != 0 && !c.readBytes(va+fxMXCSR, b[fxMXCSR:fxST]) {
		return false
	}
	header := b[xsHeader:]
	bv := binary.LittleEndian.Uint64(header[xsBV:])
	comp := binary.LittleEndian.Uint64(header[xsComp:])
	compacted := comp&xsCompacted != 0
	switch {
	case !compacted && u.Op == uop.XRSTORS:
		return c.raise(uop.VectorGP, 0)
	case compacted:
		// Where the format is compacted, the whole rest of the header is reserved.
		if comp&^(c.xcr0|xsCompacted) != 0 || bv&^(comp&^xsCompacted) != 0 || !allZero(header[xsReserved:]) {
			return c.raise(uop.VectorGP, 0)
		}
	case bv&^c.xcr0 != 0 || comp != 0 || !allZero(header[xsReserved:xsReserved+8]):
		return c.raise(uop.VectorGP, 0)
	}
	if rfbm&bv&xsSSE != 0 && !c.readBytes(va+fxXMM, b[fxXMM:fxEnd]) {
		return false
	}
	a := (*fxArea)(b[:])
	mxcsr := c.mxcsr
	if rfbm&xsSSE != 0 {
		if compacted && bv&xsSSE == 0 {
			mxcsr = mxcsrDefault
		} else if mxcsr = a.mxcsr(); mxcsr&^mxcsrExist != 0 {
			return c.raise(uop.VectorGP, 0)
		}
	}
	c.mxcsr = mxcsr
	if rfbm&xsX87 != 0 {
		c.fpu.reset()
		if bv&xsX87 != 0 {
			a.x87(&c.fpu, u.Aux != 0)
		}
	}
	if rfbm&xsSSE != 0 {
		clear(c.X[:16])
		if bv&xsSSE != 0 {
			a.xmm(c.X[:16])
		}
	}
	return true
}
