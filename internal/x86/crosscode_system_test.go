package x86

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// Cross-modifying code: what one processor has decoded, and linked, another changes, or a device or firmware does (SDM
// vol. 3, 9.1.3). Whoever runs the code next, once it knows that it has changed, runs what is there now.

const (
	crossReady = progData + 0x8000 // processor 0 has run the code once
	crossGo    = progData + 0x8008 // it has been changed
	crossOther = progCode + 0x4000 // where processor 1 starts
	crossCode  = progFree + 0x2000 // the code that is changed, unless a case says otherwise
	crossAlias = progFree + 0x8000 // a page that maps the frame of crossCode as well
	crossBit   = 1 << 46           // of a guest-physical address: the shared plane
)

// A crossing is a case: processor 0 calls the code, says so, waits until it is told to go on and calls it again, while
// processor 1 waits, changes the code, and says so.
type crossing struct {
	name        string
	at          uint64 // of the code; 0 is crossCode
	code        string // returns a number in EAX
	before      string // what processor 1 does before processor 0 has run the code
	change      string // what processor 1 does between the calls
	io          func(m *scene)
	setup       func(m *scene)
	first, then uint64 // what the calls return
}

// planes is a plain platform whose addresses with crossBit lead to the shared plane.
type planes struct{ *Plain }

func (p planes) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	t, r := p.Plain.Resolve(c, gpa&^crossBit, a)
	if gpa&crossBit != 0 {
		t.Frame |= mem.Frame(physical.Shared)
		t.Host = p.Memory.Page(t.Frame)
	}
	return t, r
}

// start makes the two processors of a case.
func (x *crossing) start(t *testing.T, blockLimit int) (*scene, []*CPU) {
	at := x.at
	if at == 0 {
		at = crossCode
	}
	wait := func(flag uint64) string { return asm("80 3C 25", le(flag, 4), "00 74 F6") } // 1: cmp byte [flag], 0; je 1b
	set := func(flag uint64) string { return asm("C6 04 25", le(flag, 4), "01") }        // mov byte [flag], 1
	m := newScene(t, &program{
		code: asm(movImm(uop.RBX, at), "FF D3 89 C6", set(crossReady), wait(crossGo), "FF D3 F4"), // call rbx; mov esi, eax; …; call rbx; hlt
		setup: func(m *scene) {
			code, _ := assemble(x.code)
			m.put(at, code)
			other, _ := assemble(asm(x.before, wait(crossReady), x.change, "E4 10", set(crossGo), "F4"))
			m.put(crossOther, other)
			m.write(pte(crossAlias), crossCode|pteP|pteW|pteA|pteD)
			if x.setup != nil {
				x.setup(m)
			}
		},
	}, blockLimit)
	m.bus.in = func(uint16, int) uint32 {
		if x.io != nil {
			x.io(m)
		}
		return 0
	}
	m.platform = planes{m.platform.(*Plain)}
	m.cfg.Platform, m.cfg.ID = m.platform, 1
	other := New(m.cfg)
	s := m.from
	s.RIP, s.GPR[uop.RSP] = crossOther, progSP-0x800
	other.SetState(&s)
	return m, []*CPU{m.CPU, other}
}

// takeTurns runs processors to their HLTs, each for so many instructions at a time.
func takeTurns(t *testing.T, turn uint64, cpus ...*CPU) {
	t.Helper()
	for range 10_000 {
		halted := 0
		for _, c := range cpus {
			c.LimitInstructions(c.Instructions() + turn)
			switch e := c.Run(1 << 40); e.Kind {
			case ExitHalted:
				halted++
			case ExitBudget:
			default:
				t.Fatalf("processor %d: exit %d (%v) at %#x", c.ID(), e.Kind, e.Err, c.RIP())
			}
			if rip := c.RIP(); rip >= progGate && rip < progGate+256*16 {
				t.Fatalf("processor %d raised exception %d, CR2 %#x", c.ID(), (rip-progGate)/16, c.cr2)
			}
		}
		if halted == len(cpus) {
			return
		}
	}
	t.Fatal("no end")
}

