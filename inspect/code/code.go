// Package code reads machine code without running it: it follows a UEFI program from its entry points along every
// direct jump and call, and says which boot services the program calls with which GUID and which instructions of
// confidential guests it can reach.
//
// Only what an entry point leads to is read, by jumps and calls and by functions whose address the code takes. Bytes
// that merely lie in the file, a table of GUIDs for instance, are never taken for code, wherever they are; and a GUID
// counts only as the argument of the call that it goes into.
// Compilers keep a GUID in many ways: GCC as two 8-byte immediates, clang as 16 bytes of read-only data or as
// immediates, in either order. So values are followed through registers and the stack rather than bytes compared.
package code

import (
	"fmt"

	"github.com/tacit-vm/tacit/uefi"
)

// A Program is 64-bit x86 code as it lies in a file.
type Program struct {
	File     []byte
	Segments []Segment // what of the file is loaded; addresses are below 4 GiB
	Entries  []uint64  // addresses where it is entered in 64-bit mode

	// Base is what a displacement on an unknown register counts from when a jump goes there. Linux's
	// arch/x86/boot/compressed/head_64.S reaches the rest of itself, after having moved, by way of such a sum.
	Base uint64

	Watch []uint64 // addresses; instructions that form them are told in Facts.References

	// Firmware says that this is a module of UEFI firmware as EDK2 builds them: functions call each other as UEFI's own are
	// called, and pointers to tables are kept in variables. What it does with resource descriptors is told, too.
	Firmware bool
}

// A Segment is a part of the file and where it is loaded.
type Segment struct {
	Address uint64
	Offset  int // in the file, in bytes
	Size    int
}

// Facts is what the code does that could be told from reading it. Offsets are in the file, in bytes.
type Facts struct {
	Instructions int // how many were read
	Services     []ServiceCall
	Special      []Special
	Leaves       []Leaf
	References   []Reference
	Checks       []Bound // comparisons of a resource descriptor's type with that of unaccepted memory
	Marks        []Bound // descriptors that are given that type
	Gaps         []Gap
}

// A Bound is where code of firmware deals with unaccepted memory (PI 1.8, volume 3, section 5.5,
// EFI_RESOURCE_MEMORY_UNACCEPTED), and the address from which on memory is treated in another way there; 0 if none was
// seen.
type Bound struct {
	At    int // offset of the instruction
	Limit uint64
}

// A ServiceCall is a call of a boot service, through the pointer in the UEFI system table.
type ServiceCall struct {
	At      int // offset of the call instruction
	Service uefi.BootService

	// GUID is what the call's first argument points to, if that is known, and Halves are the offsets of the immediates
	// or of the data from which its first and its last eight bytes came.
	GUID    *uefi.GUID
	Halves  [2]int
	Methods []Method // called on what LocateProtocol returned

	Installs []uefi.GUID // protocols, as far as known
}

// A Method is a call through the interface of a protocol.
type Method struct {
	At     int // offset of the call instruction
	Member int // offset in the interface, in bytes
}

// Special is an instruction that only confidential guests execute.
type Special struct {
	At   int
	Name string // of the instruction, such as "TDCALL"
}

// A Leaf is a call of a function that executes TDCALL, with the leaf number in its first argument.
type Leaf struct {
	At     int // offset of the call instruction
	TDCALL int // offset of the TDCALL
	Number uint32
}

// A Reference is an instruction that forms an address of Program.Watch.
type Reference struct {
	At      int // offset of the instruction
	Address uint64
}

// A Gap is a place after which code may be that has not been read.
type Gap struct {
	At  int
	Why string
}

func (g Gap) String() string { return fmt.Sprintf("%s at byte %#x", g.Why, g.At) }

// maxInstructions bounds the time. Linux's EFI stub with its decompressor has about 40,000.
const maxInstructions = 2 << 20

// Read follows p's code from its entries. It terminates for any input and finds what it finds in a fixed order.
func Read(p Program) Facts {
	w := newWalk(p)
	w.run()
	if len(w.variables) > 0 { // now it is known what they hold
		variables := w.variables
		w = newWalk(p)
		w.variables = variables
		w.run()
	}
	return w.result()
}
