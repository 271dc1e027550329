package x86

import "github.com/tacit-vm/tacit/internal/softfloat"

// x87State is the floating-point unit as FXSAVE sees it.
type x87State struct {
	reg  [8]softfloat.Float80 // R0 to R7; ST(i) is R((top+i) mod 8), MMi is the significand of Ri
	full uint8                // bit i: Ri is not empty
	top  uint8
	cw   uint16
	sw   uint16 // without TOP

	// fip is the address of the last instruction that was not a control instruction. fdp and fop, its memory operand
	// and opcode, follow only those that raised an unmasked exception, as on processors that announce FDP_EXCPTN_ONLY
	// (CPUID.(7,0):EBX[6]). The segments are always 0 (EBX[13]).
	fip, fdp uint64
	fop      uint16
}

// Status word (SDM vol. 1, 8.1.3). Exception flags are in bits 5:0 in the order of softfloat.IE and so on.
const (
	x87SF   = 1 << 6 // stack fault
	x87ES   = 1 << 7 // an unmasked exception is pending
	x87C0   = 1 << 8
	x87C1   = 1 << 9
	x87C2   = 1 << 10
	x87C3   = 1 << 14
	x87Busy = 1 << 15 // the same as ES

	x87TopShift = 11
)

// Control word (SDM vol. 1, 8.1.5). Exception masks are in bits 5:0.
const (
	x87PCShift = 8
	x87RCShift = 10
	x87Initial = 0x37F // all exceptions masked, 64 bits of precision, round to nearest

	cwExist = 0x1F3F // bits that can be written; bit 6 always reads as one
	cwOne   = 1 << 6
)

// reset gives the state that FNINIT and XRSTOR call initial.
func (f *x87State) reset() { *f = x87State{cw: x87Initial} }

// status returns the status word with TOP in place.
func (f *x87State) status() uint16 { return f.sw | uint16(f.top)<<x87TopShift }

// setStatus takes a status word. ES and B are not stored but follow from the flags and masks.
func (f *x87State) setStatus(sw uint16) {
	f.top = uint8(sw >> x87TopShift & 7)
	f.sw = sw &^ (7 << x87TopShift)
	f.update()
}

// setControl takes a control word.
func (f *x87State) setControl(cw uint16) {
	f.cw = cw&cwExist | cwOne
	f.update()
}

// update makes ES and B what flags and masks say.
func (f *x87State) update() {
	f.sw &^= x87ES | x87Busy
	if f.sw&^f.cw&softfloat.AllExceptions != 0 {
		f.sw |= x87ES | x87Busy
	}
}

// st returns ST(i).
func (f *x87State) st(i uint8) *softfloat.Float80 { return &f.reg[(f.top+i)&7] }

// filled says whether ST(i) is not empty.
func (f *x87State) filled(i uint8) bool { return f.full>>((f.top+i)&7)&1 != 0 }
