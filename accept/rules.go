package accept

// Split divides r, memory that firmware handed over unaccepted, into what the system must accept up front,
// before it does anything else with its memory, and what it can leave for later: tracked, which a bitmap
// over span records unit by unit (see [Bitmap.Mark]). The three ranges follow one another and make up r;
// each of them may be empty.
//
// These are the rules of Linux's EFI stub (process_unaccepted_memory in
// drivers/firmware/efi/libstub/unaccepted_memory.c):
//
//   - a range shorter than two units is accepted up front, all of it, even if a whole unit lies in it;
//   - so is what shares a unit with memory outside r, at either end;
//   - so is what lies outside span, where the bitmap has no bits.
func Split(r, span Range) (head, tracked, tail Range) {
	if r.Len() >= 2*UnitSize {
		tracked = r.Intersect(span).AlignIn(UnitSize)
	}
	if tracked.Empty() {
		tracked = Range{r.End, r.End}
	}
	return Range{r.Start, tracked.Start}, tracked, Range{tracked.End, r.End}
}

// Guard returns the memory that has to be accepted before a system that may read past the end of a buffer
// uses r. Linux reads strings a word at a time (load_unaligned_zeropad) and relies on an exception where the
// word reaches into a page that is not mapped. Unaccepted memory is mapped, and there the machine ends instead.
// So where r, rounded outward to pages, ends with a unit, the next unit is needed too.
//
// The rule is that of Linux's drivers/firmware/efi/unaccepted_memory.c, where 6.12 does not round to pages yet.
func Guard(r Range) Range {
	r = r.AlignOut(PageSize)
	if guarded := r.End + UnitSize; !r.Empty() && r.End%UnitSize == 0 && guarded > r.End {
		r.End = guarded
	}
	return r
}

// Accept makes r fit for use: it hands each run of unaccepted memory in r to the driver, whole, and then clears its
// bits. What is accepted already is left alone, since accepting twice is fatal. A system that reads past the end of its
// buffers passes [Guard](r). Where several processors accept, they share a [Tracker].
//
// Accept stops at the first error and returns it. The run that failed keeps its bits although a part of it may have
// been accepted: only the driver can know.
func (b Bitmap) Accept(r Range, d Driver) error {
	for run := range b.Runs(r) {
		if err := d.Accept(run); err != nil {
			return err
		}
		b.Clear(run)
	}
	return nil
}
