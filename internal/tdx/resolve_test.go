package tdx_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Code that accesses [RDX].
var (
	load  = []byte{0x48, 0x8B, 0x02} // mov rax, [rdx]
	store = []byte{0x48, 0x89, 0x02} // mov [rdx], rax
)

// wantViolation checks that the machine ended for a touch of gpa.
func (m *machine) wantViolation(o outcome, want confidential.Violation) {
	m.t.Helper()
	var v *confidential.Violation
	if !errors.As(o.err, &v) {
		m.t.Fatalf("outcome %+v, want a violation", o)
	}
	got := *v
	want.Architecture = "TDX"
	if got.Why == "" {
		m.t.Errorf("violation without a reason: %v", v)
	}
	got.Why = ""
	if got != want {
		m.t.Errorf("violation %+v, want %+v", got, want)
	}
}

func TestTouchingUnacceptedMemoryEndsTheMachine(t *testing.T) {
	for _, test := range []struct {
		name   string
		code   []byte
		access x86.AccessKind
	}{{"load", load, x86.Read}, {"store", store, x86.Write}} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			const at = 8<<20 + 0x1238
			o := m.run(regs{x86.RDX: at}, test.code...)
			m.wantViolation(o, confidential.Violation{GPA: 8<<20 + 0x1000, GVA: at, Access: test.access, RIP: codeAt, State: "absent"})
			if s := m.State(at); s != "pending" {
				t.Errorf("the host has added the page, but it is %s", s)
			}
		})
	}
}

