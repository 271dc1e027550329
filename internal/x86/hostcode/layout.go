package hostcode

// A Layout says where things are: offsets in bytes, most of them from the beginning of the processor's state, and sizes.
type Layout struct {
	R, X  int32 // arrays of slots, of 8 and of 16 bytes
	Flags int32 // 32 bits: the arithmetic flags while the code does not run, as it has them in AX
	Left  int32 // 64 bits, signed: instructions that may still be begun
	Spill int32 // 3 times 64 bits for the code's own use
	Mode  int32 // 8 bits, equal to those of the blocks that may run

	Rest         int32 // 64 bits: RFLAGS without the arithmetic flags
	CPL          int32 // 8 bits
	KernelGSBase int32 // 64 bits: what SWAPGS exchanges
	Selectors    int32 // an array of segment registers, each of which begins with its selector
	Shadow       int32 // 64 bits: the count of instructions at the boundary at which interrupts are off
	ShadowSS     int32 // 8 bits: and #DB is, too
	End          int32 // 64 bits: the count of instructions when none is left
	Waiting      int32 // 8 bits: an interrupt is waiting for IF

	Data     int32 // the address of the TLB for data, an array
	DataBits uint8 // its entries, as a power of two
	Read     int32 // in an entry of it: the tag for loads,
	Write    int32 // for stores,
	Page     int32 // the page's address,
	Where    int32 // and its frame, of which bit 0 says that it is shared
	Unbacked uint8 // the bit of a tag that says that the page is not backed

	Fetch      int32 // the address of the TLB for fetches
	FetchBits  uint8
	FetchTag   int32
	FetchFrame int32

	Jumps     int32 // an array of entries, in the state itself: which block is at an address. See JumpFactor
	JumpBits  uint8
	JumpRIP   int32 // in an entry of it
	JumpBlock int32

	Quick Quick // of SYSCALL and SYSRET

	BlockFrame int32 // in a block: its frame,
	BlockMode  int32 // its mode,
	BlockCode  int32 // and the address of its code
}

// A Quick says where the rest is that SYSCALL and SYSRET use: they change the privilege level, and with it the TLB in use.
type Quick struct {
	EFER, STAR, LSTAR, FMASK int32 // 64 bits each

	NewTF     int32  // 64 bits: the count of instructions at the boundary at which TF is taken as it is there
	WatchUser int32  // 8 bits: somebody wants to know of the first instruction at privilege level 3
	Rest      uint32 // the flags that Layout.Rest may have in 64-bit mode

	// The TLB's arrays, in the state itself: in the kernel, where AC is clear, and in user programs.
	KernelData, KernelFetch, UserData, UserFetch int32

	// Attributes of the segments that the two make of CS and SS, for privilege level 0.
	Code, Stack uint16
}

// Sizes that code counts on: entries of both TLBs have 32 bytes, those of the jump cache and segment registers 16.
const (
	EntryShift  = 5
	JumpShift   = 4
	SegmentSize = 16
	Segments    = 6
)

// JumpFactor says where in the jump cache an address is: the upper JumpBits bits of the lower half of the address, times this, in
// 32 bits. It is 2^32 divided by the golden ratio (Knuth, The Art of Computer Programming, vol. 3, 6.4).
const JumpFactor = 0x9E37_79B1
