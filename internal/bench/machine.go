package bench

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// Where things are in a loop's machine. Memory is mapped to itself for the kernel and from 1 GiB on for user programs,
// both in one page of 1 GiB; what is between 2 GiB and 2 GiB + 2 MiB is mapped by a page table, and absent at first.
const (
	ramSize = 32 << 20

	pml4At    = 0x1000
	pdptAt    = 0x2000
	pdAt      = 0x3000
	ptAt      = 0x4000
	gdtAt     = 0x5000
	idtAt     = 0x6000
	tssAt     = 0x7000
	handlerAt = 0x8000 // 16 bytes a vector
	perCPUAt  = 0x9000 // what GS points to in the kernel
	stackAt   = 0x10000
	codeAt    = 0x20000 // 64 KiB
	tableAt   = 0x38000
	sourceAt  = 0x100000 // 1 MiB, and the next one is where results go
	targetAt  = 0x200000
	bigAt     = 0x1000000 // 16 MiB

	userBase   = 1 << 30
	absentBase = 2 << 30
)

// Bits of page-table entries (SDM vol. 3, table 4-20).
const (
	present  = 1 << 0
	writable = 1 << 1
	user     = 1 << 2
	accessed = 1 << 5
	dirty    = 1 << 6
	large    = 1 << 7
)

// Selectors: the layout that SYSCALL and SYSRET want.
const (
	kernelCS = 0x08
	kernelSS = 0x10
	userSS   = 0x20 | 3
	userCS   = 0x28 | 3
)

// Vectors.
const (
	breakpoint = 3
	pageFault  = 14
)

// A machine is a bare processor with what a loop needs around it.
type machine struct {
	*x86.CPU
	mem *mem.Memory
}

// noBus is a bus without devices.
type noBus struct{}

func (noBus) In(uint16, int) uint32     { return ^uint32(0) }
func (noBus) Out(uint16, int, uint32)   {}
func (noBus) Read(uint64, int) uint64   { return ^uint64(0) }
func (noBus) Write(uint64, int, uint64) {}
func (noBus) Claims(uint64) bool        { return false }

// newMachine returns a machine about to execute l under an engine, in blocks of at most blockLimit instructions where that is not 0.
func newMachine(l *Loop, engine x86.EngineKind, blockLimit int) (*machine, error) {
	memory, err := mem.New(ramSize)
	if err != nil {
		return nil, err
	}
	m := &machine{mem: memory}
	m.CPU = x86.New(x86.Config{
		Memory: memory, Bus: noBus{}, Engine: engine, BlockLimit: blockLimit,
		Platform: &x86.Plain{Memory: memory, Bus: noBus{}, RAM: func(gpa uint64) bool { return gpa < ramSize }},
	})
	if err := m.layOut(l); err != nil {
		return nil, errors.Join(err, memory.Close())
	}
	return m, nil
}

func (m *machine) layOut(l *Loop) error {
	var words error
	put := func(gpa uint64, v ...uint64) {
		var b []byte
		for _, w := range v {
			b = binary.LittleEndian.AppendUint64(b, w)
		}
		words = errors.Join(words, m.mem.Write(physical.Private, gpa, b))
	}
	const table, page = present | writable | user | accessed, present | writable | accessed | dirty | large
	put(pml4At, pdptAt|table)
	put(pdptAt, page, page|user, pdAt|table)
	put(pdAt, ptAt|table)
	put(gdtAt, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFFB000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF)
	put(tssAt, stackAt<<32) // RSP0 is at 4
	put(perCPUAt, 0, 0, stackAt)
	for v := range uint64(32) {
		to := handlerAt + v*16
		put(idtAt+v*16, to&0xFFFF|kernelCS<<16|0xEE00<<32|to>>16<<48, 0)
		put(to, 0xF4) // HLT
	}
	code := map[uint64][]byte{codeAt: l.code, handlerAt + pageFault*16: l.fault}
	for at, b := range l.more {
		code[at] = b
	}
	for at, b := range code {
		words = errors.Join(words, m.mem.Write(physical.Private, at, b))
	}
	put(tableAt, l.table...)

	s := m.State()
	s.RIP, s.RFLAGS = codeAt, 2
	s.CR0 = x86.CR0PE | x86.CR0MP | x86.CR0ET | x86.CR0NE | x86.CR0WP | x86.CR0PG
	s.CR3 = pml4At
	s.CR4 = x86.CR4PAE | x86.CR4PGE | x86.CR4OSFXSR | x86.CR4OSXMMEXCPT
	s.EFER = x86.EFERSCE | x86.EFERLME | x86.EFERLMA | x86.EFERNXE
	s.XCR0 = 3
	s.GDTR, s.IDTR = x86.Table{Base: gdtAt, Limit: 6*8 - 1}, x86.Table{Base: idtAt, Limit: 32*16 - 1}
	s.TR = x86.Segment{Selector: 0x30, Attr: 0x8B, Limit: 0x67, Base: tssAt}
	s.GPR[x86.RSP], s.GPR[x86.RSI], s.GPR[x86.RDI] = stackAt, sourceAt, targetAt
	cs, ss := x86.Segment{Selector: kernelCS, Attr: 0xA09B, Limit: ^uint32(0)}, x86.Segment{Selector: kernelSS, Attr: 0xC093, Limit: ^uint32(0)}
	if l.user {
		cs, ss = x86.Segment{Selector: userCS, Attr: 0xA0FB, Limit: ^uint32(0)}, x86.Segment{Selector: userSS, Attr: 0xC0F3, Limit: ^uint32(0)}
		s.CPL, s.RIP, s.GPR[x86.RSP] = 3, userBase+codeAt, userBase+stackAt+0x8000
	}
	s.Seg = [6]x86.Segment{ss, cs, ss, ss, ss, ss}
	for i, v := range l.registers {
		s.GPR[i] = v
	}
	m.SetState(&s)
	for index, v := range map[uint32]uint64{
		x86.MSRSTAR: kernelCS<<32 | 0x1B<<48, x86.MSRLSTAR: codeAt + systemCallAt, x86.MSRFMASK: 0x700, x86.MSRKernelGSBase: perCPUAt,
	} {
		if !m.SetMSR(index, v) {
			return fmt.Errorf("BUG: MSR %#x does not take %#x", index, v)
		}
	}
	return words
}

// run executes n turns of the loop.
func (m *machine) run(n uint64) error {
	m.R[x86.R15] = n
	e := m.Run(1 << 62)
	if e.Kind != x86.ExitHalted || m.RIP() != handlerAt+breakpoint*16+1 || m.R[x86.R15] != 0 {
		return fmt.Errorf("the loop ended at %#x (exit %d, %v), with %d turns left", m.RIP(), e.Kind, e.Err, m.R[x86.R15])
	}
	return nil
}

func (m *machine) close() error { return m.mem.Close() }
