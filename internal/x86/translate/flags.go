package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// The arithmetic flags are in AX, or in the host's flags, or in both. What the host leaves undefined is not as the
// interpreter defines it: junk says which of the host's flags are not to be looked at.
type flags struct {
	inAX, inHost bool
	junk         junk
}

type junk uint8

const (
	junkNone  junk = iota
	junkAF         // AF is to be 0
	junkAFOF       // and so is OF
	junkShift      // AF is to be 0, OF the exclusive or of CF and SF: a shift to the left
)

// The flags in AX.
const (
	axOF = 1 << 0
	axCF = 1 << 8
	axPF = 1 << 10
	axAF = 1 << 12
	axZF = 1 << 14
	axSF = 1 << 15
)

// save puts the flags into AX, too. It changes the host's only where they have junk.
func (g *Generator) save() {
	if g.flags.inAX {
		return
	}
	g.Lahf()
	switch g.flags.junk {
	case junkNone:
		g.Set(amd64.O, amd64.R(rAX))
	case junkAF:
		g.Set(amd64.O, amd64.R(rAX))
		g.Imm(amd64.ANDimm, 4, amd64.R(rAX), 0xFFFF&^axAF)
		g.flags.inHost = false
	case junkAFOF:
		g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axCF|axPF|axZF|axSF)
		g.flags.inHost = false
	case junkShift:
		g.RegRM(amd64.MOV, 4, tmpB, amd64.R(rAX))
		g.Imm(amd64.ANDimm, 4, amd64.R(rAX), axCF|axPF|axZF|axSF)
		g.Imm(amd64.SHRimm, 4, amd64.R(tmpB), 7) // CF to bit 1, SF to bit 8
		g.RegRM(amd64.MOV, 4, tmpA, amd64.R(tmpB))
		g.Imm(amd64.SHRimm, 4, amd64.R(tmpA), 7)
		g.RegRM(amd64.XOR, 4, tmpA, amd64.R(tmpB))
		g.Imm(amd64.SHRimm, 4, amd64.R(tmpA), 1)
		g.Imm(amd64.ANDimm, 4, amd64.R(tmpA), axOF)
		g.RegRM(amd64.OR, 4, rAX, amd64.R(tmpA))
		g.flags.inHost = false
	}
	g.flags.inAX = true
}

// spill makes the host's flags free.
func (g *Generator) spill() {
	g.save()
	g.flags.inHost = false
}

// need puts all flags into the host's.
func (g *Generator) need() {
	if g.flags.inHost && g.flags.junk == junkNone {
		return
	}
	g.save()
	g.Imm(amd64.CMPimm, 1, amd64.R(rAX), -127) // overflows where AL is 1
	g.Sahf()
	g.flags = flags{inAX: true, inHost: true}
}

// needCarry puts CF into the host's flags. Nothing else may count on them after it.
func (g *Generator) needCarry() {
	if !g.flags.inHost {
		g.Imm(amd64.BTimm, 4, amd64.R(rAX), 8)
	}
}

// made says that the host's flags have become the guest's, but for junk.
func (g *Generator) made(j junk) { g.flags = flags{inHost: true, junk: j} }

// inAX says that the flags are in AX alone.
func (g *Generator) inAX() { g.flags = flags{inAX: true} }

// condition makes a condition of the guest's flags one of the host's, and returns it.
func (g *Generator) condition(c uop.Condition) amd64.Condition {
	readsOF := c>>1 == uop.CondO>>1 || c>>1 >= uop.CondL>>1
	if g.flags.inHost && (g.flags.junk <= junkAF || !readsOF) {
		return amd64.Condition(c)
	}
	g.save()
	if g.flags.inHost {
		return amd64.Condition(c)
	}
	var mask int32
	switch c >> 1 {
	case uop.CondO >> 1:
		mask = axOF
	case uop.CondB >> 1:
		mask = axCF
	case uop.CondE >> 1:
		mask = axZF
	case uop.CondBE >> 1:
		mask = axCF | axZF
	case uop.CondS >> 1:
		mask = axSF
	case uop.CondP >> 1:
		mask = axPF
	default:
		g.need()
		return amd64.Condition(c)
	}
	g.Imm(amd64.TESTimm, 4, amd64.R(rAX), mask)
	if c&1 == 0 {
		return amd64.NE
	}
	return amd64.E
}

// dead says that nothing looks at the flags that micro-operation k leaves: others are made before anything can read them
// or leave the code.
func (g *Generator) dead(k int) bool {
	for k++; k < len(g.block.Uops); k++ {
		switch u := &g.block.Uops[k]; {
		case hostcode.MakesFlags(u):
			return true
		case !g.ignoresFlags(u):
			return false
		}
	}
	return false
}

// ignoresFlags says that u has nothing to do with flags and cannot leave.
func (g *Generator) ignoresFlags(u *uop.Uop) bool {
	if hostcode.IgnoresFlags(u) {
		return true
	}
	if u.Op == uop.BMI {
		f, ok := bmiForms[u.Aux]
		return ok && g.host.BMI2 && f.flags == bmiNone
	}
	_, ok := g.xmmOp(u)
	return ok
}
