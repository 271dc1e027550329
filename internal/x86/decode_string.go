package x86

// stringOp decodes A4–A7 and AA–AF. Src is the size, Scale bit 0 says that addresses and count have 32 bits, Aux is the
// repeat prefix.
func (d *decoder) stringOp(op uint8) {
	kind := map[uint8]uint8{0xA4: stringMOVS, 0xA6: stringCMPS, 0xAA: stringSTOS, 0xAC: stringLODS, 0xAE: stringSCAS}[op&^1]
	d.control(Uop{Op: opString, Dst: kind, Src: uint8(d.byteOr(op)), Scale: bitOf(d.addr32), Seg: d.seg, Base: Zero, Index: Zero, Aux: uint32(d.rep)})
}
