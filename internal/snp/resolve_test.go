package snp_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

const page = 8 << 20 // one that has not been touched

func TestUnvalidatedPageRaisesVCAndCR2HasTheAddress(t *testing.T) {
	for name, access := range map[string][]byte{"load": insnLoad, "store": insnStore} {
		m := newMachine(t)
		o := m.run(regs{x86.RAX: page + 0x128}, access...)
		if o.vector != vectorVC || o.code != 0x404 || o.rip != 0 || o.err != nil {
			t.Errorf("%s: %+v, want #VC(0x404)", name, o)
		}
		if cr2 := m.cpu.State().CR2; cr2 != page+0x128 {
			t.Errorf("%s: CR2 is %#x", name, cr2)
		}
		v := m.Unvalidated(m.cpu)
		if v == nil || v.GPA != page || v.GVA != page+0x128 || v.State != "hypervisor-owned" || v.RIP != codeAt || v.Plane == "shared" {
			t.Errorf("%s: remembered is %+v", name, v)
		}
		m.mustValidate(page, size4K)
		if v := m.Unvalidated(m.cpu); v != nil {
			t.Errorf("%s: still remembered after validation: %v", name, v)
		}
		if o := m.run(regs{x86.RAX: page + 0x128}, access...); o.vector != done {
			t.Errorf("%s after validation: %+v", name, o)
		}
	}
}

func TestUnvalidatedPageForFetchWalkAndFirmware(t *testing.T) {
	m := newMachine(t)
	o := m.run(regs{x86.RAX: page}, 0xFF, 0xE0) // jmp rax
	if o.vector != vectorVC || o.code != 0x404 || m.cpu.State().CR2 != page {
		t.Errorf("fetch: %+v with CR2 %#x", o, m.cpu.State().CR2)
	}
	m.write(tablesAt+0x1000+3*8, page|snp.CBit|3) // the fourth GiB's tables lie there
	o = m.run(regs{x86.RAX: 3 << 30}, insnLoad...)
	if o.vector != vectorVC || o.code != 0x404 || m.cpu.State().CR2 != 3<<30 {
		t.Errorf("page walk: %+v with CR2 %#x", o, m.cpu.State().CR2)
	}
	if v := m.Unvalidated(m.cpu); v.Access != x86.Walk || v.GPA != page {
		t.Errorf("page walk: remembered is %v", v)
	}
	var v *confidential.Violation
	if err := m.cpu.ReadPhysical(page|snp.CBit, make([]byte, 8)); !errors.As(err, &v) || v.Access != x86.ExternalRead {
		t.Errorf("firmware's read: %v", err)
	}
	if err := m.cpu.WritePhysical(12<<20|snp.CBit, make([]byte, 8)); !errors.As(err, &v) || v.State != "hypervisor-owned" {
		t.Errorf("firmware's write: %v", err)
	}
	if s := m.State(12 << 20); s != "hypervisor-owned" {
		t.Errorf("firmware's attempt has made the page %s", s)
	}
}

// The nested page tables lead to one page: the host has to take the guest's away before it can show another there.
func TestHostCannotShareOverThePageOfTheGuest(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	var refused *snp.ResultError
	if err := m.Share(m.cpu, page-4096, page+4096); !errors.As(err, &refused) || refused.Result != abi.FailInUse {
		t.Errorf("sharing: %v", err)
	}
	if s := m.State(page); s != "validated" {
		t.Errorf("the page is %s", s)
	}
}

// Fetches and page walks are private whatever the C-bit says.
func TestFetchAndWalkIgnoreTheCBit(t *testing.T) {
	m := newMachine(t)
	m.run(nil, 0x90)
	m.cpu.SetRIP(sharedVA + codeAt)
	if e := m.cpu.Run(m.cpu.Now() + 1e6); e.Kind != x86.ExitTrap {
		t.Errorf("code without C-bit: %+v", e)
	}
	s := m.cpu.State()
	s.CR3 &^= snp.CBit
	m.cpu.SetState(&s)
	m.write(tablesAt, tablesAt+0x1000|7) // nor here
	if o := m.run(regs{x86.RAX: dataAt}, insnLoad...); o.vector != done {
		t.Errorf("page tables without C-bit: %+v", o)
	}
}