func TestTouchingPendingMemoryEndsTheMachine(t *testing.T) {
	m := newMachine(t)
	if err := m.AddPage(m.cpu, 8<<20, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	o := m.run(regs{x86.RDX: 8<<20 + 0x1238}, load...)
	m.wantViolation(o, confidential.Violation{GPA: 8<<20 + 0x1000, GVA: 8<<20 + 0x1238, Access: x86.Read, RIP: codeAt, State: "pending"})
}

func TestFetchAndWalkAreCheckedToo(t *testing.T) {
	m := newMachine(t)
	o := m.run(regs{x86.RDX: 8 << 20}, 0xFF, 0xE2) // jmp rdx
	m.wantViolation(o, confidential.Violation{GPA: 8 << 20, GVA: 8 << 20, Access: x86.Fetch, RIP: 8 << 20, State: "absent"})

	m = newMachine(t)
	m.write(tablesAt+0x1000+3*8, 8<<20|3) // the entry for 3 GiB: a page directory in memory that is not accepted
	o = m.run(regs{x86.RDX: 3 << 30}, load...)
	m.wantViolation(o, confidential.Violation{GPA: 8 << 20, GVA: 3 << 30, Access: x86.Walk, RIP: codeAt, State: "absent"})
}

func TestExternalAccessIsChecked(t *testing.T) {
	m := newMachine(t)
	var b [8]byte
	var v *confidential.Violation
	if err := m.cpu.ReadPhysical(8<<20, b[:]); !errors.As(err, &v) || v.Access != x86.ExternalRead {
		t.Errorf("reading unaccepted memory for the guest: %v", err)
	}
	if err := m.cpu.ReadPhysical(m.SharedBit()|8<<20, b[:]); !errors.As(err, &v) {
		t.Errorf("reading as shared what is not: %v", err)
	}
	if s := m.State(8 << 20); s != "absent" {
		t.Errorf("a look at the page has made it %s", s)
	}
	if err := m.cpu.WritePhysical(0x30000, b[:]); err != nil {
		t.Errorf("writing accepted memory for the guest: %v", err)
	}
}

func TestPrivateAccessToWhatIsNoMemory(t *testing.T) {
	m := newMachine(t)
	o := m.run(regs{x86.RDX: holeStart + 8}, load...)
	m.wantViolation(o, confidential.Violation{GPA: holeStart, GVA: holeStart + 8, Access: x86.Read, RIP: codeAt, State: "no memory"})
}

// veInfo executes TDG.VP.VEINFO.GET.
func (m *machine) veInfo() (status abi.Status, reason, qualification, gla, gpa, instruction uint64) {
	m.t.Helper()
	s := abi.Status(m.tdcall(regs{x86.RAX: 3}))
	r := &m.cpu.R
	return s, r[x86.RCX], r[x86.RDX], r[x86.R8], r[x86.R9], r[x86.R10]
}

func TestPendingPageRaisesVEWhereThatIsChosen(t *testing.T) {
	m := newMachine(t, withVE)
	const at = 8<<20 + 0x1238
	if o := m.run(regs{x86.RDX: at}, store...); o.vector != x86.VectorVE || o.rip != 0 || !o.rf {
		t.Fatalf("outcome %+v, want #VE at the store with RF", o)
	}
	s, reason, qualification, gla, gpa, instruction := m.veInfo()
	if s != abi.Success || reason != 48 || qualification != 0x182 || gla != at || gpa != at || instruction != 0 {
		t.Errorf("VEINFO.GET: %v, reason %d, qualification %#x, GLA %#x, GPA %#x, instruction %#x", s, reason, qualification, gla, gpa, instruction)
	}
	if s := m.accept(8<<20+0x200000-0x200000, 1); s != abi.Success {
		t.Errorf("accepting the pending page: %v", s)
	}
	if o := m.run(regs{x86.RDX: at}, store...); o.vector != done {
		t.Errorf("storing to the accepted page: %+v", o)
	}
}

func TestSharedMMIORaisesVE(t *testing.T) {
	for _, option := range []option{nil, withGPAW52} {
		m := newMachine(t)
		if option != nil {
			m = newMachine(t, option)
		}
		const at = sharedVA + holeStart + 0x10
		if o := m.run(regs{x86.RDX: at}, load...); o.vector != x86.VectorVE || o.rip != 0 {
			t.Fatalf("outcome %+v, want #VE", o)
		}
		s, reason, qualification, gla, gpa, _ := m.veInfo()
		if s != abi.Success || reason != 48 || qualification != 0x181 || gla != at || gpa != m.SharedBit()|holeStart+0x10 {
			t.Errorf("VEINFO.GET: %v, reason %d, qualification %#x, GLA %#x, GPA %#x", s, reason, qualification, gla, gpa)
		}
	}
}

func TestSecondVEBeforeTheFirstIsReadIsDF(t *testing.T) {
	m := newMachine(t)
	if o := m.run(nil, 0xF4); o.vector != x86.VectorVE {
		t.Fatalf("HLT: %+v", o)
	}
	if o := m.run(nil, 0xF4); o.vector != x86.VectorDF || o.code != 0 {
		t.Fatalf("HLT again: %+v, want #DF", o)
	}
	if s, reason, _, _, _, _ := m.veInfo(); s != abi.Success || reason != 12 {
		t.Errorf("VEINFO.GET: %v, reason %d, want the first one's", s, reason)
	}
	if s, reason, _, _, _, instruction := m.veInfo(); s != abi.NoValidVEInfo || reason != 0 || instruction != 0 {
		t.Errorf("VEINFO.GET again: %v, reason %d", s, reason)
	}
	if o := m.run(nil, 0xF4); o.vector != x86.VectorVE {
		t.Errorf("HLT after reading: %+v, want #VE", o)
	}
}

func TestSharedMemoryIsNoCodeAndNoPageTable(t *testing.T) {
	m := newMachine(t)
	if status, _ := m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | 4<<20, x86.R13: 4096}); status != 0 {
		t.Fatalf("MapGPA: %#x", status)
	}
	o := m.run(regs{x86.RDX: sharedVA + 4<<20}, 0xFF, 0xE2) // jmp rdx
	if o.vector != 14 || o.code != 1<<0|1<<3|1<<4 {
		t.Errorf("fetch from shared memory: %+v, want #PF with P, RSVD, I/D", o)
	}
	m.write(tablesAt+0x1000+3*8, m.SharedBit()|4<<20|3)
	if o := m.run(regs{x86.RDX: 3 << 30}, load...); o.vector != 14 || o.code != 1<<0|1<<3 {
		t.Errorf("walk through shared memory: %+v, want #PF with P, RSVD", o)
	}
}

func TestBitsAboveTheSharedBitAreReserved(t *testing.T) {
	m := newMachine(t)
	m.write(tablesAt+0x1000+3*8, 1<<48|4<<20|3)
	if o := m.run(regs{x86.RDX: 3 << 30}, load...); o.vector != 14 || o.code != 1<<0|1<<3 {
		t.Errorf("bit 48 with GPAW 48: %+v, want #PF with P, RSVD", o)
	}
	if got := newMachine(t, withGPAW52).ReservedBits(); got != 0 {
		t.Errorf("reserved bits with GPAW 52: %#x", got)
	}
}

