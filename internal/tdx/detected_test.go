package tdx_test

import (
	"testing"

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
