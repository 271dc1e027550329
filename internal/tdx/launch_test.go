package tdx_test

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/x86"
)

// What is launched is accepted, holds what it was given and zeros after that, and is given once.
func TestAddLaunched(t *testing.T) {
	m := newMachine(t)
	const at = 0x60_0000
	if err := m.AddLaunched(m.cpu, at, at+0x3000, []byte("launched")); err != nil {
		t.Fatal(err)
	}
	b := bytes.Repeat([]byte{0xFF}, 0x1000)
	if err := m.cpu.ReadPhysical(at, b); err != nil || string(b[:8]) != "launched" || b[8] != 0 {
		t.Errorf("% x, %v", b[:16], err)
	}
	if state := m.State(at + 0x2000); state != "accepted" {
		t.Errorf("the last page is %s", state)
	}
	for what, r := range map[string]accept.Range{
		"again": {Start: at + 0x2000, End: at + 0x4000}, "not of pages": {Start: at + 0x4000, End: at + 0x4800}, "no memory": {Start: 1 << 40, End: 1<<40 + 0x1000},
	} {
		if err := m.AddLaunched(m.cpu, r.Start, r.End, nil); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := m.AddLaunched(m.cpu, at+0x4000, at+0x5000, make([]byte, 0x1001)); err == nil {
		t.Error("contents that do not fit: no error")
	}
}

// A processor begins in protected mode at the reset vector, and is told how wide addresses are, who it is, and what the VMM hands over.
func TestLaunch(t *testing.T) {
	m := newMachine(t)
	m.Launch(m.cpu, 0x80_9000)
	s := m.cpu.State()
	if s.RIP != 0xFFFF_FFF0 || s.CR0 != 0x31 || s.CR4 != 0x40 || s.EFER != 0x901 || s.Seg[1].Attr != 0xC09B || s.Seg[1].Base != 0 {
		t.Errorf("RIP %#x, CR0 %#x, CR4 %#x, EFER %#x, CS %+v", s.RIP, s.CR0, s.CR4, s.EFER, s.Seg[1])
	}
	if g := s.GPR; g[x86.RBX] != 48 || g[x86.RCX] != 0x80_9000 || g[x86.R8] != 0x80_9000 || g[x86.RSI] != 0 || g[x86.RDX] == 0 || g[x86.RAX] != 0 {
		t.Errorf("registers %#x", g)
	}
}
