package x86

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
	floatEnv
	stackFault bool
	overflow   bool // the stack fault is a push onto a register that is not empty
	keepC1     bool // C1 changes on a stack fault only
}

// begin starts an instruction that loads, stores or computes.
func (c *CPU) begin() x87Step {
	cw := c.fpu.cw
	return x87Step{floatEnv: floatEnv{x87: true, rc: rounding(cw >> x87RCShift & 3), masked: uint8(cw & fpAll)}}
}

// precision is what PC makes of results of addition, multiplication, division and square root; the range stays that of
// the registers (SDM vol. 1, 8.1.5.2).
func (f *x87State) precision() *floatFormat { return &x87Precisions[f.cw>>x87PCShift&3] }

var x87Precisions = [4]floatFormat{
	{24, extended.minExp, extended.maxExp},
	extended, // reserved; silicon takes it for extended precision
	{53, extended.minExp, extended.maxExp},
	extended,
}

// need looks for an operand in ST(i). An empty register is a stack underflow, whose masked response is an indefinite
// result.
func (c *CPU) need(s *x87Step, i uint8) bool {
	if c.fpu.filled(i) {
		return true
	}
	s.stackFault = true
	s.flags |= fpIE
	return false
}

// room looks for an empty register to push to.
func (c *CPU) room(s *x87Step) bool {
	if !c.fpu.filled(7) {
		return true
	}
	s.stackFault, s.overflow = true, true
	s.flags |= fpIE
	return false
}

// value returns ST(i) unpacked.
func (c *CPU) value(i uint8) number { return unpack80(*c.fpu.st(i)) }

// commit ends an instruction: it records exceptions and C1, and says whether the result may be written. An unmasked
// exception that was detected before computing forbids that.
func (c *CPU) commit(u *Uop, s *x87Step) bool {
	f := &c.fpu
	if before := s.flags & fpBefore &^ s.masked; before != 0 {
		s.flags &= fpBefore
		s.up = false
	}
	f.fip = c.RIP()
	if !s.keepC1 || s.stackFault {
		f.sw &^= x87C1
	}
	if s.overflow || s.up && s.flags&fpPE != 0 {
		f.sw |= x87C1
	}
	if s.stackFault {
		f.sw |= x87SF
	}
	f.sw |= uint16(s.flags)
	if s.flags&^s.masked != 0 {
		f.fop = uint16(u.Aux & 0x7FF)
		if u.Aux&x87HasMemory != 0 {
			f.fdp = c.ea(u)
		}
	}
	f.update()
	return s.flags&fpBefore&^s.masked == 0
}

// x87HasMemory in Aux says that the micro-operation has the address of a memory operand.
const x87HasMemory = 1 << 16

// wrapExponent is what moves the exponent of an unmasked overflow or underflow into range.
const wrapExponent = 24576

// wrapped returns a result for a register. Where overflow or underflow is not masked, its exponent is moved into range
// (SDM vol. 1, 8.5.4 and 8.5.5).
func (s *x87Step) wrapped(r number) float80 {
	if r.kind == finite && s.flags&^s.masked&fpOE != 0 {
		r.exp -= wrapExponent
	}
	if r.kind == finite && s.flags&^s.masked&fpUE != 0 {
		r.exp += wrapExponent
	}
	return pack80(r)
}

// set gives ST(i) a value.
func (f *x87State) set(i uint8, v float80) {
	r := (f.top + i) & 7
	f.reg[r] = v
	f.full |= 1 << r
}

func (f *x87State) push(v float80) {
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
var indefinite80 = float80{3 << 62, 0xFFFF}