func TestCrossModifyingCode(t *testing.T) {
	const (
		one   = "B8 01 00 00 00 C3"                            // mov eax, 1; ret
		links = "31 C0 EB 00 FF C0 EB 00 C3"                   // xor eax, eax; jmp; inc eax; jmp; ret: three blocks
		loop  = "31 C0 B9 05 00 00 00 83 C0 01 FF C9 75 F9 C3" // xor eax, eax; mov ecx, 5; 1: add eax, 1; dec ecx; jnz 1b; ret
		edge  = crossCode + 0xFFE                              // mov eax, imm32; ret, of which four bytes lie in the next page
	)
	to := func(address, v uint64) string { return asm("C6 04 25", le(address, 4), le(v, 1)) } // mov byte [address], v
	bytes := func(b ...byte) []byte { return b }
	// Stores 1 to the address, over and over, until processor 0 has run the code, and then 7: the store itself has been
	// decoded, and has an entry of the TLB, before there is code.
	again := func(address uint64) string {
		return asm("0F B6 04 25", le(crossReady, 4), "6B C0 06 FF C0 88 04 25", le(address, 4), "3C 07 75 E8") // 1: movzx eax, byte; imul eax, eax, 6; inc eax; mov [..], al; cmp al, 7; jne 1b
	}
	must := func(err error) {
		if err != nil {
			t.Error(err)
		}
	}
	mapped := func(page, entry uint64) func(m *scene) { return func(m *scene) { m.write(pte(page), entry) } }
	for _, x := range []crossing{
		{name: "in another page", code: one, change: to(crossCode+1, 7), first: 1, then: 7},
		{name: "in the page of the code that calls it", at: progCode + 0x800, code: one, change: to(progCode+0x801, 7), first: 1, then: 7},
		{name: "in the page of the code that changes it", at: crossOther + 0x800, code: one, change: to(crossOther+0x801, 7), first: 1, then: 7},
		{name: "a block that others are linked to", code: links, change: asm("66 C7 04 25", le(crossCode+4, 4), "B0 07"), first: 1, then: 7}, // mov word: mov al, 7
		{name: "the last of linked blocks", code: links, change: asm("66 C7 04 25", le(crossCode+6, 4), "B0 07"), first: 1, then: 7},
		{name: "a loop linked to itself", code: loop, change: to(crossCode+9, 3), first: 5, then: 15},
		{name: "by code that has run it itself", code: one, change: asm(movImm(uop.RBX, crossCode), "FF D3", to(crossCode+1, 7), "FF D3"), first: 1, then: 7},
		{name: "through an entry of the TLB that let stores through before there was code", code: one, before: again(crossCode + 1), first: 1, then: 7},
		{name: "the same of the second page of an instruction", at: edge, code: "B8 00 01 00 00 C3", before: again(edge + 2), first: 0x100, then: 0x700},
		{name: "the first page of an instruction of two", at: edge, code: one, change: to(edge+1, 7), first: 1, then: 7},
		{name: "through another linear address", code: one, change: to(crossAlias+1, 7), first: 1, then: 7},
		{name: "through another linear address that let stores through before", code: one, before: again(crossAlias + 1), first: 1, then: 7},
		{name: "through an address in the other plane, which is other memory", code: one, change: to(crossAlias+1, 7), setup: mapped(crossAlias, crossCode|crossBit|pteP|pteW), first: 1, then: 1},
		{name: "in the other plane", at: crossAlias, code: one, change: to(crossAlias+1, 7), setup: func(m *scene) {
			m.write(pte(crossAlias), crossCode|crossBit|pteP|pteW)
			code, _ := assemble(one)
			must(m.mem.Write(physical.Shared, crossCode, code))
		}, first: 1, then: 7},
		{name: "by a locked exchange", code: one, change: asm("B0 07 86 04 25", le(crossCode+1, 4)), first: 1, then: 7}, // mov al, 7; xchg [..], al
		{name: "by a repeated store", code: one, change: asm("BF", le(crossCode+1, 4), "B9 02 00 00 00 B0 07 F3 AA"), first: 1, then: 0x707},
		{name: "by sixteen bytes", code: asm(one, "90 90 90 90 90 90 90 90 90 90"), change: asm("0F 10 04 25", le(progData, 4), "0F 11 04 25", le(crossCode, 4)), setup: func(m *scene) { // movups both ways
			m.put(progData, bytes(0xB8, 7, 0, 0, 0, 0xC3))
		}, first: 1, then: 7},
		{name: "by a push", code: one, change: asm("BC", le(crossCode+8, 4), movImm(uop.RAX, 0xC300_0000_07B8), "50"), first: 1, then: 7}, // mov esp; mov rax; push rax
		{name: "by the walk to a page that is read, which sets its accessed bit", at: pte(progFree), code: "", change: asm("8A 0C 25", le(progFree, 4)), // mov cl, [..]
			// add eax, edx; add eax, 0; ret. With A set the first is and eax, edx.
			setup: func(m *scene) { m.from.GPR[uop.RDX] = 4; m.write(pte(progFree), 0xC300_0000_0005_C203) }, first: 4, then: 4},
		{name: "by the walk to a page that is written, which sets its dirty bit", at: pte(progFree), change: asm("88 0C 25", le(progFree, 4)),
			// and eax, edx; add eax, 0; ret. With D set the first is movsxd eax, edx.
			setup: func(m *scene) {
				m.from.GPR[uop.RDX], m.from.GPR[uop.RAX] = 4, 3
				m.write(pte(progFree), 0xC300_0000_0005_C223)
			}, first: 0, then: 4},
		{name: "by firmware", code: one, io: func(m *scene) { must(m.WritePhysical(crossCode+1, bytes(7))) }, first: 1, then: 7},
		{name: "by firmware, where a kernel sees it", code: one, io: func(m *scene) { must(m.WriteVirtual(crossAlias+1, bytes(7))) }, first: 1, then: 7},
		{name: "by a device", code: one, io: func(m *scene) { m.put(crossCode+1, bytes(7)) }, first: 1, then: 7},
		{name: "by a device, in the second page of an instruction", at: edge, code: one, io: func(m *scene) { m.put(edge+2, bytes(7)) }, first: 1, then: 0x701},
		{name: "by the host, which takes the page away", at: crossCode + 0xFFA, code: one, io: func(m *scene) {
			must(m.mem.Release(physical.Private, crossCode, crossCode+0x1000)) // leaves add [rax], al three times before the next page
		}, setup: func(m *scene) {
			m.put(crossCode+0x1000, bytes(0xB8, 7, 0, 0, 0, 0xC3))
		}, first: 1, then: 7},
	} {
		t.Run(x.name, func(t *testing.T) {
			for _, limit := range blockLimits {
				for _, turn := range []uint64{1, 2, 3, 7, 1000, 1001} {
					m, cpus := x.start(t, limit)
					if turn&1 != 0 {
						slices.Reverse(cpus)
					}
					takeTurns(t, turn, cpus...)
					if first, then := m.R[uop.RSI], m.R[uop.RAX]; first != x.first || then != x.then {
						t.Errorf("blocks of %d, turns of %d: %d and then %#x, want %d and %#x", limit, turn, first, then, x.first, x.then)
					}
				}
			}
		})
	}
}

