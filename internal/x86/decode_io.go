package x86

// Decoding of IN, OUT, INS and OUTS.

// io decodes IN and OUT.
func (d *decoder) io(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := Uop{Op: opIO, Dst: uint8(n), Src: Zero}
	if op < 0xE8 {
		u.Imm = int64(d.imm8())
		u.Scale = ioImm
	}
	if op&2 == 0 {
		u.Scale |= ioIn
	}
	d.sensitive(InsnIO, u)
}

// ioString decodes INS and OUTS.
func (d *decoder) ioString(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := Uop{Op: opIO, Dst: uint8(n), Seg: d.seg, Scale: ioString}
	if op < 0x6E {
		u.Scale |= ioIn
	}
	if d.rep != 0 {
		u.Scale |= ioRep
	}
	if d.addr32 {
		u.Scale |= ioAddr32
	}
	if d.intercepts.Has(InsnIO) {
		u.Aux = uint32(InsnIO) | uint32(u.Op)<<8
		u.Op = opIntercept
	}
	d.control(u)
}
