package alloc

// The errors of this package are values that exist before they are needed: where memory is short there is none for a
// description. A call returns one of these, an error of its driver, or [accept.ErrBroken].
var (
	// ErrNoMemory means that no memory of the wanted size is free, accepted or not.
	ErrNoMemory error = failure("no memory of that size is free")

	// ErrSize means that there are no blocks of the wanted size: an order outside [0, MaxOrder], or less than one unit.
	ErrSize error = failure("no such size of memory")

	// ErrBadFree means that what was to be freed is not in use: it was freed before, or never handed out, or is not
	// this allocator's, or not aligned to its size. Nothing has been changed.
	ErrBadFree error = failure("freed memory is not in use")

	// ErrRAM is about a Config: its RAM is empty, or reaches beyond the 52 bits of a physical address.
	ErrRAM error = failure("no memory to allocate, or beyond 52 bits of address")

	// ErrBooks is about a Config: its Books are shorter than Words says.
	ErrBooks error = failure("too little memory for the books")
)

type failure string

func (f failure) Error() string { return "alloc: " + string(f) }
