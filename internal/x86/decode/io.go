package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Decoding of IN, OUT, INS and OUTS.

// io decodes IN and OUT.
func (d *decoder) io(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := uop.Uop{Op: uop.IO, Dst: uint8(n), Src: uop.Zero}
	if op < 0xE8 {
		u.Imm = int64(d.imm8())
		u.Scale = uop.IOImm
	}
	if op&2 == 0 {
		u.Scale |= uop.IOIn
	}
	d.sensitive(uop.InsnIO, u)
}

// ioString decodes INS and OUTS.
func (d *decoder) ioString(op uint8) {
	n := d.byteOr(op)
	if n == 8 {
		n = 4
	}
	u := uop.Uop{Op: uop.IO, Dst: uint8(n), Seg: d.seg, Scale: uop.IOString}
	if op < 0x6E {
		u.Scale |= uop.IOIn
	}
	if d.rep != 0 {
		u.Scale |= uop.IORep
	}
	if d.addr32 {
		u.Scale |= uop.IOAddr32
	}
	if d.intercepts.Has(uop.InsnIO) {
		u.Aux = uint32(uop.InsnIO) | uint32(u.Op)<<8
		u.Op = uop.Intercept
	}
	d.control(u)
}
