package x86

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// Engines are compared on programs that do what is hardest for one that keeps code: they write to code that is running,
// their own and in other pages, fault, are interrupted by a timer, and have the platform convert pages under them.

// A converter is a platform with pages of two kinds. VMMCALL converts the page at the physical address in RAX: its
// contents are lost, and what the processor knows of it is forgotten, as where a page's state changes.
type converter struct {
	*Plain
	shared map[uint64]bool // by address; the others are private
}

func (p *converter) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	t, r := p.Plain.Resolve(c, gpa, a)
	if r == nil && !t.MMIO && p.shared[gpa&^pageMask] {
		t.Frame = mem.FrameOf(physical.Shared, gpa)
		t.Host = p.Memory.Page(t.Frame)
	}
	return t, r
}

func (p *converter) Intercepts() uop.InstructionSet { return Instructions(InsnVMMCALL) }

func (p *converter) Intercept(c *CPU, _ *Instruction) Action {
	page := c.R[RAX] % progRAM &^ pageMask
	was := physical.Private
	if p.shared[page] {
		was = physical.Shared
	}
	p.shared[page] = was == physical.Private
	if err := p.Memory.Release(was, page, page+mem.PageSize); err != nil {
		c.Stop(err)
		return Raised
	}
	c.Forget(was, page, page+mem.PageSize)
	c.Charge(0, 3)
	return Done
}

// onConverter puts it under a scene's machine, before there is a processor.
func onConverter(m *scene) {
	plain := m.cfg.Platform.(*Plain)
	m.cfg.Platform = &converter{plain, map[uint64]bool{}}
}

// restless are pieces of programs in addition to fragments.
var restless = []string{
	"B8 %a 0F 01 D9", "48 89 1C 25 %a B8 %a 0F 01 D9 48 8B 1C 25 %a", "B8 %f 0F 01 D9", // conversions: somewhere, between a store and a load, of a page of code
	"C6 04 25 %c %b", "66 C7 04 25 %c EB %b", "48 8D 05 04 00 00 00 C6 00 %b 90 90", // stores to code: its own, a jump, the next instruction
	"BE %c BF %f B9 20 00 00 00 F3 A4 B8 %f FF D0", "C6 04 25 %f C3 B8 %f FF D0", "B8 %f FF D0", // code that is copied to another page, and called there
	"B9 %b 00 00 00 48 FF 04 25 %a 48 11 1C 25 %a E2 EE", "B9 %b 00 00 00 48 01 C3 11 DA 0F 92 C0 E2 F5", // loops that get hot
	"B9 %b 00 00 00 9C 5B 48 01 DB E2 FA", "B9 05 00 00 00 80 04 25 %c 00 E2 F6", // flags in a loop; one that writes to code
	"48 F7 F3", "48 0F AF C3", "48 D3 C0", "0F AE 3C 25 %a", "66 0F 6F 04 25 %a 66 0F EF C1 66 0F 7F 04 25 %a", "A4 48 AB 66 AD",
}

// restlessCode makes a program of pieces.
func restlessCode(pieces []byte, seed uint64) string {
	code, r := "", rand.New(rand.NewPCG(seed, 8))
	all := append(restless[:len(restless):len(restless)], fragments...)
	for _, p := range pieces {
		s := asm(all[int(p)%len(all)])
		for strings.Contains(s, "%") {
			s = strings.Replace(s, "%a", le([]uint64{progData, progUser, progBig, progFree}[r.IntN(4)]+r.Uint64N(0x2000), 4), 1)
			s = strings.Replace(s, "%c", le(progCode+r.Uint64N(0x200), 4), 1)
			s = strings.Replace(s, "%f", le(progFree+r.Uint64N(4)*0x1000+[]uint64{0, 0x10, 0xFF8}[r.IntN(3)], 4), 1)
			s = strings.Replace(s, "%p", le(pte([]uint64{progData, progUser, progFree, progSP - 8}[r.IntN(4)]+r.Uint64N(0x2000)), 4), 1)
			s = strings.Replace(s, "%e", le((progData+r.Uint64N(16)*0x1000)|r.Uint64N(0x200)|pteP, 4), 1)
			s = strings.Replace(s, "%b", le(r.Uint64(), 1), 1)
		}
		code += s
	}
	return code + "E9" + le(-uint64(len(code)/2+5), 4) // and again
}

// restlessProgram is the program of a fuzzed input.
func restlessProgram(pieces []byte, seed uint64, conversions bool) *program {
	return &program{code: restlessCode(pieces, seed), before: func(m *scene) {
		if conversions {
			onConverter(m)
		}
	}, setup: func(m *scene) {
		r := rand.New(rand.NewPCG(seed, 9))
		skipping(m)
		for i := range m.from.GPR {
			if i != uop.RSP {
				m.from.GPR[i] = interesting(r)
			}
		}
		m.from.XCR0 = 3
		m.msr.star, m.msr.lstar, m.msr.fmask = testSTAR, progCode+r.Uint64N(0x40), r.Uint64N(1<<20)
		m.APIC.startTimerIn(1 + r.Uint64N(900))
		m.until = 4000
	}}
}

// FuzzEngines compares engines after every block of such a program, and after some hundred instructions, and holds what
// they leave behind against each other.
func FuzzEngines(f *testing.F) {
	for i := range len(restless) {
		f.Add([]byte{byte(i), byte(i + 1), byte(3 * i), 3, 9}, uint64(i), uint64(0), i%2 == 0)
		f.Add([]byte{byte(i), byte(i + 40), byte(i), byte(5 * i), 10}, uint64(i), uint64(50*i), i%2 == 1)
	}
	f.Fuzz(func(t *testing.T, pieces []byte, seed, every uint64, conversions bool) {
		if len(pieces) == 0 || len(pieces) > 100 {
			return
		}
		p := restlessProgram(pieces, seed, conversions)
		if d := lockstep(t, p, every%1000, nil); d != "" {
			t.Fatalf("pieces %v, seed %d, compared every %d: %s", pieces, seed, every%1000, d)
		}
	})
}

// Random programs for the engines, without a corpus: two numbers say which it was.
func TestRandomPrograms(t *testing.T) {
	t.Parallel()
	exits := map[ExitKind]int{}
	for i := *programFirst; i < *programFirst+*programCount; i++ {
		r := rand.New(rand.NewPCG(*programSeed, i))
		pieces := make([]byte, 1+r.IntN(40))
		for k := range pieces {
			pieces[k] = byte(r.Uint32())
		}
		p := restlessProgram(pieces, r.Uint64(), r.IntN(3) > 0)
		if d := lockstep(t, p, []uint64{0, 0, 7, 100, 1000}[r.IntN(5)], nil); d != "" {
			t.Fatalf("-program-seed=%d -program-first=%d -programs=1: %s", *programSeed, i, d)
		}
		m := newScene(t, p, 0)
		exits[m.drive(0).Kind]++
		_ = m.mem.Close()
	}
	t.Logf("ended with: %v", exits)
}
