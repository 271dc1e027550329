package snp_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

type findingsOf interface{ Findings() confidential.Findings }

var _ findingsOf = (*snp.Platform)(nil)

func (m *machine) wantFindings(what string, again, wentOn, used uint64) {
	m.t.Helper()
	f := m.Findings()
	if want := [confidential.FindingKinds]uint64{again, wentOn, used}; f.Count != want {
		m.t.Errorf("%s: found %v, want %v: %+v", what, f.Count, want, f.First)
	}
}

// A guest that does what it should is not found to have done anything, whatever an honest host does.
func TestNothingIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size2M)
	m.store(page, 1)
	m.pvalidate(page+0x3000, size4K, 0) // as Linux does it: validation taken back, then shared
	m.share(page + 0x3000)
	m.storeShared(page+0x3000, 2)
	m.msr(page + 0x3000 | 1<<52 | 0x14)
	m.mustValidate(page+0x3000, size4K)
	m.share(page + 0x5000) // without taking it back
	m.msr(page + 0x5000 | 1<<52 | 0x14)
	m.mustValidate(page+0x5000, size4K)
	m.run(regs{x86.RAX: page + 4<<20}, insnLoad...) // too early, which is another matter
	m.wantFindings("an honest guest", 0, 0, 0)

	g := newMachine(t).withGHCB()
	g.mustValidate(page, size4K)
	g.psc(0, page|toShared)
	g.psc(0, page|toPrivate)
	g.mustValidate(page, size4K)
	g.wantFindings("by the GHCB", 0, 0, 0)
}

// Validating twice is found whether CF says so or, since there is another frame, does not.
func TestValidatingTwiceIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
	m.mustValidate(page, size4K)
	m.wantFindings("two frames", 1, 0, 0)
	at := m.Findings().First[confidential.AcceptedAgain]
	if at.GPA != page || at.RIP != codeAt || at.Instructions == 0 {
		t.Errorf("found at %+v", at)
	}

	m = newMachine(t)
	m.mustValidate(page, size2M)
	must(t, m.RemovePages(m.cpu, page+0x7000, page+0x8000))
	m.mustValidate(page+0x7000, size4K)
	m.wantFindings("a page that was taken away", 1, 0, 0)
	must(t, m.RemovePages(m.cpu, page, page+2<<20))
	must(t, m.AddPage(m.cpu, page, physical.Size2M))
	m.mustValidate(page, size2M)
	m.wantFindings("2 MiB that were taken away", 2, 0, 0)
}

// CF is ignored by a guest that goes on, not by one that asks to be terminated or deals with the page.
func TestIgnoringCFIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	if _, cf := m.pvalidate(page, size4K, 1); !cf {
		t.Fatal("no CF")
	}
	m.pvalidate(page, size4K, 1)
	m.wantFindings("twice the same", 2, 0, 0)
	m.mustValidate(page+0x1000, size4K)
	m.wantFindings("another page", 2, 1, 0)
	m.mustValidate(page+0x2000, size4K)
	m.wantFindings("one more, without CF", 2, 1, 0)
	if at := m.Findings().First[confidential.WentOn]; at.GPA != page {
		t.Errorf("found at %+v", at)
	}
}

func TestUseAfterRemovalIsFound(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	must(t, m.RemovePages(m.cpu, page, page+0x1000))
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC {
		t.Fatalf("%+v", o)
	}
	m.wantFindings("a load", 0, 0, 1)
	if err := m.cpu.ReadPhysical(page|snp.CBit, make([]byte, 1)); err == nil {
		t.Error("firmware reads what is not validated")
	}
	m.wantFindings("firmware", 0, 0, 1)
}
