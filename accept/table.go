package accept

// HeaderSize is the size in bytes of what comes before the bitmap in a table.
const HeaderSize = 24

// The fields of struct efi_unaccepted_memory (Linux, include/linux/efi.h), little endian, by their offsets.
// The bitmap follows them.
const (
	offVersion  = 0  // u32
	offUnitSize = 4  // u32, bytes
	offPhysBase = 8  // u64, guest-physical address
	offSize     = 16 // u64, bytes
)

// version is the only one that Linux has had, and takes.
const version = 1

// maxAddress ends the memory that a table can be about: a physical address has at most 52 bits
// (Intel SDM volume 3A, section 4.1.4; AMD APM volume 2, section 5.1). A bitmap is thus at most 256 MiB.
const maxAddress = 1 << 52

// A Header is the fixed part of a LINUX_EFI_UNACCEPTED_MEM_TABLE, the configuration table in which Linux's
// EFI stub leaves the bitmap for the kernel. It takes [HeaderSize] bytes, and Size bytes of bitmap follow.
type Header struct {
	PhysBase uint64 // guest-physical address of the first unit, a multiple of UnitSize
	Size     uint64 // of the bitmap, in bytes; each stands for 16 MiB
}

// HeaderFor returns the header of the smallest table that has a bit for every unit in span, the [Range.Union] of
// all memory that is unaccepted. If there is none, Size is 0 and no table is needed.
func HeaderFor(span Range) Header {
	span = span.AlignOut(UnitSize)
	return Header{PhysBase: span.Start, Size: (span.Len()/UnitSize + 7) / 8}
}

// ParseHeader reads the header at the start of table; the bitmap need not be there yet.
// It returns a [*FormatError] if table is shorter than a header, has another version than 1 or another unit than
// 2 MiB, or describes memory that no processor can address.
func ParseHeader(table []byte) (Header, error) {
	h, bad := parseHeader(table)
	return h, bad.orNil()
}

// ReadHeader is [ParseHeader] for those who cannot have an error allocated: ok is false instead.
func ReadHeader(table []byte) (h Header, ok bool) {
	h, bad := parseHeader(table)
	return h, bad.problem == ""
}

func parseHeader(table []byte) (Header, FormatError) {
	if len(table) < HeaderSize {
		return Header{}, FormatError{"length", uint64(len(table)), "a header has 0x18 bytes"}
	}
	if v := le32(table[offVersion:]); v != version {
		return Header{}, FormatError{"version", uint64(v), "only 0x1 is known"}
	}
	if v := le32(table[offUnitSize:]); v != UnitSize {
		return Header{}, FormatError{"unit_size", uint64(v), "only 0x200000 is known"}
	}
	h := Header{PhysBase: le64(table[offPhysBase:]), Size: le64(table[offSize:])}
	if bad := h.check(); bad.problem != "" {
		return Header{}, bad
	}
	return h, FormatError{}
}

// ReadTable returns the bitmap of a whole table, for those who cannot have an error allocated: ok is false where
// [ParseHeader] or [Header.Bitmap] would fail.
func ReadTable(table []byte) (b Bitmap, ok bool) {
	h, ok := ReadHeader(table)
	if !ok || uint64(len(table))-HeaderSize < h.Size {
		return Bitmap{}, false
	}
	return h.over(table[HeaderSize:]), true
}

// Put writes the header to the first [HeaderSize] bytes of table. It panics if table is shorter.
func (h Header) Put(table []byte) {
	table = table[:HeaderSize]
	put32(table[offVersion:], version)
	put32(table[offUnitSize:], UnitSize)
	put64(table[offPhysBase:], h.PhysBase)
	put64(table[offSize:], h.Size)
}

// Bitmap returns the bitmap whose bits are the first h.Size bytes of bits: what follows the header in a table,
// at any alignment. They are left as they are, so for a new bitmap they have to be zero.
// It returns a [*FormatError] if bits is too short, or if a table with h for its header could not be parsed.
func (h Header) Bitmap(bits []byte) (Bitmap, error) {
	if bad := h.check(); bad.problem != "" {
		return Bitmap{}, bad.orNil()
	}
	if n := uint64(len(bits)); n < h.Size {
		return Bitmap{}, &FormatError{"size", h.Size, "there are only " + hex(n) + " bytes"}
	}
	return h.over(bits), nil
}

// over returns the bitmap that bits begin with.
func (h Header) over(bits []byte) Bitmap { return Bitmap{base: h.PhysBase, bits: bits[:h.Size:h.Size]} }

// check returns what is wrong with h, a FormatError without a problem where nothing is.
func (h Header) check() FormatError {
	if h.PhysBase%UnitSize != 0 {
		return FormatError{"phys_base", h.PhysBase, "not a multiple of 0x200000"}
	}
	if h.PhysBase >= maxAddress {
		return FormatError{"phys_base", h.PhysBase, "no physical address has more than 52 bits"}
	}
	// The bitmap is whole bytes, so the last one may have bits for memory that cannot be.
	if h.Size > (maxAddress-h.PhysBase+8*UnitSize-1)/(8*UnitSize) {
		return FormatError{"size", h.Size, "the bitmap goes beyond 52 bits of physical address"}
	}
	return FormatError{}
}

// A FormatError says which field of a table cannot be right, and why.
type FormatError struct {
	field   string // its name in Linux, or "length" of the table itself
	value   uint64
	problem string
}

// Error returns one line with the field's name, its value in hexadecimal and what is wrong with it.
func (e *FormatError) Error() string {
	return "unaccepted memory table: " + e.field + " is " + hex(e.value) + ": " + e.problem
}

func (e FormatError) orNil() error {
	if e.problem == "" {
		return nil
	}
	bad := e // only what is wrong is allocated
	return &bad
}
