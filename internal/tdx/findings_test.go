package tdx_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

func (m *machine) wantFindings(what string, again, wentOn, used uint64) {
	m.t.Helper()
	f := m.Findings()
	if want := [confidential.FindingKinds]uint64{again, wentOn, used}; f.Count != want {
		m.t.Errorf("%s: found %v, want %v: %+v", what, f.Count, want, f.First)
	}
}

func (m *machine) mustAccept(gpa, level uint64) {
	m.t.Helper()
	if s := m.accept(gpa, level); s != abi.Success {
		m.t.Fatalf("accepting %#x: %v", gpa, s)
	}
}

// A TD that converts memory and back, and accepts it then, has done nothing wrong.
func TestNothingIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | unit | 0x3000, x86.R13: 4096})
	m.vmcall(0x10001, regs{x86.R12: unit | 0x3000, x86.R13: 4096})
	m.mustAccept(unit|0x3000, 0)
	if s := m.accept(unit, 1); s != abi.PageSizeMismatch.With(1) { // which says nothing of whether it is accepted
		t.Fatal(s)
	}
	m.wantFindings("an honest guest", 0, 0, 0)
}

// Accepting twice is found, whether the module says so or the host has put another page there; so is a guest that goes on
// after PAGE_ALREADY_ACCEPTED, as EDK2's does, and not one that looks at the same page in smaller pieces, as Linux does.
func TestAcceptingTwiceIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	if s := m.accept(unit, 1); s != already2M {
		t.Fatal(s)
	}
	m.accept(unit, 0)
	m.wantFindings("the same page", 2, 0, 0)
	m.mustAccept(unit+size2M, 1)
	m.wantFindings("the next one", 2, 1, 0)
	if err := m.RemovePages(m.cpu, unit+size2M, unit+2*size2M); err != nil {
		t.Fatal(err)
	}
	if err := m.AddPage(m.cpu, unit+size2M, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	m.mustAccept(unit+size2M, 1)
	m.wantFindings("what came back", 3, 1, 0)
	f := m.Findings()
	if f.First[confidential.AcceptedAgain].GPA != unit || f.First[confidential.WentOn].GPA != unit || f.First[confidential.WentOn].RIP == 0 {
		t.Errorf("found at %+v", f.First)
	}
}

func TestUseAfterRemovalIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustAccept(unit, 1)
	if err := m.RemovePages(m.cpu, unit, unit+size2M); err != nil {
		t.Fatal(err)
	}
	m.run(regs{x86.RDX: unit}, load...)
	m.wantFindings("a load", 0, 0, 1)
}
