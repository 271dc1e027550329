package oracle

import (
	"slices"
	"strings"
	"testing"
)

// Memory operands are where the interpreter finds them: a page fault says where that was.
func TestOperationsAddresses(t *testing.T) {
	in, err := NewInterpreter(Way{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	g := NewGenerator(3, func(f *form) bool { return f.excluded() == "" })
	forms, wrong := map[string]bool{}, 0
	for n := range uint64(20000) {
		var o Outcome
		c := g.Case(n)
		in.Run(c, &o)
		if o.Err != nil || o.Vector != vectorPF || o.Code&0x10 != 0 {
			continue
		}
		x := c.operation(&o)
		// Pushes and pops, later elements of strings, what a bit offset adds, and areas whose far end is looked at first are elsewhere.
		if x == nil || !x.isMem || c.Skip.CR2 || x.is("PUSH POP CALL RET MOVSB MOVSW MOVSD MOVSQ CMPSB CMPSW CMPSD CMPSQ LODSB LODSW LODSD LODSQ BT BTS BTR BTC") {
			continue
		}
		forms[x.name] = true
		if at := o.CR2 - x.linear; at >= uint64(max(x.memory, 1)) {
			if wrong++; wrong < 10 {
				t.Errorf("case %d: %s % x: %#x, but the fault is at %#x", n, x.name, c.Code, x.linear, o.CR2)
			}
		}
	}
	if len(forms) < 300 {
		t.Errorf("%d forms only", len(forms))
	}
}

// What a maker does otherwise is settled by the entry that says so, and nothing beside it.
func TestSettle(t *testing.T) {
	in, err := NewInterpreter(Way{})
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	const unmapped = arenaEnd + 0x100
	state := func(change func(s *State)) State {
		s := State{RIP: codeBase + 0x100, Flags: flag1 | flagIF, MXCSR: 0x1F80, X87: X87{FCW: 0x37F}}
		s.GPR[rsp] = arenaBase + 0x800
		change(&s)
		return s
	}
	for _, test := range []struct {
		entry    string // the beginning of what it says
		name     string
		code     []byte
		in       State
		amd      func(o *Outcome) // makes the interpreter's outcome silicon's
		conceded bool             // nothing else is compared
	}{
		{"MMX stores", "MOVQ mm/m64, mm", []byte{0x0F, 0x7F, 0x00}, state(func(s *State) {
			s.GPR[rax], s.X87.FSW, s.X87.ST[2] = unmapped, 3<<11, Float80{1, 2}
		}), func(o *Outcome) {
			o.X87.FSW |= 3 << 11
			st := o.X87.ST
			for i := range st {
				o.X87.ST[i] = st[(i+3)%8]
			}
		}, false},
		{"CALL", "CALL r/m64", []byte{0xFF, 0xD0}, state(func(s *State) { s.GPR[rax] = 1 << 62 }), func(o *Outcome) {
			clear(o.Arena[0x7F8:0x800])
		}, false},
		{"repeated CMPS", "SCASB", []byte{0xF2, 0xAE}, state(func(s *State) {
			s.GPR[rax], s.GPR[rcx], s.GPR[rdi] = 1, 100, arenaEnd-2
		}), func(o *Outcome) { o.Flags |= flagAF }, false},
		{"repeated string", "STOSB", []byte{0x67, 0xF3, 0xAA}, state(func(s *State) {
			s.GPR[rcx], s.GPR[rdi] = 5<<32, 7<<32|arenaBase
		}), func(o *Outcome) { o.GPR[rcx], o.GPR[rdi] = 5<<32, 7<<32|arenaBase }, false},
		{"90 with REX.B", "PAUSE", []byte{0xF3, 0x41, 0x90}, state(func(s *State) { s.GPR[rax], s.GPR[8] = 1<<40|1, 1<<40|2 }), func(o *Outcome) {
			o.GPR[rax], o.GPR[8] = 2, 1
		}, false},
		{"operands through FS", "MOV r64, r/m64", []byte{0x64, 0x48, 0x8B, 0x00}, state(func(s *State) {
			s.GPR[rax] = 0xFFFF_3000_0000_0000
		}), func(o *Outcome) { o.Vector, o.Code = vectorGP, 0 }, false},
		{"DPPS", "DPPS xmm, xmm/m128, imm8", []byte{0x66, 0x0F, 0x3A, 0x40, 0xC1, 0xFF}, state(func(s *State) {
			s.XMM[0][0], s.XMM[1][0] = 0x7FC0_0001_7FC0_0002, 0x7FC0_0003_7FC0_0004
		}), func(o *Outcome) { o.XMM[0] = [2]uint64{0x7FC0_0009_7FC0_0009, 0x7FC0_0009_7FC0_0009} }, false},
		{"INT1", "INT1", []byte{0xF1}, state(func(*State) {}), func(o *Outcome) { o.RIP-- }, false},
		{"undefined", "(66F20F3882) m128", []byte{0x2E, 0x2E, 0x2E, 0x2E, 0x66, 0xF2, 0x43, 0x0F, 0x38, 0x82, 0x9C, 0x0B, 0x34, 0x8B, 0xA0, 0xC7}, state(func(*State) {}),
			func(o *Outcome) { o.Vector = vectorGP }, false},
		{"RETF", "RETF", []byte{0xCB}, state(func(*State) {}), func(o *Outcome) { o.Vector, o.Code, o.CR2 = vectorPF, 4, arenaEnd }, false},
		{"SHA1", "SHA1NEXTE xmm, xmm/m128", []byte{0x0F, 0x38, 0xC8, 0x00}, state(func(s *State) { s.GPR[rax] = arenaBase + 8 }), func(o *Outcome) {
			o.Vector, o.RIP, o.XMM[0][0] = vectorBP, o.RIP+5, 1
		}, true},
		{"MOVUPS", "MOVUPS xmm, xmm/m128", []byte{0x0F, 0x10, 0x00}, state(func(s *State) {
			s.GPR[rax], s.Flags = arenaBase+4, s.Flags|flagAC
		}), func(o *Outcome) { o.Vector, o.RIP = vectorAC, o.RIP-4 }, true},
		{"MOVSXD", "MOVSXD r16, r/m16", []byte{0x66, 0x63, 0x08}, state(func(s *State) { s.GPR[rax] = arenaEnd - 2 }), func(o *Outcome) {
			o.Vector, o.RIP, o.Code, o.CR2 = vectorPF, o.RIP-4, 4, arenaEnd
		}, true},
		{"x87 stores", "FST m32", []byte{0xD9, 0x10}, state(func(s *State) {
			s.GPR[rax], s.X87.FCW = unmapped, 0x37E
		}), func(o *Outcome) { o.Vector, o.RIP, o.Code, o.CR2 = vectorPF, o.RIP-3, 6, unmapped }, true},
		{"XSAVE", "XSAVE m576byte", []byte{0x0F, 0xAE, 0x27}, state(func(s *State) { // of no component: only the header is stored
			s.GPR[rdi] = arenaBase + (arenaReadOnly+1)*pageSize - xsaveHeader
		}), func(o *Outcome) { o.Vector, o.RIP, o.Code, o.CR2 = vectorPF, o.RIP-4, 7, o.GPR[rdi] }, true},
	} {
		c := &Case{Name: test.name, Code: test.code, In: test.in}
		answer := func(change func(o *Outcome)) (silicon, ours Outcome) {
			in.Run(c, &ours)
			silicon = ours
			silicon.Arena, ours.Arena = slices.Clone(ours.Arena), slices.Clone(ours.Arena)
			change(&silicon)
			return silicon, ours
		}
		silicon, ours := answer(test.amd)
		if c.Compare(&silicon, &ours) == nil {
			t.Errorf("%s: nothing differs", test.name)
		}
		if by := c.settle("AuthenticAMD", &silicon, &ours); len(by) != 1 || !strings.HasPrefix(by[0], test.entry) {
			t.Errorf("%s: settled by %q, not by %q: %v", test.name, by, test.entry, c.Compare(&silicon, &ours))
		}
		if by := c.settle("GenuineIntel", &silicon, &ours); by != nil {
			t.Errorf("%s: settled for Intel by %q", test.name, by)
		}
		silicon, ours = answer(func(o *Outcome) {
			test.amd(o)
			o.GPR[15]++
		})
		if by := c.settle("AuthenticAMD", &silicon, &ours); by != nil && !test.conceded {
			t.Errorf("%s: settled by %q, with another difference in R15", test.name, by)
		}
		// The difference alone, in an instruction of which the table says nothing.
		other := *c
		other.Name, other.Code = "NOP", []byte{0x90}
		silicon, ours = answer(test.amd)
		if by := other.settle("AuthenticAMD", &silicon, &ours); by != nil {
			t.Errorf("%s: settled by %q for another instruction", test.name, by)
		}
	}
}