func TestMMIORaisesVCForTheGuestAlone(t *testing.T) {
	m := newMachine(t)
	for _, gpa := range []uint64{holeStart + 0x10, 512 << 20} {
		for name, access := range map[string][]byte{"load": insnLoad, "store": insnStore} {
			if o := m.run(regs{x86.RAX: sharedVA + gpa}, access...); o.vector != vectorVC || o.code != 0x400 {
				t.Errorf("%s at %#x without C-bit: %+v, want #VC(0x400)", name, gpa, o)
			}
		}
		o := m.run(regs{x86.RAX: gpa}, insnLoad...)
		var v *confidential.Violation
		if !errors.As(o.err, &v) || v.State != "no memory" {
			t.Errorf("load at %#x with C-bit: %+v", gpa, o)
		}
	}
}

func TestSharedMemoryHasContentsOfItsOwn(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.run(regs{x86.RAX: page, x86.RBX: 0x1111}, insnStore...)
	m.share(page)
	if got := m.State(page); got != "shared" {
		t.Fatalf("state after conversion: %s", got)
	}
	if v := m.loadShared(page); v == 0x1111 || v == 0 {
		t.Errorf("the shared page holds %#x", v)
	}
	m.storeShared(page, 0x2222)
	if v := m.word(physical.Shared, page); v != 0x2222 {
		t.Errorf("the host sees %#x", v)
	}
	// Back: junk again, and not before it is validated.
	if r := m.msr(page | 1<<52 | 0x14); r != 0x15 {
		t.Fatalf("to private: %#x", r)
	}
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
		t.Fatalf("load before validation: %+v", o)
	}
	m.mustValidate(page, size4K)
	m.run(regs{x86.RAX: page}, insnLoad...)
	if v := m.cpu.R[x86.RBX]; v == 0x1111 || v == 0x2222 || v == 0 {
		t.Errorf("the private page holds %#x again", v)
	}
}

// What the guest reads of its private pages without C-bit is what they look like without its key, and writing so loses
// them.
func TestPrivatePageWithoutCBit(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.run(regs{x86.RAX: page, x86.RBX: 0x1111}, insnStore...)
	first := m.loadShared(page)
	if first == 0x1111 || first == 0 || m.State(page) != "validated" {
		t.Fatalf("read %#x without C-bit, and the page is %s", first, m.State(page))
	}
	m.run(regs{x86.RAX: page}, insnLoad...)
	if m.cpu.R[x86.RBX] != 0x1111 {
		t.Fatalf("the page holds %#x", m.cpu.R[x86.RBX])
	}
	m.storeShared(page, 0x2222)
	if m.State(page) != "shared" || m.loadShared(page) != 0x2222 {
		t.Errorf("after a write without C-bit the page is %s and holds %#x", m.State(page), m.loadShared(page))
	}
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
		t.Errorf("then with C-bit: %+v", o)
	}
	if v := m.Unvalidated(m.cpu); v == nil || v.State != "shared" {
		t.Errorf("remembered is %v", v)
	}
}

func TestFirmwareReachesSharedMemoryWithoutCBit(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	var v *confidential.Violation
	if err := m.cpu.ReadPhysical(page, make([]byte, 4)); !errors.As(err, &v) || v.Plane != "shared" || v.State != "validated" {
		t.Errorf("firmware reads a private page without C-bit: %v", err)
	}
	m.share(page)
	if err := m.cpu.WritePhysical(page, []byte{1, 2, 3, 4}); err != nil {
		t.Error(err)
	}
	if got := m.loadShared(page) & 0xFFFF_FFFF; got != 0x04030201 {
		t.Errorf("the guest reads %#x", got)
	}
}

