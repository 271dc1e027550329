package abi

// A page state change request is a structure where SW_SCRATCH points: a header, and entries after it (GHCB, "SNP Page
// State Change"). The host works on them from the current entry to the last one and advances the current one; it may
// return early, and is asked again with the structure as it left it. SW_EXITINFO2 is an error, or 0.
const (
	PSCHeaderSize = 8
	PSCEntrySize  = 8
	PSCMaxEntries = 253 // what fits into the shared buffer
)

// A PSCHeader is the header: bits 15:0 the index of the current entry, 31:16 that of the last one, 63:32 reserved. Where
// all is done the current entry is the one after the last.
type PSCHeader uint64

// PSCHeaderOf returns a header with nothing reserved in it.
func PSCHeaderOf(current, last int) PSCHeader {
	return PSCHeader(uint16(current)) | PSCHeader(uint16(last))<<16
}

// Current, Last and Reserved are the header's parts.
func (h PSCHeader) Current() int     { return int(uint16(h)) }
func (h PSCHeader) Last() int        { return int(uint16(h >> 16)) }
func (h PSCHeader) Reserved() uint32 { return uint32(h >> 32) }

// A PSCOperation is what is to become of a page.
type PSCOperation uint64

// Operations. Others are hints.
const (
	PSCPrivate PSCOperation = 1
	PSCShared  PSCOperation = 2
)

// A PSCEntry is an entry: bits 11:0 how many 4 KiB of the page are done, which the host keeps; 51:12 the frame, 55:52 the
// operation, 56 the size.
type PSCEntry uint64

const (
	PSCEntryDone = 0xFFF // mask

	pscEntryLarge = 1 << 56
)

// PSCEntryOf returns an entry of which nothing is done.
func PSCEntryOf(gpa uint64, size PageSize, op PSCOperation) PSCEntry {
	e := PSCEntry(gpa&GFNMask) | PSCEntry(op)<<pscOperation
	if size == Size2M {
		e |= pscEntryLarge
	}
	return e
}

// Done, GPA and Operation are the entry's parts.
func (e PSCEntry) Done() uint64            { return uint64(e & PSCEntryDone) }
func (e PSCEntry) GPA() uint64             { return uint64(e & GFNMask) }
func (e PSCEntry) Operation() PSCOperation { return PSCOperation(e >> pscOperation & 0xF) }

// Size is the size of the entry's page.
func (e PSCEntry) Size() PageSize {
	if e&pscEntryLarge != 0 {
		return Size2M
	}
	return Size4K
}

// A PSCError is SW_EXITINFO2 of a page state change (Linux, VMGEXIT_PSC_ERROR_*); 0 is none.
type PSCError uint64

// Errors.
const (
	PSCGeneric       PSCError = 0x100 << 32
	PSCInvalidHeader PSCError = 1<<32 | 1
	PSCInvalidEntry  PSCError = 1<<32 | 2
)

// String returns the error's name in Linux, or its number.
func (e PSCError) String() string {
	switch e {
	case PSCGeneric:
		return "GENERIC"
	case PSCInvalidHeader:
		return "INVALID_HDR"
	case PSCInvalidEntry:
		return "INVALID_ENTRY"
	}
	return hex(uint64(e))
}
