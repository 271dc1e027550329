package snp_test

import (
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/internal/x86/enginetest"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// The test machine: 128 MiB of memory with a hole from 32 to 64 MiB, of which firmware has validated the first 2 MiB.
// The first GiB of guest-physical addresses is mapped three times: at 0 for the kernel, at 1 GiB without C-bit, at 2
// GiB for user programs.
const (
	memorySize = 128 << 20
	holeStart  = 32 << 20
	holeEnd    = 64 << 20
	low        = 2 << 20 // validated at the start

	tablesAt   = 0x1000 // PML4, PDPT
	gdtAt      = 0x3000
	tssAt      = 0x3800
	idtAt      = 0x4000
	handlersAt = 0x8000 // trap pages: entry i is the handler of vector i
	doneAt     = 0x8F00 // where a test's code goes on
	stackAt    = 0xA000
	codeAt     = 0x10000
	dataAt     = 0x20000
	ghcbAt     = 0x40_0000 // once a test has asked for it

	sharedVA = 1 << 30
	userVA   = 2 << 30

	seed = 7
)

// A machine is an SEV-SNP guest with one processor, ready to run a few instructions.
type machine struct {
	*snp.Platform
	t    testing.TB
	cpu  *x86.CPU
	mem  *mem.Memory
	host *host.SNP
	log  *record.Log
	bus  x86.Bus
	ram  []accept.Range
}

type option func(*snp.Config, *host.Config, *host.SNPConfig)

// with4KPages makes the host assign 4 KiB pages only.
func with4KPages(_ *snp.Config, h *host.Config, _ *host.SNPConfig) { h.PageSize = physical.Size4K }

// withConvertLimit makes the host convert that many bytes at a time.
func withConvertLimit(n uint64) option {
	return func(_ *snp.Config, _ *host.Config, s *host.SNPConfig) { s.ConvertLimit = n }
}

func withSeed(seed uint64) option {
	return func(c *snp.Config, _ *host.Config, _ *host.SNPConfig) { c.Seed = seed }
}

func withBus(b x86.Bus) option {
	return func(_ *snp.Config, h *host.Config, _ *host.SNPConfig) { h.Bus = b }
}

// withHost puts another host in front of the honest one.
func withHost(wrap func(*host.SNP) snp.Host) option {
	return func(c *snp.Config, _ *host.Config, _ *host.SNPConfig) { c.Host = wrap(c.Host.(*host.SNP)) }
}

// traps are the exception handlers and the end of the code.
type traps struct{}

func (traps) Trap(gpa uint64) bool { return gpa>>12 == handlersAt>>12 }

// Tests that execute code run under each engine.
func TestMain(m *testing.M) { enginetest.Main(m) }

func newMachine(t testing.TB, options ...option) *machine {
	t.Helper()
	m := &machine{t: t, host: new(host.SNP), log: record.NewLog(nil), ram: []accept.Range{{Start: 0, End: holeStart}, {Start: holeEnd, End: memorySize}}}
	var err error
	if m.mem, err = mem.New(memorySize); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.mem.Close() })
	hc := host.Config{RAM: m.ram, PageSize: physical.Size2M, Bus: new(device.Bus)}
	hs := host.SNPConfig{CPUID: func(c *x86.CPU, leaf, sub uint32) [4]uint32 { return m.CPUID(c, leaf, sub) }, WallClock: 1_700_000_000}
	pc := snp.Config{
		Memory: m.mem, RAM: m.ram, CPUs: 1, Host: m.host, Seed: seed, Features: x86.Features, Log: m.log,
		Forget: func(p physical.Plane, start, end uint64) { m.cpu.Forget(p, start, end) },
	}
	for _, o := range options {
		o(&pc, &hc, &hs)
	}
	m.mem, m.bus = pc.Memory, hc.Bus
	h, err := host.NewSNP(hc, hs)
	if err != nil {
		t.Fatal(err)
	}
	*m.host = *h // options have been given m.host already
	if m.Platform, err = snp.New(pc); err != nil {
		t.Fatal(err)
	}
	m.host.Serve(m.Platform)
	m.cpu = x86.New(enginetest.Under(x86.Config{Memory: m.mem, Platform: m.Platform, Bus: m.bus, Traps: traps{}, EFER: snp.EFER, Cost: cost.SNP()}))
	if err = m.AcceptRange(m.cpu, accept.Range{Start: 0, End: low}); err != nil {
		t.Fatal(err)
	}
	m.layOut()
	return m
}

