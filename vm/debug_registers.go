package vm

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/internal/x86"
)

// Registers between the processor and gdb.

// general returns the general-purpose registers in the order of their numbers in instructions.
func general(r *gdb.Registers) [16]*uint64 {
	return [16]*uint64{&r.RAX, &r.RCX, &r.RDX, &r.RBX, &r.RSP, &r.RBP, &r.RSI, &r.RDI, &r.R8, &r.R9, &r.R10, &r.R11, &r.R12, &r.R13, &r.R14, &r.R15}
}

// Registers implements [gdb.Target].
func (d *debugger) Registers(cpu int) gdb.Registers {
	c := d.m.cpus[cpu]
	s := c.State()
	kernelGS, _ := c.MSR(x86.MSRKernelGSBase)
	r := gdb.Registers{
		RIP: s.RIP, RFLAGS: uint32(s.RFLAGS), MXCSR: s.MXCSR,
		FSBase: c.R[x86.FSBase], GSBase: c.R[x86.GSBase], KernelGSBase: kernelGS,
		CR0: s.CR0, CR2: s.CR2, CR3: s.CR3, CR4: s.CR4, CR8: s.CR8, EFER: s.EFER,
	}
	for i, v := range general(&r) {
		*v = s.GPR[i]
	}
	for i, v := range []*uint32{&r.ES, &r.CS, &r.SS, &r.DS, &r.FS, &r.GS} { // in the order of x86.State
		*v = uint32(s.Seg[i].Selector)
	}
	for i := range r.XMM {
		binary.LittleEndian.PutUint64(r.XMM[i][:], s.XMM[i][0])
		binary.LittleEndian.PutUint64(r.XMM[i][8:], s.XMM[i][1])
	}
	image := s.X87.Image()
	loadX87(&r, &image)
	return r
}

// SetRegisters implements [gdb.Target].
func (d *debugger) SetRegisters(cpu int, r *gdb.Registers) error {
	c := d.m.cpus[cpu]
	now := d.Registers(cpu)
	if err := settable(&now, r); err != nil {
		return err
	}
	if x87Of(&now) != x87Of(r) || now.MXCSR != r.MXCSR {
		s := c.State()
		image := s.X87.Image()
		storeX87(r, &image)
		s.X87.SetImage(&image)
		s.MXCSR = r.MXCSR
		c.SetState(&s)
	}
	for i, v := range general(r) {
		c.R[i] = *v
	}
	c.R[x86.FSBase], c.R[x86.GSBase] = r.FSBase, r.GSBase
	for i := range r.XMM {
		c.X[i] = x86.XMM{binary.LittleEndian.Uint64(r.XMM[i][:]), binary.LittleEndian.Uint64(r.XMM[i][8:])}
	}
	if r.RFLAGS != now.RFLAGS {
		c.SetFlags(uint64(r.RFLAGS))
	}
	if r.RIP != now.RIP {
		c.SetRIP(r.RIP)
	}
	return nil
}

// settable says what keeps the registers from being what is asked for. Those that decide how the processor works are
// the guest's own.
func settable(now, want *gdb.Registers) error {
	same := *want // but for what may change
	for i, v := range general(&same) {
		*v = *general(now)[i]
	}
	same.RIP, same.RFLAGS, same.XMM, same.MXCSR, same.FSBase, same.GSBase = now.RIP, now.RFLAGS, now.XMM, now.MXCSR, now.FSBase, now.GSBase
	same.ST, same.FCTRL, same.FSTAT, same.FTAG, same.FISEG = now.ST, now.FCTRL, now.FSTAT, now.FTAG, now.FISEG
	same.FIOFF, same.FOSEG, same.FOOFF, same.FOP = now.FIOFF, now.FOSEG, now.FOOFF, now.FOP
	if same != *now {
		return errors.New("segment and control registers are for reading")
	}
	for _, a := range []uint64{want.FSBase, want.GSBase, want.RIP} {
		if uint64(int64(a<<16)>>16) != a {
			return fmt.Errorf("%#x is not canonical", a)
		}
	}
	if want.MXCSR>>16 != 0 {
		return fmt.Errorf("MXCSR has no bits beyond 15, and %#x has", want.MXCSR)
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
