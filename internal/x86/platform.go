package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A Platform is what the processor's surroundings do to it: the confidential-computing architecture, or its absence.
// The processor asks it where a guest-physical address leads, and hands it the instructions it intercepts. A platform
// is policy-free rules; what a host decides within them is the platform's own consumer-declared interface.
//
// Except for Resolve, which is called once for each translation that enters the TLB, no method is on the fast path.
type Platform interface {
	// ReservedBits returns the bits of a page-table entry's address field (51:12) that must be zero. The shared bit and
	// the C-bit are not among them.
	ReservedBits() uint64

	// Unpaged returns the bits that an address has, as Resolve takes it, where no page-table entry could give it any: with
	// paging off, and with entries of 32 bits. They say which plane such accesses go to.
	Unpaged() uint64

	// Resolve says where gpa leads, as a page-table entry or CR3 holds it (with shared bit or C-bit). It is called only
	// for accesses that will be made, so it may have effects (a host adding a page). The refusal is nil where the
	// access may go on.
	Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal)

	// ResolveDevice says where gpa leads for a device that reads or writes there: to memory that the architecture lets
	// devices reach, or nowhere. The address has neither shared bit nor C-bit of its own meaning. No processor is
	// involved, so there is nothing to raise, and the guest's host is not asked.
	ResolveDevice(gpa uint64, write bool) (Translation, error)

	// Intercepts is the set of instructions that are given to Intercept. It must not change after the first
	// instruction: the decoder asks it.
	Intercepts() uop.InstructionSet

	// Intercept does an instruction's work, raises what it raises ([CPU.Raise]), ends the run ([CPU.Stop]), or says
	// that the processor is to do it natively.
	Intercept(c *CPU, in *Instruction) Action

	// CPUID returns EAX, EBX, ECX, EDX of a leaf. It is used where CPUID is not intercepted or was answered Native.
	CPUID(c *CPU, leaf, subleaf uint32) [4]uint32

	// ReadMSR and WriteMSR serve the registers that the processor itself does not have, and may overrule it for those
	// that it has: Native leaves the register to the processor, which raises #GP where it knows none of that number.
	ReadMSR(c *CPU, index uint32) (uint64, Action)
	WriteMSR(c *CPU, index uint32, value uint64) Action

	// WriteCR guards a write of CR0 (0), CR4 (4) or EFER ([GuardEFER]), before the processor looks whether it takes the
	// value ([CPU.Takes]).
	WriteCR(c *CPU, which int, value uint64) Action
}

// GuardEFER is the number under which Platform.WriteCR hears of EFER.
const GuardEFER = 0x100

// A Bus takes port and memory-mapped I/O that reaches devices. Sizes are 1, 2, 4 and for memory 8 bytes.
type Bus interface {
	In(port uint16, size int) uint32
	Out(port uint16, size int, value uint32)
	Read(gpa uint64, size int) uint64
	Write(gpa uint64, size int, value uint64)
	Claims(gpa uint64) bool
}

// Traps recognises entry points by guest-physical address: a fetch from one ends [CPU.Run] with [ExitTrap] before the
// instruction there is looked at.
type Traps interface {
	Trap(gpa uint64) bool
}

// An AccessKind says who makes a memory access.
type AccessKind uint8

// Kinds of access. A walk is the processor's own read of a paging structure, WalkWrite its update of an accessed or
// dirty bit. External is an access that no guest instruction makes: firmware on the guest's behalf, or a debugger. It reaches
// what the guest's own instructions would reach, and changes nothing else; devices are another matter:
// [Platform.ResolveDevice].
const (
	Read AccessKind = iota
	Write
	Fetch
	Walk
	WalkWrite
	ExternalRead
	ExternalWrite
)

var accessNames = [...]string{"read", "write", "instruction fetch", "page walk", "page-table update", "external read", "external write"}

func (k AccessKind) String() string { return accessNames[k] }

// Writes says whether the access stores.
func (k AccessKind) Writes() bool { return k == Write || k == WalkWrite || k == ExternalWrite }

// An Access is one use of a guest-physical address.
type Access struct {
	Kind AccessKind
	GVA  uint64 // the guest-virtual address that led here; for a walk the one being translated; 0 for external accesses
	User bool   // made with user privilege
}

// A Translation is where a guest-physical page leads: to a frame of memory, or to the bus.
type Translation struct {
	Host     unsafe.Pointer // the page's 4 KiB in the host, nil where MMIO is set
	Frame    mem.Frame
	MMIO     bool
	ReadOnly bool   // it holds for reads only: the first store asks again
	GPA      uint64 // the address without shared bit or C-bit, as the bus sees it
}

// A Refusal is why an access cannot go on: an exception for the guest or the end of the run. Exactly one field is set.
type Refusal struct {
	Exception *Exception
	Stop      error
}

// An Action is what became of an intercepted instruction.
type Action uint8

const (
	Native Action = iota // the processor is to execute it as if nothing had intercepted it
	Done                 // it has been executed; go on after it
	Again                // nothing was done; execute it again (after an interrupt, if one is due)
	Raised               // an exception was raised or the run stopped; the instruction did not complete
)

// An Instruction is an intercepted instruction with what the platform cannot see in the registers.
type Instruction struct {
	Kind   uop.InstructionKind
	Length int // bytes, prefixes included

	// For InsnIO.
	Port   uint16
	Size   int  // 1, 2 or 4 bytes
	In     bool // IN or INS
	String bool // INS or OUTS
	Rep    bool
	Imm    bool // the port stands in the instruction

	// For InsnDR.
	Register int  // number of the debug register
	Write    bool // MOV to it
	GPR      int  // the general-purpose register that is the other operand
}
