package tdx

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A Driver accepts the memory of a TD. It implements [accept.Driver] for one processor.
type Driver struct {
	Instructions Instructions // [Processor], but for tests

	// No1G keeps the driver from asking for pages of 1 GiB. It sets this itself when the module refuses one, as all
	// modules to this day do: that costs one TDCALL.
	No1G bool

	// SharedBit is the bit of a guest-physical address that makes it shared, [abi.SharedBit] of what TDG.VP.INFO says.
	// Accept does without.
	SharedBit uint64

	regs Registers
	err  Error
}

// maxBusy is how often a page is asked for while the host is at work on it. One of the host's calls takes a few
// microseconds, so that an honest one is long done.
const maxBusy = 1000

// Accept implements [accept.Driver]. Its error is an [*Error].
func (d *Driver) Accept(r accept.Range) error {
	if (r.Start|r.End)%accept.PageSize != 0 {
		// The module would take the low bits for a level.
		return d.failed(Error{GPA: r.Start, Leaf: abi.LeafMemPageAccept, Status: abi.OperandInvalid.With(abi.OperandRCX)})
	}
	for gpa := r.Start; gpa < r.End; {
		l := d.level(gpa, r.End)
		if !d.accept(gpa, l) {
			return &d.err
		}
		gpa += l.Bytes()
	}
	return nil
}

// level returns the size of the largest page at gpa that ends at end or before.
func (d *Driver) level(gpa, end uint64) abi.Level {
	l := abi.Level1G
	if d.No1G {
		l = abi.Level2M
	}
	for l > abi.Level4K && (gpa%l.Bytes() != 0 || end-gpa < l.Bytes()) {
		l--
	}
	return l
}

// accept accepts a page, in smaller ones where the host has mapped those or the module does not know its size. What has
// been found out about this page holds for no other.
func (d *Driver) accept(gpa uint64, l abi.Level) bool {
	switch s := d.pageAccept(gpa, l); {
	case s == abi.Success:
		return true
	case s.Code() == abi.PageSizeMismatch && l > abi.Level4K:
	case s.Code() == abi.OperandInvalid && l == abi.Level1G:
		d.No1G = true
	default:
		d.err = Error{GPA: gpa, Level: l, Leaf: abi.LeafMemPageAccept, Status: s}
		return false
	}
	for end := gpa + l.Bytes(); gpa < end; gpa += (l - 1).Bytes() {
		if !d.accept(gpa, l-1) {
			return false
		}
	}
	return true
}

// pageAccept executes TDG.MEM.PAGE.ACCEPT, again while the host has the page's entry in the secure EPT locked.
func (d *Driver) pageAccept(gpa uint64, l abi.Level) (s abi.Status) {
	for range maxBusy {
		d.regs = Registers{RAX: uint64(abi.LeafMemPageAccept), RCX: abi.PageInfo(gpa, l)}
		d.Instructions.TDCALL(&d.regs)
		s = abi.Status(d.regs.RAX)
		if s.Code() != abi.OperandBusy && s.Code() != abi.OperandBusyHostPriority {
			break
		}
	}
	return s
}

// failed makes e the error of this call.
func (d *Driver) failed(e Error) error {
	d.err = e
	return &d.err
}
