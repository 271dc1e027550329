package tdx_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

func (m *machine) wantDetected(what string, twice, ignored, used uint64) {
	m.t.Helper()
	d := m.log.Record().Detected
	if d.AcceptedTwice.Operations != twice || d.Ignored != ignored || d.UsedAfterRemoval != used {
		m.t.Errorf("%s: detected %+v, want %d accepted twice, %d ignored, %d used after removal", what, d, twice, ignored, used)
	}
}

func (m *machine) mustAccept(gpa, level uint64) {
	m.t.Helper()
	if s := m.accept(gpa, level); s != abi.Success {
		m.t.Fatalf("accepting %#x: %v", gpa, s)
	}
}

// A TD that converts memory and back, and accepts it then, has done nothing wrong.
func TestNothingIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | unit | 0x3000, x86.R13: 4096})
	m.vmcall(0x10001, regs{x86.R12: unit | 0x3000, x86.R13: 4096})
	m.mustAccept(unit|0x3000, 0)
	if s := m.accept(unit, 1); s != abi.PageSizeMismatch.With(1) { // which says nothing of whether it is accepted
		t.Fatal(s)
	}
	m.wantDetected("an honest guest", 0, 0, 0)
}

// Accepting what has come back is detected, and so is going on after PAGE_ALREADY_ACCEPTED.
func TestAcceptingTwiceIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	if s := m.accept(unit, 1); s != already2M {
		t.Fatal(s)
	}
	m.wantDetected("the same page", 0, 0, 0)
	m.mustAccept(unit+size2M, 1)
	m.wantDetected("the next one", 0, 1, 0)
	if err := m.RemovePages(m.cpu, unit+size2M, unit+2*size2M); err != nil {
		t.Fatal(err)
	}
	if err := m.AddPage(m.cpu, unit+size2M, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	m.mustAccept(unit+size2M, 1)
	m.wantDetected("what came back", 1, 1, 0)
}

func TestUseAfterRemovalIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	if err := m.RemovePages(m.cpu, unit, unit+size2M); err != nil {
		t.Fatal(err)
	}
	m.run(regs{x86.RDX: unit}, load...)
	m.wantDetected("a load", 0, 0, 1)
}

// listening is a host that keeps what it heard.
type listening struct {
	*host.Host
	heard *[]string
}

func (l listening) Heard(_ *x86.CPU, call abi.VMCall, spare *[16]uint64) {
	text := call.String()
	for i, v := range spare {
		if v != 0 {
			text += fmt.Sprintf(" %s=%#x", x86.RegisterName(i), v)
		}
	}
	*l.heard = append(*l.heard, text)
}

// What a guest passes to its host and need not is heard and detected, and what it needs is not (CVE-2024-46794: R15 of a read
// of a device).
func TestRegistersThatNoCallNeeds(t *testing.T) {
	var heard []string
	m := newMachine(t, withHost(func(h *host.Host) tdx.Host { return listening{h, &heard} }))
	clean := regs{x86.RDX: 0, x86.RBX: 0, x86.RSI: 0, x86.RDI: 0, x86.R8: 0, x86.R9: 0, x86.R12: 0, x86.R13: 0, x86.R14: 0, x86.R15: 0}
	call := func(sub uint64, r regs) {
		in := maps.Clone(clean)
		maps.Copy(in, r)
		m.vmcall(sub, in)
	}
	at := m.SharedBit() | holeStart
	needed := []struct {
		sub uint64
		r   regs
	}{
		{10, regs{x86.R12: 1, x86.R13: 2}},
		{30, regs{x86.R12: 1, x86.R13: 0, x86.R14: 0x71}},
		{30, regs{x86.R12: 1, x86.R13: 1, x86.R14: 0x71, x86.R15: 3}},
		{31, regs{x86.R12: 0x1B}},
		{32, regs{x86.R12: 0x2FF, x86.R13: 6}},
		{48, regs{x86.R12: 4, x86.R13: 0, x86.R14: at}},
		{48, regs{x86.R12: 4, x86.R13: 1, x86.R14: at, x86.R15: 5}},
		{0x10000, regs{x86.R12: 1}},
		{0x10001, regs{x86.R12: m.SharedBit() | unit, x86.R13: 4096}},
		{0x10002, regs{x86.R12: m.SharedBit() | unit, x86.R13: 4096}},
		{0x12345, regs{x86.RBX: 1, x86.R15: 2}}, // of which nothing is known
	}
	for _, c := range needed {
		call(c.sub, c.r)
	}
	if d := m.log.Record().Detected; d.Told != 0 {
		t.Errorf("of what is needed: %+v", d)
	}
	call(48, regs{x86.R12: 4, x86.R13: 0, x86.R14: at, x86.R15: 0x5EC})
	call(31, regs{x86.R12: 0x1B, x86.RBX: 1, x86.R13: 2})
	if d := m.log.Record().Detected; d.Told != 3 || d.ToldFirst != "R15 of #VE.RequestMMIO, by the instruction at 0x10000" {
		t.Errorf("%+v", d)
	}
	if want := []string{"#VE.RequestMMIO R15=0x5ec", "Instruction.RDMSR RBX=0x1 R13=0x2"}; len(heard) != len(needed)+2 || !slices.Equal(heard[len(needed):], want) {
		t.Errorf("the host heard %q, and last not %q", heard, want)
	}
	// What is not selected is the guest's.
	m.tdcall(regs{x86.RAX: 0, x86.RCX: 1<<x86.R10 | 1<<x86.R11 | 1<<x86.R12, x86.R10: 0, x86.R11: 31, x86.R12: 0x1B, x86.R15: 7})
	if d := m.log.Record().Detected; d.Told != 3 {
		t.Errorf("of what is not selected: %+v", d)
	}
}
