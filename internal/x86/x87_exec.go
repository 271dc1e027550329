package x86

import (
	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

var x87Handlers = joined(
	x87StackHandlers,
	x87TransferHandlers,
	x87ArithHandlers,
	x87CompareHandlers,
	x87IntegralHandlers,
	x87TranscendentalHandlers,
	x87DecimalHandlers,
	x87ControlHandlers,
)

// An x87Step is one instruction under way: the environment, and the faults of the register stack that it met.
type x87Step struct {
	softfloat.Env
	stackFault bool
	overflow   bool // the stack fault is a push onto a register that is not empty
	keepC1     bool // C1 changes on a stack fault only
}

// begin starts an instruction that loads, stores or computes.
func (c *CPU) begin() x87Step {
	cw := c.fpu.cw
	return x87Step{Env: softfloat.Env{X87: true, RC: softfloat.Rounding(cw >> x87RCShift & 3), Masked: uint8(cw & softfloat.AllExceptions)}}
}

// precision is what PC makes of results of addition, multiplication, division and square root; the range stays that of
// the registers (SDM vol. 1, 8.1.5.2).
func (f *x87State) precision() *softfloat.Format { return &x87Precisions[f.cw>>x87PCShift&3] }

var x87Precisions = [4]softfloat.Format{
	{Precision: 24, MinExp: softfloat.Extended.MinExp, MaxExp: softfloat.Extended.MaxExp},
	softfloat.Extended, // reserved; silicon takes it for extended precision
	{Precision: 53, MinExp: softfloat.Extended.MinExp, MaxExp: softfloat.Extended.MaxExp},
	softfloat.Extended,
}

// need looks for an operand in ST(i). An empty register is a stack underflow, whose masked response is an indefinite
// result.
func (c *CPU) need(s *x87Step, i uint8) bool {
	if c.fpu.filled(i) {
		return true
	}
	s.stackFault = true
	s.Flags |= softfloat.IE
	return false
}

// room looks for an empty register to push to.
func (c *CPU) room(s *x87Step) bool {
	if !c.fpu.filled(7) {
		return true
	}
	s.stackFault, s.overflow = true, true
	s.Flags |= softfloat.IE
	return false
}

// value returns ST(i) unpacked.
func (c *CPU) value(i uint8) softfloat.Number { return softfloat.Unpack80(*c.fpu.st(i)) }

// commit ends an instruction: it records exceptions and C1, and says whether the result may be written. An unmasked
// exception that was detected before computing forbids that.
func (c *CPU) commit(u *uop.Uop, s *x87Step) bool {
	f := &c.fpu
	if before := s.Flags & softfloat.BeforeResult &^ s.Masked; before != 0 {
		s.Flags &= softfloat.BeforeResult
		s.Up = false
	}
	f.fip = c.ip()
	if !s.keepC1 || s.stackFault {
		f.sw &^= x87C1
	}
	if s.overflow || s.Up && s.Flags&softfloat.PE != 0 {
		f.sw |= x87C1
	}
	if s.stackFault {
		f.sw |= x87SF
	}
	f.sw |= uint16(s.Flags)
	if s.Flags&^s.Masked != 0 {
		f.fop = uint16(u.Aux & 0x7FF)
		if u.Aux&uop.X87HasMemory != 0 {
			f.fdp = c.operandOffset(u)
		}
	}
	f.update()
	return s.Flags&softfloat.BeforeResult&^s.Masked == 0
}

// wrapExponent is what moves the exponent of an unmasked overflow or underflow into range.
const wrapExponent = 24576

// wrapped returns a result for a register. Where overflow or underflow is not masked, its exponent is moved into range
// (SDM vol. 1, 8.5.4 and 8.5.5).
func (s *x87Step) wrapped(r softfloat.Number) softfloat.Float80 {
	if r.Kind == softfloat.Finite && s.Flags&^s.Masked&softfloat.OE != 0 {
		r.Exp -= wrapExponent
	}
	if r.Kind == softfloat.Finite && s.Flags&^s.Masked&softfloat.UE != 0 {
		r.Exp += wrapExponent
	}
	return softfloat.Pack80(r)
}

// set gives ST(i) a value.
func (f *x87State) set(i uint8, v softfloat.Float80) {
	r := (f.top + i) & 7
	f.reg[r] = v
	f.full |= 1 << r
}

func (f *x87State) push(v softfloat.Float80) {
	f.top = (f.top - 1) & 7
	f.set(0, v)
}

func (f *x87State) pop(n int64) {
	for ; n > 0; n-- {
		f.full &^= 1 << f.top
		f.top = (f.top + 1) & 7
	}
}

// indefinite80 is the NaN of masked invalid operations.
var indefinite80 = softfloat.Float80{M: 3 << 62, SE: 0xFFFF}