func TestPlanesAreTwoMemories(t *testing.T) {
	m := newMachine(t)
	const page = 4 << 20
	if s := m.accept(page, 0); s != abi.Success {
		t.Fatal(s)
	}
	m.run(regs{x86.RDX: page, x86.RAX: 0x1111}, store...)

	// Private to shared: the contents are gone, and so is the translation that the processor remembers.
	before := m.Unaccepted()
	if status, _ := m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | page, x86.R13: 4096}); status != 0 {
		t.Fatalf("MapGPA: %#x", status)
	}
	if got := m.Unaccepted(); got != before {
		t.Errorf("unaccepted memory went from %d to %d by a conversion of accepted memory", before, got)
	}
	if m.run(regs{x86.RDX: sharedVA + page}, load...); m.cpu.R[x86.RAX] != 0 {
		t.Errorf("the shared page holds %#x at first", m.cpu.R[x86.RAX])
	}
	m.run(regs{x86.RDX: sharedVA + page, x86.RAX: 0x2222}, store...)
	if p, s := m.word(physical.Private, page), m.word(physical.Shared, page); p != 0 || s != 0x2222 {
		t.Errorf("private %#x, shared %#x", p, s)
	}
	private := m.run(regs{x86.RDX: page}, load...)
	m.wantViolation(private, confidential.Violation{GPA: page, GVA: page, Access: x86.Read, RIP: codeAt, State: "shared"})
}

// The processor remembers translations; a change of state takes them away.
func TestConversionForgetsTranslations(t *testing.T) {
	const page = 4 << 20
	m := newMachine(t)
	m.accept(page, 0)
	m.run(regs{x86.RDX: page, x86.RAX: 1}, store...)
	m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | page, x86.R13: 4096})
	o := m.run(regs{x86.RDX: page}, load...)
	m.wantViolation(o, confidential.Violation{GPA: page, GVA: page, Access: x86.Read, RIP: codeAt, State: "shared"})

	m = newMachine(t)
	m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | page, x86.R13: 4096})
	m.run(regs{x86.RDX: sharedVA + page, x86.RAX: 1}, store...)
	m.vmcall(0x10001, regs{x86.R12: page, x86.R13: 4096})
	m.accept(page, 0)
	m.run(regs{x86.RDX: sharedVA + page, x86.RAX: 2}, store...)
	if m.State(page) != "shared" {
		t.Error("a store to what was shared memory went past the host")
	}
}

func TestSharedToPrivateStartsWithZeroes(t *testing.T) {
	m := newMachine(t)
	const page = 4 << 20
	if status, _ := m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | page, x86.R13: 4096}); status != 0 {
		t.Fatalf("MapGPA: %#x", status)
	}
	m.run(regs{x86.RDX: sharedVA + page, x86.RAX: 0x2222}, store...)
	before := m.Unaccepted()
	if status, _ := m.vmcall(0x10001, regs{x86.R12: page, x86.R13: 4096}); status != 0 {
		t.Fatalf("MapGPA: %#x", status)
	}
	if got := m.Unaccepted(); got != before+4096 {
		t.Errorf("unaccepted memory went from %d to %d by a page that is private and not yet accepted", before, got)
	}
	if s := m.accept(page, 0); s != abi.Success {
		t.Fatal(s)
	}
	if got := m.Unaccepted(); got != before {
		t.Errorf("unaccepted memory is %d after acceptance, want %d", got, before)
	}
	if m.run(regs{x86.RDX: page, x86.RAX: 1}, load...); m.cpu.R[x86.RAX] != 0 {
		t.Errorf("the private page holds %#x", m.cpu.R[x86.RAX])
	}
	// The shared contents are gone as well, for one who maps the page again.
	if s := m.word(physical.Shared, page); s != 0 {
		t.Errorf("the shared page still holds %#x", s)
	}
}

// A shared access to a private page: the host converts the page without being asked (KVM_EXIT_MEMORY_FAULT).
func TestSharedAccessToPrivateMemoryConvertsIt(t *testing.T) {
	m := newMachine(t)
	const page = 4 << 20
	if s := m.accept(page, 1); s != abi.Success {
		t.Fatal(s)
	}
	m.run(regs{x86.RDX: page + 0x1000, x86.RAX: 0x1111}, store...)
	if o := m.run(regs{x86.RDX: sharedVA + page}, load...); o.vector != done || m.cpu.R[x86.RAX] != 0 {
		t.Fatalf("shared load: %+v, RAX %#x", o, m.cpu.R[x86.RAX])
	}
	if m.State(page) != "shared" || m.State(page+0x1000) != "accepted" {
		t.Errorf("the page is %s, its neighbour %s", m.State(page), m.State(page+0x1000))
	}
	if m.run(regs{x86.RDX: page + 0x1000}, load...); m.cpu.R[x86.RAX] != 0x1111 {
		t.Errorf("the neighbour of a page that was split off holds %#x", m.cpu.R[x86.RAX])
	}
}
