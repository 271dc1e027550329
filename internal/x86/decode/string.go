package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// stringOp decodes A4–A7 and AA–AF. Src is the size, Scale bit 0 says that addresses and count have 32 bits, Aux is the
// repeat prefix.
func (d *decoder) stringOp(op uint8) {
	d.control(uop.Uop{Op: uop.String, Dst: stringKind(op), Src: uint8(d.byteOr(op)), Scale: bitOf(d.addr32), Seg: d.seg, Base: uop.Zero, Index: uop.Zero, Aux: uint32(d.rep)})
}

func stringKind(op uint8) uint8 {
	return map[uint8]uint8{0xA4: uop.StringMOVS, 0xA6: uop.StringCMPS, 0xAA: uop.StringSTOS, 0xAC: uop.StringLODS, 0xAE: uop.StringSCAS}[op&^1]
}
