package x86

import (
	"encoding/hex"
	"fmt"
	"hash/fnv"
	"reflect"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// The suite of system behaviour: what a program in user mode cannot reach. Each case is a small program with the state
// that the manual gives it (SDM: Intel 64 and IA-32 Architectures Software Developer's Manual, edition 081). It is run
// with blocks cut at 1, 2, 7 and any number of instructions, and with deadlines between any two of them; every run has
// to end in the same state, at the same time, with the same memory.

// Where things are in a program's machine. The first 2 MiB are mapped to themselves in pages of 4 KiB, what follows in
// pages of 2 MiB.
const (
	progPML4 = 0x1000
	progPDPT = 0x2000
	progPD   = 0x3000
	progPT   = 0x4000
	progGDT  = 0x5000
	progIDT  = 0x6000
	progTSS  = 0x7000
	progGate = 0x8000  // where gates lead: 16 bytes a vector, of which the first is HLT
	progSP   = 0xA000  // the stack of privilege 0, one page below here
	progIST1 = 0xC000  // interrupt stack 1, one page below here
	progRSP0 = 0xE000  // where interrupts from user programs go, one page below here
	progCode = 0x10000 // supervisor code; 16 pages
	progData = 0x20000 // supervisor data; 16 pages
	progUser = 0x40000 // user code and data; 16 pages, all accessible and executable for users
	progUSP  = 0x4F000 // the stack of a user program, one page below here
	progFree = 0x50000 // what follows is a program's own: supervisor pages

	progRAM = 8 << 20
	progBig = 2 << 20 // a page of 2 MiB
)

// Selectors of a program's GDT.
const (
	selNone    = 0
	selCode    = 0x08 // 64-bit code, DPL 0
	selData    = 0x10
	selCode32  = 0x18 // 32-bit code, DPL 3: STAR's base for SYSRET
	selUData   = 0x20 // DPL 3
	selUCode   = 0x28 // 64-bit code, DPL 3
	selTSS     = 0x30 // 16 bytes
	selConform = 0x40 // conforming 64-bit code, DPL 0
	selAbsent  = 0x48 // data, DPL 0, not present
	selReadOn  = 0x50 // data that cannot be written, DPL 0
	selExec    = 0x58 // 64-bit code that cannot be read, DPL 0
	selLDT     = 0x60 // 16 bytes
	selFresh   = 0x70 // data, DPL 0, not accessed yet
	selAbsCode = 0x78 // 64-bit code, DPL 0, not present
	selTSS2    = 0x80 // 16 bytes: a TSS that is available
	selLimit   = 0x90 // after the last one
)

var progDescriptors = []uint64{
	selCode / 8: 0x00AF9B000000FFFF, selData / 8: 0x00CF93000000FFFF, selCode32 / 8: 0x00CFFB000000FFFF, selUData / 8: 0x00CFF3000000FFFF,
	selUCode / 8: 0x00AFFB000000FFFF, selTSS / 8: 0x0000_8B00_0000_0067 | progTSS<<16, selConform / 8: 0x00AF9F000000FFFF,
	selAbsent / 8: 0x00CF13000000FFFF, selReadOn / 8: 0x00CF91000000FFFF, selExec / 8: 0x00AF99000000FFFF,
	selLDT / 8: 0x0000_8200_0000_0017 | progData<<16, selFresh / 8: 0x00CF92000000FFFF, selAbsCode / 8: 0x00AF1B000000FFFF,
	selTSS2 / 8: 0x0000_8900_0000_0067 | (progTSS+0x800)<<16, selLimit/8 - 1: 0,
}

// A program is a case of the suite.
type program struct {
	name   string
	code   string         // what asm returns
	user   bool           // it starts at privilege 3, in progUser
	setup  func(m *scene) // what is not as newScene leaves it; may be nil
	before func(m *scene) // the same, before there is a processor: its Config; may be nil
	want   func(t *testing.T, m *scene, e Exit)
}

// A scene is the machine of a program.
type scene struct {
	bare
	from  State // what the program starts with; setup may change it
	start uint64
	mark  uint64 // address of the instruction that is marked with a bar
	until int64  // virtual ns at which the run ends in any case
	cfg   Config
	reads *int // for a program that counts
}

// asm puts instructions together, each given in hexadecimal digits. A bar stands before the instruction at which an
// exception is expected.
func asm(lines ...string) string { return strings.ReplaceAll(strings.Join(lines, ""), " ", "") }

// assemble returns the bytes of code, and the offset of the marked instruction.
func assemble(code string) (b []byte, mark uint64) {
	code = asm(code)
	if i := strings.IndexByte(code, '|'); i >= 0 {
		code, mark = code[:i]+code[i+1:], uint64(i/2)
	}
	b, err := hex.DecodeString(code)
	if err != nil {
		panic(err)
	}
	return b, mark
}

// movImm is MOV r64, imm64 to one of the first eight registers: ten bytes.
func movImm(reg int, v uint64) string { return fmt.Sprintf("48 %02x", 0xB8+reg) + le(v, 8) }

// movFrom is MOV RAX, [address]; movTo is MOV [address], RAX. Both have eight bytes.
func movFrom(address uint64) string { return "48 8B 04 25" + le(address, 4) }
func movTo(address uint64) string   { return "48 89 04 25" + le(address, 4) }

// wrmsr writes v to a register by way of ECX and EDX:EAX; rdmsr reads one.
func wrmsr(index uint32, v uint64) string {
	return "B9" + le(uint64(index), 4) + "B8" + le(v, 4) + "BA" + le(v>>32, 4) + "0F 30"
}
func rdmsr(index uint32) string { return "B9" + le(uint64(index), 4) + "0F 32" }

// le renders v as n bytes of hexadecimal digits, for operands in asm.
func le(v uint64, n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%02x", byte(v>>(8*i)))
	}
	return b.String()
}

