package x86

import (
	"errors"
	"sync/atomic"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// RFLAGS bits (Intel SDM vol. 1, 3.4.3).
const (
	FlagCF = 1 << 0
	flag1  = 1 << 1 // reads as one
	FlagPF = 1 << 2
	FlagAF = 1 << 4
	FlagZF = 1 << 6
	FlagSF = 1 << 7
	FlagTF = 1 << 8
	FlagIF = 1 << 9
	FlagDF = 1 << 10
	FlagOF = 1 << 11
	iopl   = 3 << 12
	FlagNT = 1 << 14
	FlagRF = 1 << 16
	FlagVM = 1 << 17
	FlagAC = 1 << 18

	FlagVIF = 1 << 19
	FlagVIP = 1 << 20
	FlagID  = 1 << 21

	arithmeticFlags = FlagCF | FlagPF | FlagAF | FlagZF | FlagSF | FlagOF
)

// nowhere is a count of instructions that is never reached.
const nowhere = ^uint64(0)

// A CPU is one logical processor. All processors over one memory are driven by one goroutine at a time.
type CPU struct {
	R   [uop.Slots]uint64 // general-purpose registers and operand slots; outside Run, R[Zero] is 0 and R[BlkRIP] is RIP
	X   [uop.XMMSlots]XMM // XMM0–XMM15, and temporaries
	fpu x87State

	flags lazyFlags // the arithmetic flags
	rest  uint64    // RFLAGS without the arithmetic flags

	seg        [6]Segment // ES, CS, SS, DS, FS, GS; the FS and GS bases live in R
	gdtr, idtr tableRegister
	ldtr, tr   Segment
	cpl        uint8

	cr0, cr2, cr3, cr4 uint64
	pdpte              [4]uint64 // of PAE paging outside long mode
	efer, xcr0         uint64
	dr                 [8]uint64
	mxcsr              uint32
	msr                msrs

	id       int
	topology Topology
	platform Platform
	bus      Bus
	mem      *mem.Memory
	code     *codeCache // shared by all processors over mem
	codeSeen uint64     // codeCache.fresh as the TLB follows it
	engine   engine
	native   nativeState
	APIC     *LocalAPIC

	la57     bool
	eferKeep uint64 // bits that EFER may hold

	tlb   tlb
	jumps jumpCache

	// Time. Virtual nanoseconds are icount*nsPerInsn + extra.
	icount    uint64 // instructions completed before the running block
	extra     uint64 // nanoseconds that events have cost, and that were waited
	nsPerInsn uint64
	cost      cost.Model
	tally     cost.Tally    // what extra is made of
	queue     *cost.Queue   // or nil
	deadline  int64         // of the Run under way, in virtual nanoseconds
	hint      func(*CPU)    // or nil
	lockHint  func(*CPU)    // or nil
	busLocks  busLocks      // what software may know of bus locks, and wants to
	spins     bool          // rounds of a loop that changes nothing are counted, not executed
	spun      uint64        // instructions of those
	vain      uint8         // looks for a round that found none, one after the other, up to maxVain
	unlooked  uint8         // how many more times one is not looked for
	busUses   uint64        // how often a device was read by memory-mapped I/O
	lastTSC   *uint64       // what any of the machine's processors has read of the time-stamp counter last
	limit     atomic.Uint64 // icount at which the running stretch ends; 0 asks the loop to look up. Others may store 0: Yield
	yielding  atomic.Bool   // Yield has been called

	at       uint32 // position of the instruction under way: its ordinal in the block, length and byte offset (Uop.at)
	target   uint64 // where a control transfer by a function of the table goes (opGoto)
	stackRef bool   // the memory operand under way is in the stack segment: a non-canonical address is #SS

	// Each of these names a boundary between two instructions, by the count of completed instructions, at which what its
	// comment says is so; nowhere is none.
	shadow    uint64 // interrupts are off: after STI or MOV SS
	shadowSS  bool   // it was MOV SS, which keeps #DB off as well
	repeating uint64 // a repeated string instruction is under way
	resuming  uint64 // RF is set: a breakpoint on the instruction here is passed over
	newTF     uint64 // TF is taken as the instruction left it, not as it found it: after SYSCALL and SYSRET

	pending Exception // raised and not yet delivered
	raised  bool
	faults  faultLoop
	nesting nesting
	nmi     nmi
	halted  bool
	wakes   bool // a pending interrupt ends the halt even where IF is clear
	exit    Exit
	watch   watches
	debug   debugState
	armed   armed
	traps   traps
	exiting bool
	finish  finish

	scratch   [scratchUops]uop.Uop
	part      block     // what cut has made
	beginning []uop.Uop // of part
	random    randomSource

	mode     decode.Mode
	maxBlock int // instructions a block
	tscHz    uint64
}

// A Segment is a segment register with its hidden part.
type Segment struct {
	Selector uint16
	Attr     uint16 // bits 55:40 of the descriptor: type, S, DPL, P, then limit bits, AVL, L, D/B, G
	Limit    uint32
	Base     uint64
}

type tableRegister struct {
	base  uint64
	limit uint16
}

// ID returns the processor's index in the machine, which is its APIC ID where those have no gaps.
func (c *CPU) ID() int { return c.id }

// RIP returns the address of the instruction under way, or, outside Run, of the next one.
func (c *CPU) RIP() uint64 { return c.R[uop.BlkRIP] + uint64(c.at>>16) }

// SetRIP moves execution. Outside Run and in a trap only.
func (c *CPU) SetRIP(rip uint64) { c.R[uop.BlkRIP], c.at = rip, 0 }

// CPL returns the current privilege level, 0 to 3.
func (c *CPU) CPL() int { return int(c.cpl) }

// Is64 says whether code is executed in 64-bit mode, which is neither compatibility mode nor any mode outside long mode.
func (c *CPU) Is64() bool { return c.mode&decode.ModeLegacy == 0 }

// Instructions returns the number of completed instructions, the one under way not counted.
func (c *CPU) Instructions() uint64 { return c.icount + uint64(c.at&0xff) }

// Now returns virtual time in nanoseconds.
func (c *CPU) Now() int64 { return int64(c.Instructions()*c.nsPerInsn + c.extra) }

// MaxTime is where virtual time ends, in nanoseconds: after 146 years. A guest can ask for any time to pass, and time
// must not come round to where it was.
const MaxTime = 1 << 62

// ErrTimeUp is how a run ends that has come to MaxTime.
var ErrTimeUp = errors.New("virtual time is up, after 146 years")

// Charge makes the processor spend what n events cost, and before that wait for processors that have come for the same. A deadline that it reaches is met after the instruction under way.
func (c *CPU) Charge(e cost.Event, n uint64) {
	if c.queue != nil {
		c.contend(c.queue.Wait(e, n, c.Now()))
	}
	c.tally.Add(e, n)
	c.pass(uint64(c.cost.Charge(0, e, n)))
	c.stopBehind()
	if c.hint != nil {
		c.hint(c)
	}
}

// contend lets the time pass that the processor waits for others.
func (c *CPU) contend(lock cost.Lock, ns int64) {
	before := c.extra
	c.pass(uint64(ns))
	c.tally.Contend(lock, int64(c.extra-before))
}

// PutAside has the host put the processor aside, which is about to halt by an exit: where others exit at the same time, it
// waits for them, and they for it.
func (c *CPU) PutAside() {
	if c.queue != nil {
		c.contend(c.queue.Halt(c.Now()))
		c.stopBehind()
	}
}

// Idle lets so many nanoseconds pass in which the processor does nothing, while an instruction is under way.
func (c *CPU) Idle(ns uint64) {
	c.wait(ns)
	c.stopBehind()
}

// wait lets time pass that no event takes.
func (c *CPU) wait(ns uint64) {
	before := c.extra
	c.pass(ns)
	c.tally.Waited += int64(c.extra - before)
}

// pass lets time pass, up to MaxTime.
func (c *CPU) pass(ns uint64) { c.extra = min(c.extra+min(ns, MaxTime), MaxTime) }

// Cost is what the processor charges events by.
func (c *CPU) Cost() cost.Model { return c.cost }

// Tally is what the processor's time went to: its [cost.Tally.Time] is Now, unless that has come to MaxTime. The events
// [cost.Instruction] are the instructions, and those exceptions that cost as much (faultLoop).
func (c *CPU) Tally() cost.Tally {
	t := c.tally
	t.Add(cost.Instruction, c.Instructions())
	return t
}

// stopBehind makes the run loop look up after the instruction under way: time has moved, an interrupt may be due, or
// decoded code is stale.
func (c *CPU) stopBehind() {
	c.limit.Store(0)
	c.finish = finishInstruction
}
