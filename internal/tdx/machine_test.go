package tdx_test

import (
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/internal/x86/enginetest"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// The test machine: 128 MiB of memory with a hole from 32 to 64 MiB, of which firmware has accepted the first 2 MiB.
// The first GiB of guest-physical addresses is mapped three times: at 0 for the kernel, at 1 GiB with the shared bit,
// at 2 GiB for user programs.
const (
	memorySize = 128 << 20
	holeStart  = 32 << 20
	holeEnd    = 64 << 20
	low        = 2 << 20 // accepted at the start

	tablesAt   = 0x1000 // PML4, PDPT
	gdtAt      = 0x3000
	tssAt      = 0x3800
	idtAt      = 0x4000
	handlersAt = 0x8000 // trap pages: entry i is the handler of vector i
	doneAt     = 0x8F00 // where a test's code goes on
	stackAt    = 0xA000
	codeAt     = 0x10000
	dataAt     = 0x20000

	sharedVA = 1 << 30
	userVA   = 2 << 30
)

// A machine is a TD with one processor, ready to run a few instructions.
type machine struct {
	*tdx.Module
	t    testing.TB
	cpu  *x86.CPU
	mem  *mem.Memory
	host *host.Host
	log  *record.Log
	bus  device.Bus
	ram  []accept.Range
}

type option func(*tdx.Config, *host.Config)

// with4KPages makes the host map 4 KiB pages only.
func with4KPages(_ *tdx.Config, h *host.Config) { h.PageSize = physical.Size4K }

// withVE makes access to pending pages raise #VE.
func withVE(c *tdx.Config, _ *host.Config) { c.Attributes = 0 }

func withGPAW52(c *tdx.Config, _ *host.Config) { c.GPAW = 52 }

// withHost puts another host in front of the honest one.
func withHost(wrap func(*host.Host) tdx.Host) option {
	return func(c *tdx.Config, _ *host.Config) { c.Host = wrap(c.Host.(*host.Host)) }
}

// traps are the exception handlers and the end of the code.
type traps struct{}

func (traps) Trap(gpa uint64) bool { return gpa>>12 == handlersAt>>12 }

// Tests that execute code run under each engine.
func TestMain(m *testing.M) { enginetest.Main(m) }

func newMachine(t testing.TB, options ...option) *machine {
	t.Helper()
	m := &machine{t: t, host: new(host.Host), log: record.NewLog(nil), ram: []accept.Range{{Start: 0, End: holeStart}, {Start: holeEnd, End: memorySize}}}
	var err error
	if m.mem, err = mem.New(memorySize); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.mem.Close() })
	hc := host.Config{RAM: m.ram, PageSize: physical.Size2M, Bus: &m.bus}
	tc := tdx.Config{
		Memory: m.mem, RAM: m.ram, CPUs: 1, Host: m.host, Attributes: abi.AttrSEPTVEDisable,
		Features: x86.Features, Log: m.log,
		Forget: func(p physical.Plane, start, end uint64) { m.cpu.Forget(p, start, end) },
	}
	for _, o := range options {
		o(&tc, &hc)
	}
	m.mem = tc.Memory
	h, err := host.New(hc)
	if err != nil {
		t.Fatal(err)
	}
	*m.host = *h // options have been given m.host already
	if m.Module, err = tdx.New(tc); err != nil {
		t.Fatal(err)
	}
	m.host.Serve(m.Module)
	m.cpu = x86.New(enginetest.Under(x86.Config{Memory: m.mem, Platform: m.Module, Bus: &m.bus, Traps: traps{}, Cost: cost.TDX(), BusLocks: true}))
	if err = m.AcceptRange(m.cpu, accept.Range{Start: 0, End: low}); err != nil {
		t.Fatal(err)
	}
	m.layOut()
	return m
}

// layOut writes page tables and descriptor tables, and puts the processor into 64-bit mode at CPL 0.
func (m *machine) layOut() {
	const present, writable, user, large = 1 << 0, 1 << 1, 1 << 2, 1 << 7
	m.write(tablesAt, tablesAt+0x1000|present|writable|user)
	m.write(tablesAt+0x1000,
		present|writable|large,
		m.SharedBit()|present|writable|large,
		present|writable|user|large)
	m.write(gdtAt, 0, 0x00AF9B000000FFFF, 0x00CF93000000FFFF, 0x00CFF3000000FFFF, 0x00AFFB000000FFFF)
	m.write(tssAt+4, stackAt)     // RSP0
	m.write(tssAt+0x60, 0x68<<48) // the I/O permission bitmap begins beyond the limit
	for v := range uint64(32) {
		h := handlersAt + v*16
		m.write(idtAt+v*16, h&0xFFFF|8<<16|0x8E<<40|h>>16<<48, h>>32)
	}
	s := m.cpu.State()
	s.RFLAGS = 2
	s.CR0 = x86.CR0PE | x86.CR0PG | x86.CR0NE | x86.CR0WP | x86.CR0ET
	s.CR3, s.CR4 = tablesAt, x86.CR4PAE|x86.CR4MCE|x86.CR4OSFXSR
	s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE | x86.EFERSCE
	s.GDTR, s.IDTR = x86.Table{Base: gdtAt, Limit: 0x2F}, x86.Table{Base: idtAt, Limit: 0x1FF}
	s.TR = x86.Segment{Selector: 0x28, Attr: 0x8B, Limit: 0x67, Base: tssAt}
	s.CPL, s.Seg = 0, segments(0)
	m.cpu.SetState(&s)
}