// newScene returns the machine of a program under the engine that the command line asks for.
func newScene(t testing.TB, p *program, blockLimit int) *scene {
	t.Helper()
	return newSceneUnder(t, p, cut{blocks: blockLimit, engine: testEngine(t)})
}

func newSceneUnder(t testing.TB, p *program, how cut) *scene {
	t.Helper()
	memory, err := mem.New(progRAM)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = memory.Close() })
	m := &scene{bare: bare{mem: memory}, start: progCode, until: 1_000_000}
	m.cfg = Config{
		Memory: memory, Bus: &m.bus, BlockLimit: how.blocks, Engine: how.engine, TranslateAfter: 1, Seed: 1, Cost: cost.Plain(),
		Platform: &Plain{Memory: memory, Bus: &m.bus, RAM: func(gpa uint64) bool { return gpa < progRAM }},
	}
	m.from = State{
		RFLAGS: 2, CR0: CR0PE | CR0PG | CR0NE | CR0WP | CR0ET, CR3: progPML4,
		CR4:  CR4PAE | CR4OSFXSR | CR4OSXMMEXCPT | CR4PGE | CR4FSGSBASE,
		EFER: EFERLME | EFERLMA | EFERNXE | EFERSCE, XCR0: 1, MXCSR: 0x1F80,
		GDTR: Table{progGDT, selLimit - 1}, IDTR: Table{progIDT, 0xFFF},
		DR: [8]uint64{6: 0xFFFF_0FF0, 7: 0x400},
	}
	m.from.X87.reset()
	m.write(progPML4, progPDPT|pteP|pteW|pteU|pteA)
	m.write(progPDPT, progPD|pteP|pteW|pteU|pteA)
	m.write(progPD, progPT|pteP|pteW|pteU|pteA)
	for i := uint64(1); i < progRAM/progBig; i++ {
		m.write(progPD+8*i, i*progBig|pteP|pteW|pteA|pteD|ptePS)
	}
	for page := uint64(0); page < progBig; page += mem.PageSize {
		v := page | pteP | pteW | pteA | pteD
		if page >= progUser && page < progFree {
			v |= pteU
		}
		m.write(progPT+page>>mem.PageShift*8, v)
	}
	m.write(progGDT, progDescriptors...)
	for v := uint64(0); v < 256; v++ {
		m.gate(v, progGate+v*16, 0x8E00)
		m.write(progGate+v*16, 0xF4) // HLT
	}
	m.gate(3, progGate+3*16, 0xEE00)
	m.gate(0x40, progGate+0x40*16, 0xEE00)
	m.write(progTSS, 0, 0)
	m.poke(progTSS+4, progRSP0)
	m.poke(progTSS+0x24, progIST1)
	m.poke(progTSS+0x66, 0x68) // the I/O map begins beyond the limit

	cs, ss := uint16(selCode), uint16(selData)
	m.from.GPR[uop.RSP] = progSP
	if p.user {
		cs, ss = selUCode|3, selUData|3
		m.start, m.from.GPR[uop.RSP], m.from.CPL = progUser, progUSP, 3
	}
	m.from.RIP = m.start
	m.from.Seg[uop.SegCS] = unpack(cs, progDescriptors[cs/8])
	m.from.Seg[uop.SegSS] = unpack(ss, progDescriptors[ss/8])
	m.from.TR = unpack(selTSS, progDescriptors[selTSS/8])
	code, mark := assemble(p.code)
	m.mark = m.start + mark
	m.put(m.start, code)
	if p.before != nil {
		p.before(m)
	}
	m.CPU = New(m.cfg)
	m.engine = strictEngine{m.engine, t}
	m.APIC.svr = 0x1FF
	if p.setup != nil {
		p.setup(m)
	}
	m.SetState(&m.from)
	return m
}

