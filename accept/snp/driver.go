package snp

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A Driver accepts the memory of an SEV-SNP guest. It implements [accept.Driver] for one processor.
type Driver struct {
	Instructions Instructions // [Processor], but for tests

	// DirectMap leads to memory, which PVALIDATE takes by virtual address: guest-physical address g is mapped, with
	// C-bit, at g + DirectMap, which may overflow. It is a multiple of 2 MiB. Where firmware maps all memory at its
	// physical address it is 0.
	DirectMap uint64

	// EvictCaches makes the driver read from each page that it has validated. It is needed where CPUID
	// ([abi.CPUIDLeaf]) lacks [abi.CPUIDCoherencySFWNo].
	EvictCaches bool

	// GHCB is used after [Driver.RegisterGHCB], and before that need not be there.
	GHCB GHCB

	registered bool
	err        Error
}

// Accept implements [accept.Driver]. Its error is an [*Error].
func (d *Driver) Accept(r accept.Range) error { return d.convert(r, abi.PSCPrivate) }

// MakePrivate is Accept: memory that has been shared is private again, with junk in it, where page tables map it with
// C-bit. They do so before this is called.
func (d *Driver) MakePrivate(r accept.Range) error { return d.Accept(r) }

// MakeShared takes validation back from r, whose ends are multiples of [accept.PageSize], and has the host make it shared
// memory. What was there is lost. Page tables map it with C-bit until then, and without afterwards. Its error is an
// [*Error].
func (d *Driver) MakeShared(r accept.Range) error { return d.convert(r, abi.PSCShared) }

// RegisterGHCB tells the host where this processor's GHCB is, a page that is shared already, and uses it from now on. Its
// error is an [*Error].
func (d *Driver) RegisterGHCB() error {
	gpa := d.GHCB.GPA
	response := Request(d.Instructions, gpa|uint64(abi.CodeRegisterRequest))
	if response != gpa|uint64(abi.CodeRegister) {
		return d.failed(Error{Cause: Unregistered, GPA: gpa, Info1: response})
	}
	d.Instructions.SetGHCBMSR(gpa)
	d.registered = true
	return nil
}

// convert makes r private or shared, as much at a time as the host can be asked for at once.
func (d *Driver) convert(r accept.Range, op abi.PSCOperation) error {
	if (r.Start|r.End)%accept.PageSize != 0 {
		return d.failed(Error{Cause: BadRange, GPA: r.Start})
	}
	for r.Start < r.End {
		part := d.part(r)
		ok := false
		if op == abi.PSCPrivate {
			ok = d.changeState(part, op) && d.pvalidate(part, true)
		} else {
			ok = d.pvalidate(part, false) && d.changeState(part, op)
		}
		if !ok {
			return &d.err
		}
		r.Start = part.End
	}
	return nil
}

// part returns the beginning of r that one request holds: a page in the GHCB MSR, 253 entries in a GHCB.
func (d *Driver) part(r accept.Range) accept.Range {
	part := accept.Range{Start: r.Start, End: r.Start}
	if !d.registered {
		part.End += accept.PageSize
		return part
	}
	for n := 0; n < abi.PSCMaxEntries && part.End < r.End; n++ {
		part.End += sizeAt(part.End, r.End).Bytes()
	}
	return part
}

// sizeAt returns the size of the largest page at gpa that ends at end or before. Of a part the pages are those of the
// whole range.
func sizeAt(gpa, end uint64) abi.PageSize {
	if gpa%abi.Size2M.Bytes() == 0 && end-gpa >= abi.Size2M.Bytes() {
		return abi.Size2M
	}
	return abi.Size4K
}

// pvalidate validates the pages of a part, or rescinds that.
func (d *Driver) pvalidate(part accept.Range, validate bool) bool {
	for gpa := part.Start; gpa < part.End; {
		size := sizeAt(gpa, part.End)
		if !d.pvalidatePage(gpa, size, validate) {
			return false
		}
		gpa += size.Bytes()
	}
	return true
}

// pvalidatePage validates a page, or rescinds that, in small ones where the RMP has those.
func (d *Driver) pvalidatePage(gpa uint64, size abi.PageSize, validate bool) bool {
	result, unchanged := d.Instructions.PVALIDATE(gpa+d.DirectMap, size, validate)
	end := gpa + size.Bytes()
	switch {
	case result == abi.FailSizeMismatch && size == abi.Size2M:
		for ; gpa < end; gpa += abi.Size4K.Bytes() {
			if !d.pvalidatePage(gpa, abi.Size4K, validate) {
				return false
			}
		}
		return true
	case result != abi.Success || unchanged:
		// Where it did not succeed CF says nothing.
		d.err = Error{Cause: Rescind, GPA: gpa, Size: size, Result: result, Unchanged: unchanged && result == abi.Success}
		if validate {
			d.err.Cause = Validate
		}
		return false
	}
	if validate && d.EvictCaches {
		for ; gpa < end; gpa += abi.Size4K.Bytes() {
			d.Instructions.Evict(gpa + d.DirectMap)
		}
	}
	return true
}

// failed makes e the error of this call.
func (d *Driver) failed(e Error) error {
	d.err = e
	return &d.err
}