func segments(cpl uint16) [6]x86.Segment {
	code := x86.Segment{Selector: 8, Attr: 0xA09B, Limit: ^uint32(0)}
	data := x86.Segment{Selector: 16, Attr: 0xC093, Limit: ^uint32(0)}
	if cpl == 3 {
		code.Selector, code.Attr = 0x23, 0xA0FB
		data.Selector, data.Attr = 0x1B, 0xC0F3
	}
	return [6]x86.Segment{data, code, data, data, data, data}
}

func (m *machine) write(gpa uint64, words ...uint64) {
	m.t.Helper()
	for i, w := range words {
		if err := m.mem.Write(physical.Private, gpa+uint64(i)*8, binary.LittleEndian.AppendUint64(nil, w)); err != nil {
			m.t.Fatal(err)
		}
	}
}

func (m *machine) word(p physical.Plane, gpa uint64) uint64 {
	m.t.Helper()
	var b [8]byte
	if err := m.mem.Read(p, gpa, b[:]); err != nil {
		m.t.Fatal(err)
	}
	return binary.LittleEndian.Uint64(b[:])
}

// An outcome is how a few instructions ended.
type outcome struct {
	vector int // of the exception; done or asleep where there was none
	code   uint64
	rip    uint64 // of the instruction, relative to the code's start
	rf     bool   // in the pushed flags
	err    error  // that stopped the run
}

const (
	done   = -1
	asleep = -2 // until an interrupt that never comes
)

// regs are registers to set before running.
type regs map[int]uint64

// run executes code with the registers r, until its end or an exception or the machine's end.
func (m *machine) run(r regs, code ...byte) outcome {
	m.t.Helper()
	return m.runAt(codeAt, r, code)
}

func (m *machine) runAt(va uint64, r regs, code []byte) outcome {
	m.t.Helper()
	base := va &^ (1<<30 - 1)
	back := int32(int64(base+doneAt) - int64(va) - int64(len(code)) - 5)
	code = append(append([]byte{}, code...), 0xE9) // jmp
	code = binary.LittleEndian.AppendUint32(code, uint32(back))
	if err := m.mem.Write(physical.Private, va-base, code); err != nil {
		m.t.Fatal(err)
	}
	for i, v := range r {
		m.cpu.R[i] = v
	}
	m.cpu.R[x86.RSP] = base + stackAt
	m.cpu.SetRIP(va)
	e := m.cpu.Run(m.cpu.Now() + 1e9)
	switch e.Kind {
	case x86.ExitStopped:
		return outcome{vector: done, err: e.Err, rip: m.cpu.RIP() - va}
	case x86.ExitHalted:
		return outcome{vector: asleep, rip: m.cpu.RIP() - va}
	case x86.ExitTrap:
	default:
		m.t.Fatalf("the code left with %+v at %#x", e, m.cpu.RIP())
	}
	if e.GPA == doneAt {
		return outcome{vector: done}
	}
	o := outcome{vector: int(e.GPA-handlersAt) / 16}
	frame := m.cpu.R[x86.RSP]
	if o.vector == 8 || o.vector >= 10 && o.vector <= 14 {
		o.code = m.word(physical.Private, frame)
		frame += 8
	}
	o.rip = m.word(physical.Private, frame) - va
	o.rf = m.word(physical.Private, frame+16)>>16&1 != 0
	return o
}

// user makes the processor run at CPL 3 from the user mapping; run code there with runUser.
func (m *machine) runUser(r regs, code ...byte) outcome {
	m.t.Helper()
	s := m.cpu.State()
	s.CPL, s.Seg = 3, segments(3)
	m.cpu.SetState(&s)
	return m.runAt(userVA+codeAt, r, code)
}

// tdcall executes TDCALL and returns RAX.
func (m *machine) tdcall(r regs) uint64 {
	m.t.Helper()
	if o := m.run(r, 0x66, 0x0F, 0x01, 0xCC); o.vector != done || o.err != nil {
		m.t.Fatalf("TDCALL with %#x: %+v", r, o)
	}
	return m.cpu.R[x86.RAX]
}

// vmcallMask is what Linux selects: RDX, RBX, RSI, RDI, R8 to R15.
const vmcallMask = 0xFFCC

// vmcall executes TDG.VP.VMCALL and returns R10 and R11.
func (m *machine) vmcall(sub uint64, r regs) (status, value uint64) {
	m.t.Helper()
	in := regs{x86.RAX: 0, x86.RCX: vmcallMask, x86.R10: 0, x86.R11: sub}
	for i, v := range r {
		in[i] = v
	}
	if s := m.tdcall(in); s != 0 {
		m.t.Fatalf("TDG.VP.VMCALL %#x: RAX is %#x", sub, s)
	}
	return m.cpu.R[x86.R10], m.cpu.R[x86.R11]
}

// accept executes TDG.MEM.PAGE.ACCEPT.
func (m *machine) accept(gpa uint64, level uint64) abi.Status {
	m.t.Helper()
	return abi.Status(m.tdcall(regs{x86.RAX: 6, x86.RCX: gpa | level}))
}