// A forgetful platform does something when data is read for the first time.
type forgetful struct {
	askedPlatform
	forget func()
}

func (p *forgetful) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	if a.Kind == Read && p.forget != nil {
		p.forget()
	}
	return p.askedPlatform.Resolve(c, gpa, a)
}

// A platform that takes a page's rights away tells one processor after the other. Whichever runs, and is told last, it
// does not run on in code of that page without asking.
func TestForgottenCodeOfSeveralProcessors(t *testing.T) {
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		for _, limit := range blockLimits {
			x := crossing{code: "B8 01 00 00 00 C3"}
			m, cpus := x.start(t, limit)
			takeTurns(t, 1000, cpus...)
			p := &forgetful{askedPlatform: askedPlatform{Plain: m.platform.(planes).Plain}}
			p.forget = func() {
				p.asked = nil
				for _, i := range order {
					cpus[i].Forget(physical.Private, crossOther, crossOther+mem.PageSize)
				}
			}
			c := cpus[1]
			c.platform = p
			s := m.from
			s.RIP = crossOther + 0x100
			c.SetState(&s)
			m.put(s.RIP, []byte{0x8A, 0x0C, 0x25, 0, 0, 2, 0, 0xFF, 0xC0, 0xE4, 0x10, 0xF4}) // mov cl, [progData]; inc eax; in al, 0x10; hlt
			var asked []string
			m.bus.in = func(uint16, int) uint32 {
				asked = slices.Clone(p.asked)
				return 0
			}
			takeTurns(t, 1000, c)
			if want := fmt.Sprintf("%v %#x", Fetch, uint64(crossOther)); !slices.Contains(asked, want) {
				t.Errorf("told in the order %v, blocks of %d: asked %v, want %s", order, limit, asked, want)
			}
		}
	}
}

