package negotiate

import "github.com/tacit-vm/tacit/accept"

// Header returns the header of a new LINUX_EFI_UNACCEPTED_MEM_TABLE for all unaccepted memory of m. If its Size is 0,
// nothing is unaccepted and no table is needed. A table is allocated while boot services can, so this is asked of a map
// from before ExitBootServices; what the final map has beyond it [Map.Fill] accepts up front.
func (m *Map) Header() accept.Header {
	var span accept.Range
	for r := range m.Unaccepted() {
		span = span.Union(r)
	}
	return accept.HeaderFor(span)
}

// Fill records in b, a new bitmap whose bits are zero, what of m is unaccepted, and has the driver accept what whole
// units cannot stand for: [accept.Split] has the rules. m is the final map: until ExitBootServices the memory is
// firmware's.
//
// It stops at the first error of the driver, after which it is not known what is accepted.
func (m *Map) Fill(b accept.Bitmap, d accept.Driver) error {
	for r := range m.Unaccepted() {
		head, tracked, tail := accept.Split(r, b.Span())
		if err := acceptNow(d, head); err != nil {
			return err
		}
		if err := acceptNow(d, tail); err != nil {
			return err
		}
		b.Mark(tracked)
	}
	return nil
}

// TakeOver returns the bitmap of a table that was installed before the system came, by a kernel that started it through
// kexec or by firmware. It has been filled in, and it is right about memory where the map is out of date: a kernel
// accepts memory and firmware's map does not change. So there is nothing to accept up front, and what the table does not
// mark is not accepted again, which Linux's EFI stub would do: it marks all that the map calls unaccepted
// (drivers/firmware/efi/libstub/unaccepted_memory.c).
//
// What the table marks the system will accept, so that must be memory which the map calls unaccepted, too: the bits are
// as little to be believed as the map. The errors are ErrTableFormat, ErrTableShort and ErrTableContradict.
//
// table is the memory at the address in the list of configuration tables. That is a number of firmware's: the caller
// asks [Map.Readable] first, for the header and then for all of it.
func (m *Map) TakeOver(table []byte) (accept.Bitmap, error) {
	b, ok := accept.ReadTable(table)
	if !ok {
		return accept.Bitmap{}, ErrTableFormat
	}
	gap := accept.Range{Start: b.Span().Start} // what lies before the next unaccepted memory
	for r := range m.Unaccepted() {
		_, tracked, _ := accept.Split(r, accept.Range{Start: 0, End: maxAddress})
		if !tracked.In(b.Span()) {
			return accept.Bitmap{}, ErrTableShort
		}
		gap.End = r.Start
		if b.Any(gap) {
			return accept.Bitmap{}, ErrTableContradict
		}
		gap.Start = r.End
	}
	gap.End = b.Span().End
	if b.Any(gap) {
		return accept.Bitmap{}, ErrTableContradict
	}
	return b, nil
}

// acceptNow has a driver accept a range that may be empty.
func acceptNow(d accept.Driver, r accept.Range) error {
	if r.Empty() {
		return nil
	}
	return d.Accept(r)
}
