package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Memory operands outside 64-bit mode. Their offset, of 16 or 32 bits, is computed into addrTmp. Where segments are flat it is
// the linear address as well, and the access is the one of 64-bit mode; elsewhere an operation looks at the segment
// first and leaves the linear address in uop.TmpLinear.

// address16 is what ModRM.rm names with 16-bit addresses (SDM vol. 2, table 2-1).
var address16 = [8]struct{ base, index, segment uint8 }{
	{uop.RBX, uop.RSI, uop.SegDS}, {uop.RBX, uop.RDI, uop.SegDS}, {uop.RBP, uop.RSI, uop.SegSS}, {uop.RBP, uop.RDI, uop.SegSS},
	{uop.RSI, uop.Zero, uop.SegDS}, {uop.RDI, uop.Zero, uop.SegDS}, {uop.RBP, uop.Zero, uop.SegSS}, {uop.RBX, uop.Zero, uop.SegDS},
}

// legacyAddress reads what follows a ModRM byte that names memory.
func (d *decoder) legacyAddress() {
	u := uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: d.rm, Index: uop.Zero, Seg: uop.Zero}
	segment := uint8(uop.SegDS)
	wide := d.addressForm() == uop.Address32
	switch {
	case !wide:
		a := address16[d.rm]
		u.Op, u.Base, u.Index, segment = uop.Lea16, a.base, a.index, a.segment
		if d.mod == 0 && d.rm == 6 {
			u.Base, segment = uop.Zero, uop.SegDS
			u.Disp = int64(d.imm16())
		}
	case d.rm == 4:
		d.sib(&u)
	case d.rm == 5 && d.mod == 0:
		u.Base = uop.Zero
		u.Disp = int64(int32(d.imm32()))
	}
	switch {
	case d.mod == 1:
		u.Disp = int64(int8(d.imm8()))
	case d.mod == 2 && wide:
		u.Disp = int64(int32(d.imm32()))
	case d.mod == 2:
		u.Disp = int64(int16(d.imm16()))
	}
	if wide && (u.Base == uop.RSP || u.Base == uop.RBP) {
		segment = uop.SegSS
	}
	d.baseSP = wide && u.Base == uop.RSP
	d.operandIn(segment)
	d.emit(u)
}

// operandIn makes addrTmp the offset of the memory operand, in a segment that a prefix may have changed.
func (d *decoder) operandIn(segment uint8) {
	if !d.forced {
		d.segment = segment
	}
	d.memory = uop.Uop{Base: addrTmp, Index: uop.Zero, Seg: uop.Zero}
}

// legacyImplicit is implicit outside 64-bit mode.
func (d *decoder) legacyImplicit(base uint8, n uint32) uop.Uop {
	u := uop.Uop{Op: uop.Lea32, Dst: addrTmp, Base: base, Index: uop.Zero, Seg: uop.Zero}
	if d.addressForm() == uop.Address16 {
		u.Op = uop.Lea16
	}
	d.operandIn(uop.SegDS)
	d.emit(u)
	return uop.Uop{Base: d.linear(n, true), Index: uop.Zero, Seg: uop.Zero}
}

// linear emits the look at the memory operand's segment and returns the slot that has the linear address of n bytes.
func (d *decoder) linear(n uint32, write bool) uint8 {
	if d.mode&ModeFlat != 0 && (d.segment == uop.SegDS || d.segment == uop.SegES || d.segment == uop.SegSS) {
		return addrTmp
	}
	d.emit(uop.Uop{Op: uop.Linear, Dst: uop.TmpLinear, Src: addrTmp, Aux: uint32(d.segment) | n<<8, Imm: int64(bitOf(write))})
	return uop.TmpLinear
}

// legacyAt is at outside 64-bit mode.
func (d *decoder) legacyAt(u uop.Uop) uop.Uop {
	u.Base, u.Index, u.Scale, u.Seg, u.Disp = addrTmp, uop.Zero, 0, uop.Zero, 0
	switch n, write := accessed(&u); {
	case u.Op == uop.Invlpg:
		d.emit(uop.Uop{Op: uop.LinearAddress, Dst: uop.TmpLinear, Src: addrTmp, Aux: uint32(d.segment)})
		u.Base = uop.TmpLinear
	case n != 0:
		u.Base = d.linear(n, write)
	}
	return u
}

// An extent is how many bytes an operation accesses at its address.
type extent struct {
	n     uint32
	write bool
}

var extents = map[uop.Op]extent{
	uop.Load8: {1, false}, uop.Load16: {2, false}, uop.Load32: {4, false}, uop.Load64: {8, false},
	uop.LoadS8x32: {1, false}, uop.LoadS8x64: {1, false}, uop.LoadS16x32: {2, false}, uop.LoadS16x64: {2, false}, uop.LoadS32x64: {4, false},
	uop.LoadW8: {1, true}, uop.LoadW16: {2, true}, uop.LoadW32: {4, true}, uop.LoadW64: {8, true},
	uop.Store8: {1, true}, uop.Store16: {2, true}, uop.Store32: {4, true}, uop.Store64: {8, true},
	uop.LoadX8: {1, false}, uop.LoadX16: {2, false}, uop.LoadX32: {4, false}, uop.LoadX64: {8, false}, uop.LoadX128: {16, false}, uop.LoadX128A: {16, false},
	uop.StoreX8: {1, true}, uop.StoreX16: {2, true}, uop.StoreX32: {4, true}, uop.StoreX64: {8, true}, uop.StoreX128: {16, true}, uop.StoreX128A: {16, true},
	uop.Cmpxchg8b: {8, true}, uop.ClflushLine: {1, false}, uop.Invpcid: {16, false},
	uop.Lgdt: {6, false}, uop.Lidt: {6, false}, uop.Sgdt: {6, true}, uop.Sidt: {6, true},
	uop.FXSAVE: {512, true}, uop.FXRSTOR: {512, false}, uop.LDMXCSR: {4, false}, uop.STMXCSR: {4, true},
	uop.XSAVE: {512 + 64, true}, uop.XSAVEOPT: {512 + 64, true}, uop.XSAVEC: {512 + 64, true}, uop.XRSTOR: {512 + 64, false}, uop.XRSTORS: {512 + 64, false}, uop.Movdir64b: {64, false},
	uop.FLD80: {10, false}, uop.FBLD: {10, false}, uop.FST80: {10, true}, uop.FBSTP: {10, true},
	uop.FNSTSWm: {2, true}, uop.FNSTCW: {2, true}, uop.FLDCW: {2, false},
}

// accessed returns the extent of u's access; none where another operation has loaded the operand.
func accessed(u *uop.Uop) (n uint32, write bool) {
	switch u.Op {
	case uop.JmpFar:
		return uint32(u.Dst) + 2, false
	case uop.Lfs:
		return u.Aux>>8 + 2, false
	case uop.Bound:
		return 2 * u.Aux, false
	case uop.FST, uop.FIST, uop.FISTT:
		return [...]uint32{uop.X87Single: 4, uop.X87Double: 8, uop.X87Int16: 2, uop.X87Int32: 4, uop.X87Int64: 8}[u.Dst], true
	case uop.FNSTENV, uop.FLDENV:
		return 7 * u.Aux, u.Op == uop.FNSTENV
	case uop.FNSAVE, uop.FRSTOR:
		return 7*u.Aux + 80, u.Op == uop.FNSAVE
	}
	e := extents[u.Op]
	return e.n, e.write
}
