package firmware

import (
	"errors"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
)

// A processor is what firmware needs of the CPU that calls it. Virtual addresses go through the guest's page tables
// with supervisor rights and raise nothing in the guest; physical accesses are external ones, as a device's.
type processor interface {
	ID() int          // its number; the first is 0
	GPR() *[16]uint64 // the general-purpose registers, by their numbers in instructions
	XMM() *[16]x86.XMM
	RIP() uint64
	SetRIP(uint64)
	Flags() uint64
	SetFlags(uint64)
	CR2() uint64
	State() x86.State
	Long() bool      // whether it is in long mode
	LongMode(launch) // puts the processor into 64-bit mode

	Translate(va uint64, write bool) (gpa uint64, err error)
	ReadVirtual(va uint64, b []byte) error
	WriteVirtual(va uint64, b []byte) error
	ReadPhysical(gpa uint64, b []byte) error
	WritePhysical(gpa uint64, b []byte) error
	Unmapped(err error) bool // whether err says that no page is mapped there, or not for this access

	Now() int64                    // virtual time, in nanoseconds
	Cost() cost.Model              // what events take
	Charge(e cost.Event, n uint64) // makes n events take their time
	Resume()                       // ends its wait for an interrupt
	Idle(ns uint64)                // lets time pass without doing anything
	Instructions() uint64          // completed so far
	Yielding() bool                // whether the run is to stop: what takes long and cannot go on later gives up
}

// Numbers of general-purpose registers.
const (
	rax = x86.RAX
	rcx = x86.RCX
	rdx = x86.RDX
	rsp = x86.RSP
	r8  = x86.R8
	r9  = x86.R9
)

// Boot accepts what is to be accepted up front, writes all that the image is to find in memory, and puts the processor
// at the image's first instruction. The processor is to be in the state in which the platform launches it; Boot keeps
// the bits of CR4 and EFER that are set there.
func (f *Firmware) Boot(c *x86.CPU) error { return f.boot(x86CPU{c}) }

// Call does what the service at gpa does, an address for which [Firmware.Trap] is true and where the processor stands.
// When it returns, the guest can go on. An error is the end of the run: *[Reset], *[Returned], *[Fault],
// [ErrWaitsForever], what the platform refused, or a line for the user.
func (f *Firmware) Call(c *x86.CPU, gpa uint64) error { return f.call(x86CPU{c}, gpa) }

// An x86CPU is a processor of package x86 in the form in which firmware wants it.
type x86CPU struct{ *x86.CPU }

func (c x86CPU) GPR() *[16]uint64        { return (*[16]uint64)(c.R[:]) }
func (c x86CPU) XMM() *[16]x86.XMM       { return (*[16]x86.XMM)(c.X[:]) }
func (c x86CPU) CR2() uint64             { return c.State().CR2 }
func (c x86CPU) Unmapped(err error) bool { return errors.Is(err, x86.ErrFault) }

func (c x86CPU) Long() bool { return c.State().EFER&x86.EFERLMA != 0 }

// Segment attributes: bits 55:40 of the descriptors in the GDT, without the limit's.
const (
	codeAttributes = 0xA09B
	dataAttributes = 0xC093
	wholeLimit     = 0xFFFF_FFFF
)

// LongMode sets what UEFI 2.10, section 2.3.4, has an image find, and what Linux wants beyond that in a confidential
// guest, where it may not change it: EFER.NXE and CR4.MCE.
func (c x86CPU) LongMode(l launch) {
	s := c.State()
	s.CR0 = x86.CR0PE | x86.CR0MP | x86.CR0ET | x86.CR0NE | x86.CR0WP | x86.CR0PG
	s.CR3 = l.pageTables
	s.CR4 |= x86.CR4PAE | x86.CR4MCE | x86.CR4DE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT
	s.EFER |= x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	s.RFLAGS = 1<<1 | flagIF
	s.GDTR = x86.Table{Base: l.gdt, Limit: gdtSize - 1}
	s.IDTR = x86.Table{Base: l.idt, Limit: idtSize - 1}
	code := x86.Segment{Selector: codeSelector, Attr: codeAttributes, Limit: wholeLimit}
	data := x86.Segment{Selector: dataSelector, Attr: dataAttributes, Limit: wholeLimit}
	s.Seg = [6]x86.Segment{data, code, data, data, data, data} // ES, CS, SS, DS, FS, GS
	s.CPL = 0
	c.SetState(&s)
}
