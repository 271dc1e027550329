package x86

import (
	"cmp"
	"errors"
	"fmt"
	"unsafe"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A Config describes a processor. All but its ID is the same for all processors of a machine, which are those over one
// memory: of Traps and CodeBytes, of what Platform intercepts, and of whether there is a LockHint, the last one's counts.
type Config struct {
	ID         int      // index of the processor
	Topology   Topology // of the machine that it is one of; the zero Topology is [Flat] of one
	Memory     *mem.Memory
	Platform   Platform
	Bus        Bus
	Traps      Traps      // may be nil
	Cost       cost.Model // what events take; the zero Model makes an instruction take 1 ns, and all else nothing
	TSCHz      uint64     // 0 means 1 GHz
	TimerHz    uint64     // of the local APIC's timer before division, a divisor of 1 GHz; 0 means APICTimerHz
	BlockLimit int        // instructions a block at most; 0 means no limit of its own
	CodeBytes  int        // of the host's memory that the machine's decoded code may take, about; 0 means [DefaultCodeBytes]
	LA57       bool       // linear addresses may have 57 bits, and page tables five levels
	Seed       uint64     // of RDRAND and RDSEED
	NoRandom   bool       // they find nothing, as with broken hardware
	EFER       uint64     // bits that EFER has in addition to SCE, LME, LMA and NXE, as CPUID announces them; they are kept and do nothing
	Engine     EngineKind // for EngineTranslator [TranslatorAvailable] has to be nil; else Run ends with its error

	// TranslateAfter is how often EngineTranslator enters a block before it translates it; 0 means its own choice. It must
	// not matter.
	TranslateAfter int

	// LastTSC keeps the highest value of the time-stamp counter that software has read, on any of the machine's processors:
	// none reads a lower one later. Processors take turns, and one may be a little ahead of another, which software must not
	// see. Nil where there is one processor.
	LastTSC *uint64

	// BusLocks says that software may ask for a #DB after bus locks (DetectBusLocks), and finds them in DR6. Then the private plane is
	// write-back memory whatever page tables say (TDX module, sept_manager.c: IPAT in each leaf), and of the shared one they decide.
	BusLocks bool

	// Spins has rounds of a loop that changes nothing counted, and not executed (spin.go). It must not matter.
	Spins bool

	// Queue is where processors wait for each other, in what events of the cost model are not done in parallel. Nil where
	// there is one processor.
	Queue *cost.Queue

	// Hint hears after each event that costs time: the processor has dealt with something outside itself, at the end of an
	// instruction. It must change nothing but when Run returns. It may be nil.
	Hint func(c *CPU)

	// LockHint hears of each instruction that has locked memory, at its end, as Hint does. It may be nil.
	LockHint func(c *CPU)
}

// New returns a processor with all registers zero; SetState gives it a state.
func New(cfg Config) *CPU {
	if cfg.Topology == (Topology{}) {
		cfg.Topology = Flat(1)
	}
	c := &CPU{
		id: cfg.ID, topology: cfg.Topology, mem: cfg.Memory, platform: cfg.Platform, bus: cfg.Bus, code: codeOf(&cfg),
		cost: cfg.Cost, nsPerInsn: uint64(max(cfg.Cost.NS(cost.Instruction), 1)), tscHz: cfg.TSCHz, maxBlock: maxBlock,
		lastTSC: cfg.LastTSC, queue: cfg.Queue, hint: cfg.Hint, lockHint: cfg.LockHint, spins: cfg.Spins,
		random: randomSource{cfg.Seed ^ uint64(cfg.ID)<<32, cfg.NoRandom}, eferKeep: eferKeep | cfg.EFER, la57: cfg.LA57, busLocks: busLocks{known: cfg.BusLocks},
	}
	c.code.cpus = append(c.code.cpus, c)
	if c.tscHz == 0 {
		c.tscHz = 1_000_000_000
	}
	if cfg.BlockLimit > 0 {
		c.maxBlock = min(cfg.BlockLimit, maxBlock)
	}
	c.msr.pat = ResetPAT
	c.APIC = newLocalAPIC(c, cmp.Or(cfg.TimerHz, APICTimerHz))
	c.fpu.reset()
	c.mxcsr = 0x1F80
	c.xcr0 = 1
	c.rest = 0
	c.shadow, c.repeating, c.resuming, c.newTF = nowhere, nowhere, nowhere, nowhere
	for m := range c.tlb.data {
		c.tlb.data[m] = emptyData
	}
	c.flushTLB()
	c.selectTLB()
	c.jumps.clear()
	c.chooseEngine(&cfg)
	return c
}

// A Table is GDTR or IDTR.
type Table struct {
	Base  uint64
	Limit uint16
}

// A State is what software sees of a processor, apart from model-specific registers and the local APIC.
type State struct {
	GPR                                 [16]uint64
	RIP, RFLAGS                         uint64
	Seg                                 [6]Segment // ES, CS, SS, DS, FS, GS
	GDTR, IDTR                          Table
	LDTR, TR                            Segment
	CR0, CR2, CR3, CR4, CR8, EFER, XCR0 uint64
	DR                                  [8]uint64
	XMM                                 [16]XMM
	MXCSR                               uint32
	CPL                                 int
	X87                                 x87State
}

// State returns the processor's state.
func (c *CPU) State() State {
	s := State{
		RIP: c.ip(), RFLAGS: c.Flags(), Seg: c.seg,
		GDTR: Table{c.gdtr.base, c.gdtr.limit}, IDTR: Table{c.idtr.base, c.idtr.limit}, LDTR: c.ldtr, TR: c.tr,
		CR0: c.cr0, CR2: c.cr2, CR3: c.cr3, CR4: c.cr4, CR8: c.APIC.taskPriority() >> 4, EFER: c.efer, XCR0: c.xcr0,
		DR: c.dr, MXCSR: c.mxcsr, CPL: int(c.cpl), X87: c.fpu,
	}
	copy(s.GPR[:], c.R[:16])
	copy(s.XMM[:], c.X[:16])
	s.Seg[uop.SegFS].Base, s.Seg[uop.SegGS].Base = c.R[uop.FSBase], c.R[uop.GSBase]
	return s
}

// SetState replaces the processor's state and forgets all translations.
func (c *CPU) SetState(s *State) {
	copy(c.R[:16], s.GPR[:])
	copy(c.X[:16], s.XMM[:])
	for i := range s.Seg {
		c.setSegment(i, s.Seg[i])
	}
	c.gdtr, c.idtr = tableRegister{s.GDTR.Base, s.GDTR.Limit}, tableRegister{s.IDTR.Base, s.IDTR.Limit}
	c.ldtr, c.tr = s.LDTR, s.TR
	c.cr0, c.cr2, c.cr3, c.cr4, c.efer, c.xcr0 = s.CR0, s.CR2, s.CR3, s.CR4, s.EFER, s.XCR0
	c.APIC.setTaskPriority(s.CR8 << 4)
	c.dr, c.mxcsr, c.cpl, c.fpu = s.DR, s.MXCSR, uint8(s.CPL), s.X87
	c.restoreFlags(s.RFLAGS)
	c.halted, c.raised = false, false
	c.shadow, c.repeating, c.resuming, c.newTF = nowhere, nowhere, nowhere, nowhere
	c.mode, c.traps = c.codeMode(), traps{}
	c.arm()
	c.SetRIP((s.RIP + c.codeBase()) & c.addresses())
	c.flushTLB()
}

// addresses is a mask of linear addresses of code.
func (c *CPU) addresses() uint64 {
	if c.wide() {
		return ^uint64(0)
	}
	return low
}

// ErrFault is what ReadVirtual and WriteVirtual say of an address that the guest's page tables do not map that way.
var ErrFault = errors.New("not mapped by the guest's page tables")

// ReadVirtual reads guest memory at va as the kernel sees it, without raising anything in the guest.
func (c *CPU) ReadVirtual(va uint64, p []byte) error { return c.virtual(va, p, ExternalRead) }

// WriteVirtual writes guest memory at va as the kernel could, without raising anything in the guest.
func (c *CPU) WriteVirtual(va uint64, p []byte) error { return c.virtual(va, p, ExternalWrite) }

func (c *CPU) virtual(va uint64, p []byte, kind AccessKind) error {
	for len(p) > 0 {
		n := min(uint64(len(p)), mem.PageSize-va&pageMask)
		gpa, err := c.Translate(va, kind == ExternalWrite)
		if err != nil {
			return err
		}
		if err := c.physical(gpa, p[:n], kind); err != nil {
			return fmt.Errorf("at %#x: %w", va, err)
		}
		va, p = va+n, p[n:]
	}
	return nil
}

// Translate returns the guest-physical address, shared bit or C-bit included, that the page tables give for va. It sets
// no accessed or dirty bits.
func (c *CPU) Translate(va uint64, write bool) (uint64, error) {
	if !c.canonical(va) {
		return 0, fmt.Errorf("address %#x: %w", va, ErrFault)
	}
	if c.cr0&CR0PG == 0 {
		return va&low | c.platform.Unpaged(), nil
	}
	entry, shift, err := c.entryFor(va, write)
	if err != nil {
		return 0, err
	}
	return pageOf(entry, shift, va), nil
}

// entryFor returns the entry of the page tables that maps va, which is canonical, and the number of an address's bits within
// its page.
func (c *CPU) entryFor(va uint64, write bool) (entry uint64, shift uint, err error) {
	if !c.longMode() {
		return c.legacyEntryFor(va&low, write)
	}
	table, writable := c.cr3&pteAddr, true
	for level := c.topLevel(); ; level++ {
		var b [8]byte
		if err := c.physical(table+va>>levelShift[level]&0x1FF*8, b[:], ExternalRead); err != nil {
			return 0, 0, fmt.Errorf("address %#x: %w", va, err)
		}
		v := *(*uint64)(unsafe.Pointer(&b))
		writable = writable && v&pteW != 0
		if v&pteP == 0 || write && !writable && c.cr0&CR0WP != 0 {
			return 0, 0, fmt.Errorf("address %#x: %w", va, ErrFault)
		}
		if level == levelPT || level > levelPML4 && v&ptePS != 0 {
			return v, levelShift[level], nil
		}
		table = v & pteAddr
	}
}

// Probe translates va as a read of one byte by the instruction under way does, accessed bits included, and returns the
// guest-physical address with its shared bit or C-bit. The platform is not asked about the page itself. Where the page
// tables do not allow the read, it raises what the read raises and returns false.
func (c *CPU) Probe(va uint64) (gpa uint64, ok bool) {
	if !c.canonical(va) {
		c.raiseNonCanonical()
		return 0, false
	}
	m, ok := c.walk(va, Read, c.cpl == 3, c.rest&FlagAC != 0)
	return m.gpa | va&pageMask, ok
}

// ReadPhysical reads guest-physical memory on behalf of firmware or a debugger, as the platform allows.
func (c *CPU) ReadPhysical(gpa uint64, p []byte) error { return c.physicalRange(gpa, p, ExternalRead) }

// WritePhysical writes guest-physical memory on behalf of firmware or a debugger, as the platform allows.
func (c *CPU) WritePhysical(gpa uint64, p []byte) error {
	return c.physicalRange(gpa, p, ExternalWrite)
}

func (c *CPU) physicalRange(gpa uint64, p []byte, kind AccessKind) error {
	for len(p) > 0 {
		n := min(uint64(len(p)), mem.PageSize-gpa&pageMask)
		if err := c.physical(gpa, p[:n], kind); err != nil {
			return err
		}
		gpa, p = gpa+n, p[n:]
	}
	return nil
}

// physical accesses bytes of one page.
func (c *CPU) physical(gpa uint64, p []byte, kind AccessKind) error {
	t, r := c.platform.Resolve(c, gpa&^pageMask, Access{Kind: kind})
	switch {
	case r != nil && r.Stop != nil:
		return r.Stop
	case r != nil:
		return fmt.Errorf("guest-physical address %#x: %v", gpa, *r.Exception)
	case t.MMIO:
		return fmt.Errorf("guest-physical address %#x: not memory", gpa)
	}
	b := unsafe.Slice((*byte)(unsafe.Add(t.Host, gpa&pageMask)), len(p))
	if kind == ExternalRead {
		copy(p, b)
		return nil
	}
	if !c.mem.Backed(t.Frame) {
		if allZero(p) {
			return nil
		}
		c.mem.Back(t.Frame)
	}
	c.mem.CodeWritten(t.Frame, int(gpa&pageMask), len(p))
	copy(b, p)
	return nil
}
