package oracle

// A Case is one experiment: a few bytes of code, nearly always one instruction, and the state in which they run. It
// ends with the first exception, which for a case that goes well is the #BP of the INT3 after the code.
type Case struct {
	Name string // the instruction forms, as the manual writes them
	Code []byte // at In.RIP, at most 64 bytes
	In   State
	Mem  []Bytes // contents of the arena where they are not zero; later ones lie over earlier ones
	Skip Skip

	names []string // of the instructions in Code, and where each ends; nil where that is not known
	ends  []int
}

// A State is what user code can see of a processor.
type State struct {
	GPR   [16]uint64 // by register number: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8–R15
	RIP   uint64
	Flags uint64 // RFLAGS
	XMM   [16][2]uint64
	MXCSR uint32
	X87   X87
}

// X87 is the floating-point unit as FXSAVE shows it (SDM vol. 1, 10.5.1), without the pointers to the last instruction.
type X87 struct {
	FCW, FSW uint16
	FTW      uint8 // abridged: bit i set where physical register i is not empty
	ST       [8]Float80
}

// A Float80 is an extended double: 64 bits of significand with its integer bit, and sign and exponent.
type Float80 struct {
	Significand uint64
	SignExp     uint16
}

// Bytes are contents of memory.
type Bytes struct {
	Addr uint64
	Data []byte
}

// A Span is part of memory, in bytes.
type Span struct {
	Addr uint64
	Len  int
}

// Skip is what is not compared because the manual leaves it undefined, or to the model.
type Skip struct {
	Flags uint64 // after the last instruction
	Early uint64 // flags where the case ends before that
	FSW   uint16 // bits of the x87 status word
	CR2   bool
	Mem   []Span // parts of the arena
}

// An Outcome is how a case ended.
type Outcome struct {
	State
	FSBase, GSBase uint64

	Vector uint8
	Code   uint32 // error code; 0 where the exception has none
	CR2    uint64 // where Vector is #PF

	Arena []byte // all of it; valid until the next batch
	Err   error  // the case did not end, or took the processor with it
}

// Exception vectors that user code can raise (SDM vol. 3, table 7-1).
const (
	vectorDE = 0
	vectorDB = 1
	vectorBP = 3
	vectorOF = 4
	vectorUD = 6
	vectorSS = 12
	vectorGP = 13
	vectorPF = 14
	vectorMF = 16
	vectorAC = 17
	vectorXM = 19
)

// RFLAGS bits (SDM vol. 1, 3.4.3).
const (
	flagCF = 1 << 0
	flag1  = 1 << 1
	flagPF = 1 << 2
	flagAF = 1 << 4
	flagZF = 1 << 6
	flagSF = 1 << 7
	flagTF = 1 << 8
	flagIF = 1 << 9
	flagDF = 1 << 10
	flagOF = 1 << 11
	flagNT = 1 << 14
	flagRF = 1 << 16
	flagAC = 1 << 18
	flagID = 1 << 21

	arithmeticFlags = flagCF | flagPF | flagAF | flagZF | flagSF | flagOF
)

// Register numbers that instructions use implicitly.
const (
	rax = iota
	rcx
	rdx
	rbx
	rsp
	rbp
	rsi
	rdi
)

// arena writes the contents of the arena at the start of the case into b, arenaSize bytes.
func (c *Case) arena(b []byte) {
	clear(b)
	for _, m := range c.Mem {
		if m.Addr >= arenaBase && m.Addr < arenaEnd {
			copy(b[m.Addr-arenaBase:], m.Data)
		}
	}
}

// BatchSize is how many cases [Silicon.Run] takes at once.
const BatchSize = 64