func TestJunkIsTheSameForTheSameSeedAndOnlyThen(t *testing.T) {
	read := func(seed uint64) (w [4]uint64) {
		m := newMachine(t, withSeed(seed))
		m.mustValidate(page, size4K)
		m.mustValidate(page+0x1000, size4K)
		for i, at := range []uint64{page, page + 8, page + 0x1000, page + 0xFF8} {
			m.run(regs{x86.RAX: at}, insnLoad...)
			w[i] = m.cpu.R[x86.RBX]
		}
		return w
	}
	a, b, c := read(1), read(1), read(2)
	if a != b || a == c || a[0] == a[1] || a[0] == a[2] || a[0] == 0 {
		t.Errorf("seed 1: %#x and %#x, seed 2: %#x", a, b, c)
	}
	if a[2] == 0 || a[3] == 0 {
		t.Error("the end of a page, or the page after one that was touched, holds no junk")
	}
}

// Junk that is not read takes no memory.
func TestValidatedMemoryTakesNoneOfTheHosts(t *testing.T) {
	m := newMachine(t)
	m.run(nil, 0x90)
	before := m.mem.BackedBytes(physical.Private)
	if err := m.AcceptRange(m.cpu, accept.Range{Start: holeEnd, End: memorySize}); err != nil {
		t.Fatal(err)
	}
	if got := m.mem.BackedBytes(physical.Private); got != before {
		t.Errorf("validation took %d bytes of the host's memory", got-before)
	}
	m.run(regs{x86.RAX: holeEnd}, insnLoad...)
	if got := m.mem.BackedBytes(physical.Private); got != before+4096 {
		t.Errorf("a touch took %d bytes", got-before)
	}
}

// A rescinded page is out of reach at once, TLB or not, and with it what has been decoded in it.
func TestRescindedPageIsForgotten(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.writeBytes(page, []byte{0xC3}) // ret
	call := append([]byte{0x48, 0x8B, 0x18}, 0xFF, 0xD0)
	if o := m.run(regs{x86.RAX: page}, call...); o.vector != done {
		t.Fatal(o)
	}
	if r, cf := m.pvalidate(page, size4K, 0); r != abi.Success || cf {
		t.Fatalf("rescind: %v, %v", r, cf)
	}
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC || o.code != 0x404 {
		t.Errorf("load: %+v", o)
	}
	if o := m.run(regs{x86.RAX: page}, 0xFF, 0xD0); o.vector != vectorVC || o.code != 0x404 {
		t.Errorf("call: %+v", o)
	}
	m.mustValidate(page, size4K) // contents have stayed
	if o := m.run(regs{x86.RAX: page}, call...); o.vector != done {
		t.Errorf("call after validation: %+v", o)
	}
}

// The count of unaccepted bytes is exact, whatever has happened.
func TestUnacceptedCounts(t *testing.T) {
	m := newMachine(t)
	ram := uint64(memorySize - (holeEnd - holeStart))
	expect := func(what string, validated, shared uint64) {
		t.Helper()
		if got := m.Unaccepted(); got != ram-validated-shared {
			t.Errorf("%s: %d bytes unaccepted, want %d", what, got, ram-validated-shared)
		}
	}
	expect("at the start", low, 0)
	m.mustValidate(page, size4K)
	expect("one page", low+4096, 0)
	m.mustValidate(page+2<<20, size2M)
	expect("and a large one", low+4096+2<<20, 0)
	m.run(regs{x86.RAX: 16 << 20}, insnLoad...) // assigned, not validated
	expect("a touched one", low+4096+2<<20, 0)
	m.share(page)
	expect("shared", low+2<<20, 4096)
	m.pvalidate(page+2<<20, size2M, 0)
	expect("rescinded", low, 4096)
}

func TestRecordOfAcceptance(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	m.mustValidate(page+2<<20, size2M)
	m.run(regs{x86.RAX: page + 6<<20}, insnLoad...)
	r := m.log.Record()
	if got := r.Calls[record.RMP.String()]["PVALIDATE"]["SUCCESS"]; got != 3 { // one is firmware's
		t.Errorf("PVALIDATE is recorded %d times", got)
	}
	if got := r.Calls[record.VC.String()]["PAGE_NOT_VALIDATED"][""]; got != 1 {
		t.Errorf("#VC(0x404) is recorded %d times", got)
	}
	if got := m.log.AcceptedBytes(); got != low+4096+2<<20 {
		t.Errorf("%d bytes accepted in the record", got)
	}
}