// layOut writes page tables and descriptor tables, and puts the processor into 64-bit mode at CPL 0.
func (m *machine) layOut() {
	const present, writable, user, large = 1 << 0, 1 << 1, 1 << 2, 1 << 7
	page := make([]byte, codeAt)
	m.writeBytes(0, page) // what was validated holds junk
	m.write(tablesAt, snp.CBit|tablesAt+0x1000|present|writable|user)
	m.write(tablesAt+0x1000,
		snp.CBit|present|writable|large,
		present|writable|large,
		snp.CBit|present|writable|user|large)
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
	s.CR3, s.CR4 = tablesAt|snp.CBit, x86.CR4PAE|x86.CR4MCE|x86.CR4OSFXSR
	s.EFER = x86.EFERLME | x86.EFERLMA | x86.EFERNXE | x86.EFERSCE
	s.GDTR, s.IDTR = x86.Table{Base: gdtAt, Limit: 0x2F}, x86.Table{Base: idtAt, Limit: 0x1FF}
	s.TR = x86.Segment{Selector: 0x28, Attr: 0x8B, Limit: 0x67, Base: tssAt}
	s.Seg = segments(0)
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

// writeBytes stores as firmware does, through the private plane.
func (m *machine) writeBytes(gpa uint64, b []byte) {
	m.t.Helper()
	if err := m.cpu.WritePhysical(gpa|snp.CBit, b); err != nil {
		m.t.Fatal(err)
	}
}

func (m *machine) write(gpa uint64, words ...uint64) {
	m.t.Helper()
	for i, w := range words {
		m.writeBytes(gpa+uint64(i)*8, binary.LittleEndian.AppendUint64(nil, w))
	}
}

// word is what memory holds, past all that the machine checks.
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
	vector int // of the exception; done where there was none
	code   uint64
	rip    uint64 // of the instruction, relative to the code's start
	err    error  // that stopped the run
}

const (
	done = -1

	vectorUD = 6
	vectorGP = 13
	vectorPF = 14
	vectorVC = 29
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
	m.writeBytes(va-base, code)
	for i, v := range r {
		m.cpu.R[i] = v
	}
	m.cpu.R[x86.RSP] = base + stackAt
	m.cpu.SetRIP(va)
	e := m.cpu.Run(m.cpu.Now() + 1e9)
	switch e.Kind {
	case x86.ExitStopped, x86.ExitTripleFault:
		return outcome{vector: done, err: e.Err, rip: m.cpu.RIP() - va}
	case x86.ExitTrap:
	default:
		m.t.Fatalf("the code left with %+v at %#x", e, m.cpu.RIP())
	}
	if e.GPA == doneAt {
		return outcome{vector: done}
	}
	o := outcome{vector: int(e.GPA-handlersAt) / 16}
	frame := m.cpu.R[x86.RSP]
	if o.vector == 8 || o.vector >= 10 && o.vector <= 14 || o.vector == vectorVC {
		o.code = m.word(physical.Private, frame)
		frame += 8
	}
	o.rip = m.word(physical.Private, frame) - va
	return o
}

// runUser executes code at CPL 3.
func (m *machine) runUser(r regs, code ...byte) outcome {
	m.t.Helper()
	s := m.cpu.State()
	s.CPL, s.Seg = 3, segments(3)
	m.cpu.SetState(&s)
	o := m.runAt(userVA+codeAt, r, code)
	s = m.cpu.State()
	s.CPL, s.Seg = 0, segments(0)
	m.cpu.SetState(&s)
	return o
}

// Instructions.
var (
	insnPVALIDATE = []byte{0xF2, 0x0F, 0x01, 0xFF}
	insnRMPADJUST = []byte{0xF3, 0x0F, 0x01, 0xFE}
	insnVMGEXIT   = []byte{0xF3, 0x0F, 0x01, 0xD9}
	insnLoad      = []byte{0x48, 0x8B, 0x18} // mov rbx, [rax]
	insnStore     = []byte{0x48, 0x89, 0x18} // mov [rax], rbx
)

const (
	size4K = 0
	size2M = 1
)

// pvalidate executes PVALIDATE and returns EAX and CF.
func (m *machine) pvalidate(va, size, validate uint64) (abi.Result, bool) {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: va, x86.RCX: size, x86.RDX: validate}, insnPVALIDATE...); o.vector != done || o.err != nil {
		m.t.Fatalf("PVALIDATE of %#x: %+v", va, o)
	}
	return abi.Result(m.cpu.R[x86.RAX]), m.cpu.Flags()&x86.FlagCF != 0
}

// mustValidate is what a test does that is about something else.
func (m *machine) mustValidate(va, size uint64) {
	m.t.Helper()
	if r, cf := m.pvalidate(va, size, 1); r != abi.Success || cf {
		m.t.Fatalf("PVALIDATE of %#x: %v, CF %v", va, r, cf)
	}
}