// What is kept of decoded code is bounded for a machine, however many processors it has.
func TestDecodedCodeOfSeveralProcessorsIsBounded(t *testing.T) {
	const most = 64 << 10
	m := newScene(t, &program{}, 0)
	m.cfg.CodeBytes = most
	var cpus []*CPU
	kept := func() (n int) {
		for _, p := range m.code.pages {
			for _, b := range p.start {
				for ; b != nil; b = b.sibling {
					n += b.bytes()
				}
			}
		}
		return n
	}
	for id := range 8 {
		m.cfg.ID = id
		c := New(m.cfg)
		s := m.from
		s.RIP = progBig + uint64(id)<<16
		for i := uint64(0); i < 1<<16; i += 2 {
			m.put(s.RIP+i, []byte{0xEB, 0x00}) // jmp: each a block
		}
		c.SetState(&s)
		cpus = append(cpus, c)
	}
	for range 100 {
		for _, c := range cpus {
			if e := c.Run(c.Now() + 100); e.Kind != ExitDeadline {
				t.Fatalf("exit %+v", e)
			}
			if n := kept(); n > most+4096 || n != m.code.bytes {
				t.Fatalf("%d bytes are kept, %d are counted; at most %d may be", n, m.code.bytes, most)
			}
		}
	}
}

// Breakpoints, watches and traces hold for all processors, whichever they were set through, in code that another has
// decoded.
func TestPointsHoldForAllProcessors(t *testing.T) {
	for _, limit := range blockLimits {
		x := crossing{code: "B8 01 00 00 00 C3"}
		m, cpus := x.start(t, limit)
		takeTurns(t, 1000, cpus...)
		seen := map[int]int{}
		m.Trace(func(c *CPU) { seen[c.ID()]++ })
		m.SetBreakpoints([]uint64{crossCode + 5})
		m.SetWatches([]Watch{{Start: crossCode, End: crossCode + 1, Physical: true, Fetch: true}, {Start: progSP, End: progSP + 8, Read: true}})
		for i, c := range cpus {
			s := m.from
			s.RIP = crossCode
			c.SetState(&s)
			for _, want := range []struct {
				kind ExitKind
				rip  uint64
			}{{ExitWatch, crossCode}, {ExitBreak, crossCode + 5}, {ExitWatch, 0}} { // ret, to address 0
				if e := c.Run(c.Now() + 100); e.Kind != want.kind || c.RIP() != want.rip {
					t.Errorf("blocks of %d, processor %d: exit %d at %#x, want %d at %#x", limit, i, e.Kind, c.RIP(), want.kind, want.rip)
				}
			}
			if seen[i] != 2 {
				t.Errorf("blocks of %d, processor %d: %d instructions were traced, want 2", limit, i, seen[i])
			}
		}
	}
}
