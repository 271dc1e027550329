package hostcode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// MakesFlags says that u makes all arithmetic flags, reads none and cannot leave, on every host.
func MakesFlags(u *uop.Uop) bool {
	switch u.Op {
	case uop.Add32, uop.Add64, uop.Or32, uop.Or64, uop.And32, uop.And64, uop.Sub32, uop.Sub64, uop.Xor32, uop.Xor64,
		uop.Cmp8, uop.Cmp16, uop.Cmp32, uop.Cmp64, uop.Test8, uop.Test32, uop.Test64, uop.Neg32, uop.Neg64,
		uop.Shl32, uop.Shl64, uop.Shr32, uop.Shr64, uop.Sar32, uop.Sar64, uop.Imul32, uop.Imul64, uop.Mul64:
		return IsZero(u.Src) || u.Imm == 0
	}
	return false
}

// IgnoresFlags says that u has nothing to do with flags and cannot leave, on every host.
func IgnoresFlags(u *uop.Uop) bool {
	switch u.Op {
	case uop.Mov8, uop.Mov16, uop.Mov32, uop.Mov64:
		return IsZero(u.Src) || u.Imm == 0
	case uop.ZX8, uop.ZX16, uop.SX8x32, uop.SX8x64, uop.SX16x32, uop.SX16x64, uop.SX32x64, uop.Lea32, uop.Lea64, uop.Not32, uop.Not64,
		uop.Mulx64:
		return true
	}
	return false
}

// IsZero says whether a slot always holds 0.
func IsZero(slot uint8) bool { return slot%uop.Slots == uop.Zero || slot%uop.Slots == uop.StackSeg }
