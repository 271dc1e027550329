package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// MXCSR (SDM vol. 1, 10.2.3). Exception flags are in bits 5:0 and their masks in bits 12:7, both in the order of
// softfloat.IE and so on.
const (
	mxcsrDAZ   = 1 << 6
	mxcsrMasks = softfloat.AllExceptions << mxcsrMaskShift
	mxcsrRC    = 3 << mxcsrRCShift
	mxcsrFTZ   = 1 << 15

	mxcsrMaskShift = 7
	mxcsrRCShift   = 13
	mxcsrDefault   = mxcsrMasks // RNE, all exceptions masked, none raised
	mxcsrExist     = 0xFFFF     // the others are reserved: MXCSR_MASK of FXSAVE
)

// sseEnv is the environment that MXCSR asks for.
func (c *CPU) sseEnv() softfloat.Env {
	m := c.mxcsr
	return softfloat.Env{
		RC:     softfloat.Rounding(m >> mxcsrRCShift & 3),
		DAZ:    m&mxcsrDAZ != 0,
		FTZ:    m&mxcsrFTZ != 0,
		Masked: uint8(m >> mxcsrMaskShift & softfloat.AllExceptions),
		Host:   c.hostFloat(),
	}
}

// settle records the exceptions that e collected. Where one is not masked, it raises #XM and returns false: the
// destination must not change. Exceptions that are detected before computing keep those that come after it, of all
// lanes, from being looked for.
func (c *CPU) settle(e *softfloat.Env) bool {
	if e.Flags == 0 {
		return true
	}
	if before := e.Flags & softfloat.BeforeResult; before&^e.Masked != 0 {
		e.Flags = before
	}
	c.mxcsr |= uint32(e.Flags)
	if e.Flags&^e.Masked == 0 {
		return true
	}
	if c.cr4&CR4OSXMMEXCPT == 0 {
		c.raiseNoCode(uop.VectorUD)
	} else {
		c.raiseNoCode(uop.VectorXM)
	}
	return false
}