// gateTo writes the gate of a vector; attributes are bits 47:32 of the descriptor. gate writes one whose handler runs
// at privilege 0.
func (m *scene) gateTo(vector, selector, target, attributes uint64) {
	m.write(progIDT+vector*16, target&0xFFFF|selector<<16|attributes<<32|target>>16&0xFFFF<<48, target>>32)
}

func (m *scene) gate(vector, target, attributes uint64) {
	m.gateTo(vector, selCode, target, attributes)
}

// handler makes a vector's gate lead to code that is put at address at.
func (m *scene) handler(vector, at uint64, code string) {
	b, _ := assemble(code)
	m.put(at, b)
	m.gate(vector, at, 0x8E00)
}

// pte returns the address of the entry that maps va, which is below 2 MiB.
func pte(va uint64) uint64 { return progPT + va>>mem.PageShift*8 }

// protect replaces the flags of the entry that maps va.
func (m *scene) protect(va, flags uint64) { m.write(pte(va), va&^pageMask|flags) }

func (m *scene) put(gpa uint64, b []byte) {
	if err := m.mem.Write(physical.Private, gpa, b); err != nil {
		panic(err)
	}
}

// poke writes 8 bytes at any address.
func (m *scene) poke(gpa, v uint64) {
	for i := range uint64(8) {
		m.put(gpa+i, []byte{byte(v >> (8 * i))})
	}
}

// A cut is a way to divide a run.
type cut struct {
	blocks int   // instructions a block
	step   int64 // virtual ns between deadlines; 0 means none before the end
	engine EngineKind
}

var cuts = []cut{{0, 0, EngineInterpreter}, {1, 0, EngineInterpreter}, {2, 0, EngineInterpreter}, {7, 0, EngineInterpreter},
	{0, 1, EngineInterpreter}, {0, 2, EngineInterpreter}, {0, 5, EngineInterpreter}, {3, 3, EngineInterpreter}}

// drive runs the program to its end: HLT that nothing ends, an exit of its own, or the deadline.
func (m *scene) drive(step int64) Exit {
	for {
		until := m.until
		if step > 0 {
			until = min(until, m.Now()+step)
		}
		e := m.Run(until)
		switch event, armed := m.APIC.NextEvent(); {
		case e.Kind == ExitHalted && armed && event < m.until:
			m.Skip(min(event, until))
		case e.Kind != ExitDeadline || m.Now() >= m.until:
			return e
		}
	}
}

// An ending is all that a run leaves behind.
type ending struct {
	Exit         string
	State        State
	MSR          msrs
	Instructions uint64
	Now          int64
	Tally        cost.Tally
	Memory       uint64
	Out          string
}

func (m *scene) ending(e Exit) ending {
	h := fnv.New64a()
	page := make([]byte, mem.PageSize)
	for gpa := uint64(0); gpa < progRAM; gpa += mem.PageSize {
		if !m.mem.Backed(mem.FrameOf(physical.Private, gpa)) {
			continue
		}
		if err := m.mem.Read(physical.Private, gpa, page); err != nil {
			panic(err)
		}
		fmt.Fprint(h, gpa)
		h.Write(page)
	}
	return ending{
		Exit: fmt.Sprint(e.Kind, " ", e.GPA, " ", e.Err), State: m.CPU.State(), MSR: m.msr, Instructions: m.Instructions(), Now: m.Now(), Tally: m.Tally(), Memory: h.Sum64(),
		Out: fmt.Sprint(m.bus.out),
	}
}

// prove runs programs at every cut, under every engine.
func prove(t *testing.T, programs ...program) {
	t.Helper()
	for _, p := range programs {
		t.Run(p.name, func(t *testing.T) {
			var first ending
			for i, c := range underEach(cuts) {
				m := newSceneUnder(t, &p, c)
				e := m.drive(c.step)
				end := m.ending(e)
				if tally := m.Tally(); tally.Time(m.Cost()) != end.Now {
					t.Errorf("time is %d, and went to what takes %d: %+v", end.Now, tally.Time(m.Cost()), tally)
				}
				if i == 0 {
					first = end
					p.want(t, m, e)
					continue
				}
				if d := difference(first, end); d != "" {
					t.Errorf("%v: not what blocks of any length and one deadline give: %s", c, d)
				}
			}
		})
	}
}

