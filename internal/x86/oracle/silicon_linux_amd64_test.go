package oracle

import (
	"strings"
	"testing"
	"time"
)

// plain is a case with nothing in its registers.
func plain(code ...byte) *Case {
	return &Case{Code: code, In: State{RIP: codeBase + 0x100, Flags: flag1 | flagIF, MXCSR: 0x1F80, X87: X87{FCW: 0x37F}}}
}

func newSilicon(t *testing.T) *Silicon {
	s, err := NewSilicon()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// One case in a batch that hangs, exits or makes a system call has an error; those around it have their outcomes.
func TestChildIsReplaced(t *testing.T) {
	s := newSilicon(t)
	s.patience = 100 * time.Millisecond
	exit := plain(0x0F, 0x05)
	exit.In.GPR[rax] = 60
	getpid := plain(0x0F, 0x05)
	getpid.In.GPR[rax] = 39
	for name, c := range map[string]*Case{"loop": plain(0xEB, 0xFE), "exit": exit, "system call": getpid} {
		good := plain(0xFF, 0xC0) // INC EAX
		out := make([]Outcome, 3)
		if err := s.Run([]*Case{good, c, good}, out); err != nil {
			t.Fatal(err)
		}
		if out[1].Err == nil {
			t.Errorf("%s: no error, %s", name, out[1].exception())
		}
		for _, i := range []int{0, 2} {
			if out[i].Err != nil || out[i].GPR[rax] != 1 {
				t.Errorf("%s: the case at %d: RAX %d, %v", name, i, out[i].GPR[rax], out[i].Err)
			}
		}
	}
}

// A case leaves nothing behind: memory, code, registers, flags and segment bases of the next are its own.
func TestCasesAreIndependent(t *testing.T) {
	s := newSilicon(t)
	dirty := plain(
		0x48, 0x89, 0x04, 0x25, 0, 0, 0, 0x50, // MOV [arena], RAX
		0xF3, 0x48, 0x0F, 0xAE, 0xD0, // WRFSBASE RAX
		0xFD,                         // STD
		0x0F, 0x28, 0xC8, 0xD9, 0xE8) // MOVAPS XMM1, XMM0; FLD1
	dirty.In.GPR[rax] = 0x1234
	dirty.In.XMM[0] = [2]uint64{1, 2}
	clean := plain(0x90)
	out := make([]Outcome, 3)
	if err := s.Run([]*Case{clean, dirty, clean}, out); err != nil {
		t.Fatal(err)
	}
	if out[1].Vector != vectorBP || out[1].GPR[rax] != 0x1234 || out[1].Arena[1] != 0x12 || out[1].XMM[1] != [2]uint64{1, 2} {
		t.Fatalf("the case between did not run: %s %+v", out[1].exception(), out[1].State)
	}
	if d := clean.Compare(&out[0], &out[2]); d != nil {
		t.Errorf("the same case before and after another: %s", strings.Join(d, "\n"))
	}
}

// Faults come with vector, error code and address.
func TestFaults(t *testing.T) {
	s := newSilicon(t)
	at := func(c *Case, rax uint64) *Case {
		c.In.GPR[0] = rax
		return c
	}
	cases := []*Case{
		at(plain(0x8B, 0x00), arenaEnd),                           // MOV EAX, [RAX]
		at(plain(0x89, 0x00), arenaBase+arenaReadOnly*pageSize),   // MOV [RAX], EAX
		at(plain(0xFF, 0xE0), arenaBase),                          // JMP RAX
		at(plain(0x8B, 0x00), 1<<62),                              // MOV EAX, [RAX]
		plain(0xF7, 0xF0),                                         // DIV EAX
		plain(0x0F, 0x0B),                                         // UD2
		at(plain(0x0F, 0x28, 0x00), arenaBase+8),                  // MOVAPS XMM0, [RAX]
		at(plain(0x89, 0x00), arenaBase+arenaReadOnly*pageSize-2), // across
	}
	want := []string{
		"#PF(0x4) at 0x50004000", "#PF(0x7) at 0x50002000", "#PF(0x15) at 0x50000000", "#GP(0x0)", "#DE", "#UD", "#GP(0x0)", "#PF(0x7) at 0x50002000",
	}
	out := make([]Outcome, len(cases))
	if err := s.Run(cases, out); err != nil {
		t.Fatal(err)
	}
	for i := range want {
		if got := out[i].exception(); got != want[i] {
			t.Errorf("% x: %s, want %s", cases[i].Code, got, want[i])
		}
	}
}