// msr asks by the GHCB MSR protocol.
func (m *machine) msr(request uint64) uint64 {
	m.t.Helper()
	o := m.run(regs{x86.RCX: 0xC001_0130, x86.RAX: request & 0xFFFF_FFFF, x86.RDX: request >> 32},
		append(append([]byte{0x0F, 0x30}, insnVMGEXIT...), 0x0F, 0x32)...)
	if o.vector != done || o.err != nil {
		m.t.Fatalf("GHCB MSR request %#x: %+v", request, o)
	}
	return m.cpu.R[x86.RAX] | m.cpu.R[x86.RDX]<<32
}

// share makes a page shared as Linux does it before it has a GHCB.
func (m *machine) share(gpa uint64) {
	m.t.Helper()
	if r := m.msr(gpa | 2<<52 | 0x14); r != 0x15 {
		m.t.Fatalf("page state change of %#x to shared: %#x", gpa, r)
	}
}

// storeShared and loadShared are the guest's accesses without C-bit.
func (m *machine) storeShared(gpa, v uint64) {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: sharedVA + gpa, x86.RBX: v}, insnStore...); o.vector != done || o.err != nil {
		m.t.Fatalf("store to shared %#x: %+v", gpa, o)
	}
}

func (m *machine) loadShared(gpa uint64) uint64 {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: sharedVA + gpa}, insnLoad...); o.vector != done || o.err != nil {
		m.t.Fatalf("load from shared %#x: %+v", gpa, o)
	}
	return m.cpu.R[x86.RBX]
}

// A ghcb is the test's view of the GHCB: fields by offset.
type ghcb struct{ *machine }

// withGHCB gives the machine a registered GHCB with nothing in it.
func (m *machine) withGHCB() ghcb {
	m.t.Helper()
	m.share(ghcbAt)
	if r := m.msr(ghcbAt | 0x12); r != ghcbAt|0x13 {
		m.t.Fatalf("registration of the GHCB: %#x", r)
	}
	g := ghcb{m}
	g.wipe()
	m.setGHCBMSR(ghcbAt)
	return g
}

func (m *machine) setGHCBMSR(v uint64) {
	m.t.Helper()
	if o := m.run(regs{x86.RCX: 0xC001_0130, x86.RAX: v & 0xFFFF_FFFF, x86.RDX: v >> 32}, 0x0F, 0x30); o.vector != done {
		m.t.Fatalf("WRMSR of the GHCB MSR: %+v", o)
	}
}

func (g ghcb) wipe() { g.poke(0, make([]byte, 4096)) }

func (g ghcb) poke(at uint64, b []byte) {
	g.t.Helper()
	if err := g.cpu.WritePhysical(ghcbAt+at, b); err != nil {
		g.t.Fatal(err)
	}
}

func (g ghcb) peek(at uint64, n int) []byte {
	g.t.Helper()
	b := make([]byte, n)
	if err := g.cpu.ReadPhysical(ghcbAt+at, b); err != nil {
		g.t.Fatal(err)
	}
	return b
}

// Offsets in the GHCB.
const (
	gCPL, gRAX, gRCX, gRDX, gRBX = 0xCB, 0x1F8, 0x308, 0x310, 0x318
	gCode, gInfo1, gInfo2        = 0x390, 0x398, 0x3A0
	gScratch, gXCR0, gValid      = 0x3A8, 0x3E8, 0x3F0
	gBuffer, gUsage              = 0x800, 0xFFC
)

// set stores a field and marks it valid.
func (g ghcb) set(at, v uint64) {
	g.t.Helper()
	g.poke(at, binary.LittleEndian.AppendUint64(nil, v))
	g.mark(at)
}

func (g ghcb) mark(at uint64) {
	g.t.Helper()
	b := g.peek(gValid+at/64, 1)
	b[0] |= 1 << (at / 8 % 8)
	g.poke(gValid+at/64, b)
}

func (g ghcb) get(at uint64) uint64 { return binary.LittleEndian.Uint64(g.peek(at, 8)) }

func (g ghcb) isValid(at uint64) bool { return g.peek(gValid+at/64, 1)[0]>>(at/8%8)&1 != 0 }

// exit calls the host and returns SW_EXITINFO1 and SW_EXITINFO2.
func (g ghcb) exit(code, info1, info2 uint64) (uint64, uint64) {
	g.t.Helper()
	if o := g.tryExit(code, info1, info2); o.vector != done || o.err != nil {
		g.t.Fatalf("VMGEXIT %#x: %+v", code, o)
	}
	return g.get(gInfo1), g.get(gInfo2)
}

func (g ghcb) tryExit(code, info1, info2 uint64) outcome {
	g.t.Helper()
	g.set(gCode, code)
	g.set(gInfo1, info1)
	g.set(gInfo2, info2)
	return g.run(nil, insnVMGEXIT...)
}