// difference names the fields in which two endings differ.
func difference(a, b ending) string {
	var s []string
	va, vb := reflect.ValueOf(a), reflect.ValueOf(b)
	for i := range va.NumField() {
		fa, fb := va.Field(i), vb.Field(i)
		if fa.Type() == reflect.TypeFor[State]() {
			for j := range fa.NumField() {
				if x, y := fa.Field(j).Interface(), fb.Field(j).Interface(); x != y {
					s = append(s, fmt.Sprintf("%s %#x, %#x", fa.Type().Field(j).Name, x, y))
				}
			}
			continue
		}
		if x, y := fa.Interface(), fb.Interface(); x != y {
			s = append(s, fmt.Sprintf("%s %v, %v", va.Type().Field(i).Name, x, y))
		}
	}
	return strings.Join(s, "; ")
}

// A caught is what an exception or interrupt left on the stack of a gate whose handler is HLT.
type caught struct {
	vector                  uint8
	code                    uint64
	rip, cs, flags, rsp, ss uint64
}

// caught returns the exception that the program ended with.
func (m *scene) caught(t *testing.T, e Exit) caught {
	t.Helper()
	rip := m.RIP()
	if e.Kind != ExitHalted || rip < progGate || rip >= progGate+256*16 || rip%16 != 1 {
		t.Fatalf("the program ended with exit %d (%v) at %#x, not in the handler of an exception", e.Kind, e.Err, rip)
	}
	c := caught{vector: uint8((rip - progGate) / 16)}
	sp := m.R[uop.RSP]
	switch c.vector {
	case uop.VectorDF, uop.VectorTS, uop.VectorNP, uop.VectorSS, uop.VectorGP, uop.VectorPF, uop.VectorAC:
		c.code = m.word(sp)
		sp += 8
	}
	c.rip, c.cs, c.flags, c.rsp, c.ss = m.word(sp), m.word(sp+8), m.word(sp+16), m.word(sp+24), m.word(sp+32)
	return c
}

// raises returns a check that the marked instruction ends the program with an exception, with this error code.
func raises(vector uint8, code uint64) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		c := m.caught(t, e)
		if c.vector != vector || c.code != code || c.rip != m.mark {
			t.Errorf("got %v with code %#x at %#x, want %v with code %#x at %#x",
				Exception{Vector: c.vector}, c.code, c.rip, Exception{Vector: vector}, code, m.mark)
		}
	}
}

// raisesPF is raises for #PF at address cr2.
func raisesPF(code, cr2 uint64) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		raises(uop.VectorPF, code)(t, m, e)
		if m.cr2 != cr2 {
			t.Errorf("CR2 is %#x, want %#x", m.cr2, cr2)
		}
	}
}

// A reg is a register with the value that it should have.
type reg struct {
	n int
	v uint64
}

// halts returns a check that the program gets to its own HLT, which is its last byte, with these registers.
func halts(regs ...reg) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		if e.Kind != ExitHalted || m.RIP() >= progGate && m.RIP() < progGate+256*16 {
			if e.Kind == ExitHalted {
				t.Fatalf("the program raised %+v (CR2 %#x)", m.caught(t, e), m.cr2)
			}
			t.Fatalf("exit %d (%v) at %#x, want HLT", e.Kind, e.Err, m.RIP())
		}
		m.wantRegs(t, regs...)
	}
}

func (m *scene) wantRegs(t *testing.T, regs ...reg) {
	t.Helper()
	for _, r := range regs {
		if m.R[r.n] != r.v {
			t.Errorf("%s is %#x, want %#x", gprNames[r.n], m.R[r.n], r.v)
		}
	}
}

// irq is the vector of interrupts in the programs.
const irq = 0x50

// interrupted is a check that the program ended in the handler of a vector, with the return address at the mark.
func interrupted(vector uint8, regs ...reg) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		raises(vector, 0)(t, m, e)
		m.wantRegs(t, regs...)
	}
}

// startTimerIn makes the timer fire ns nanoseconds from now, at vector irq.
func (a *LocalAPIC) startTimerIn(ns uint64) {
	a.WriteMSR(apicTimer, irq|apicDeadline)
	a.WriteMSR(MSRTSCDeadline, a.tsc()+ns)
}
