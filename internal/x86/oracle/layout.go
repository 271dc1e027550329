package oracle

// Where things lie in the child that runs cases on silicon. The interpreter's guest has the windows at the same
// addresses, and nothing else below 4 GiB: an address that a case is not meant to reach faults in both.
//
// The windows lie within 2 GiB of each other, for RIP-relative operands, and below 4 GiB, for 32-bit addresses. What
// belongs to the child's own program lies out of the reach of both.
const (
	pageSize = 4096

	// codeBase is the code window: two pages to execute and read, and nothing after them. What is not a case's code is
	// INT3.
	codeBase  = 0x4000_0000
	codePages = 2
	codeEnd   = codeBase + codePages*pageSize

	// arenaBase is the data window: pages to read and write, to read and write, to read only, to read and write;
	// nothing before and after them. Every boundary between two pages is one that an operand can cross: into the same,
	// into less, into nothing.
	arenaBase     = 0x5000_0000
	arenaPages    = 4
	arenaReadOnly = 2 // number of the page that cannot be written
	arenaSize     = arenaPages * pageSize
	arenaEnd      = arenaBase + arenaSize

	// The segment bases that a case starts with: one that needs 64-bit wrap-around to get back to the arena, one from
	// which 32-bit offsets reach it.
	fsBase = 0x6543_2109_8760
	gsBase = 0x4fff_f008

	// codeBytes bounds the code of a case, in bytes.
	codeBytes = 64
)
