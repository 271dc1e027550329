package vm

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/internal/gdb"
)

// Registers between the processor and gdb.

// general returns the general-purpose registers in the order of their numbers in instructions.
func general(r *gdb.Registers) [16]*uint64 {
	return [16]*uint64{&r.RAX, &r.RCX, &r.RDX, &r.RBX, &r.RSP, &r.RBP, &r.RSI, &r.RDI, &r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15}
}

// selectors returns the segment registers in the order of their numbers in instructions.
func selectors(r *gdb.Registers) [6]*uint32 {
	return [6]*uint32{&r.ES, &r.CS, &r.SS, &r.DS, &r.FS, &r.GS}
}

// Registers implements [gdb.Target].
func (d *debugger) Registers(cpu int) gdb.Registers {
	c := d.m.cpus[cpu]
	of := registersOf(c)
	r := gdb.Registers{
		RIP: of.RIP, RFLAGS: uint32(of.RFLAGS), MXCSR: of.MXCSR, FSBase: of.FSBase, GSBase: of.GSBase, KernelGSBase: of.KernelGSBase,
		CR0: of.CR0, CR2: of.CR2, CR3: of.CR3, CR4: of.CR4, CR8: of.CR8, EFER: of.EFER,
	}
	for i, v := range general(&r) {
		*v = *of.general()[i]
	}
	for i, v := range selectors(&r) {
		*v = uint32(*of.selectors()[i])
	}
	for i := range r.XMM {
		binary.LittleEndian.PutUint64(r.XMM[i][:], of.XMM[i][0])
		binary.LittleEndian.PutUint64(r.XMM[i][8:], of.XMM[i][1])
	}
	x87 := c.State().X87
	image := x87.Image()
	loadX87(&r, &image)
	return r
}

// SetRegisters implements [gdb.Target].
func (d *debugger) SetRegisters(cpu int, r *gdb.Registers) error {
	c := d.m.cpus[cpu]
	want := Registers{
		RIP: r.RIP, RFLAGS: uint64(r.RFLAGS), MXCSR: r.MXCSR, FSBase: r.FSBase, GSBase: r.GSBase, KernelGSBase: r.KernelGSBase,
		CR0: r.CR0, CR2: r.CR2, CR3: r.CR3, CR4: r.CR4, CR8: r.CR8, EFER: r.EFER,
	}
	for i, v := range want.general() {
		*v = *general(r)[i]
	}
	for i, v := range want.selectors() {
		s := *selectors(r)[i]
		if *v = uint16(s); uint32(*v) != s {
			return fmt.Errorf("a selector has 16 bits, and %#x has more", s)
		}
	}
	for i := range r.XMM {
		want.XMM[i] = [2]uint64{binary.LittleEndian.Uint64(r.XMM[i][:]), binary.LittleEndian.Uint64(r.XMM[i][8:])}
	}
	now := d.Registers(cpu)
	if err := setRegisters(c, &want); err != nil {
		return err
	}
	if x87Of(&now) != x87Of(r) {
		s := c.State()
		image := s.X87.Image()
		storeX87(r, &image)
		s.X87.SetImage(&image)
		c.SetState(&s)
	}
	return nil
}

// Offsets in the FXSAVE area in its 64-bit format (SDM vol. 1, table 10-2). Its tag word has one bit a register: not
// empty.
const (
	fxFCW, fxFSW, fxFTW, fxFOP = 0, 2, 4, 6
	fxFIP, fxFDP               = 8, 16
	fxST                       = 32
)

// x87Image is as much of the area as the x87 state takes.
type x87Image = [160]byte

// x87Of returns the x87 registers in a form that can be compared.
func x87Of(r *gdb.Registers) (b x87Image) {
	storeX87(r, &b)
	return b
}

func loadX87(r *gdb.Registers, b *x87Image) {
	le := binary.LittleEndian
	r.FCTRL, r.FSTAT, r.FOP = uint32(le.Uint16(b[fxFCW:])), uint32(le.Uint16(b[fxFSW:])), uint32(le.Uint16(b[fxFOP:]))
	fip, fdp := le.Uint64(b[fxFIP:]), le.Uint64(b[fxFDP:])
	r.FIOFF, r.FISEG, r.FOOFF, r.FOSEG = uint32(fip), uint32(fip>>32), uint32(fdp), uint32(fdp>>32)
	top := int(r.FSTAT >> 11 & 7)
	for i := range r.ST {
		copy(r.ST[i][:], b[fxST+16*i:])
		physical := (top + i) & 7
		tag := tagOf(&r.ST[i])
		if b[fxFTW]>>physical&1 == 0 {
			tag = tagEmpty
		}
		r.FTAG |= tag << (2 * physical)
	}
}

func storeX87(r *gdb.Registers, b *x87Image) {
	le := binary.LittleEndian
	le.PutUint16(b[fxFCW:], uint16(r.FCTRL))
	le.PutUint16(b[fxFSW:], uint16(r.FSTAT))
	le.PutUint16(b[fxFOP:], uint16(r.FOP))
	le.PutUint64(b[fxFIP:], uint64(r.FISEG)<<32|uint64(r.FIOFF))
	le.PutUint64(b[fxFDP:], uint64(r.FOSEG)<<32|uint64(r.FOOFF))
	b[fxFTW] = 0
	for i := range r.ST {
		copy(b[fxST+16*i:], r.ST[i][:])
		if r.FTAG>>(2*i)&3 != tagEmpty {
			b[fxFTW] |= 1 << i
		}
	}
}

// Tags of the tag word as FSAVE stores it (SDM vol. 1, 8.1.7).
const (
	tagValid = iota
	tagZero
	tagSpecial
	tagEmpty
)

func tagOf(st *[10]byte) uint32 {
	significand, exponent := binary.LittleEndian.Uint64(st[:]), binary.LittleEndian.Uint16(st[8:])&0x7FFF
	switch {
	case exponent == 0 && significand == 0:
		return tagZero
	case exponent == 0, exponent == 0x7FFF, significand>>63 == 0:
		return tagSpecial
	}
	return tagValid
}
