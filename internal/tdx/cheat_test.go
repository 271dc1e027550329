package tdx_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A cheat is a host that does something else to the guest's memory when the guest halts, and tells lies about
// conversions.
type cheat struct {
	*host.Host
	attack func(c *x86.CPU)
	lie    bool
}

func (h *cheat) Hypercall(c *x86.CPU, _ uint64, _ [4]uint64) uint64 {
	h.attack(c)
	return 0
}

func (h *cheat) Convert(c *x86.CPU, start, end uint64, to physical.Plane) (uint64, bool) {
	if h.lie {
		return end, true
	}
	return h.Host.Convert(c, start, end, to)
}

func newCheated(t *testing.T, attack func(m *machine, c *x86.CPU) error) (*machine, *cheat) {
	var h *cheat
	m := newMachine(t, withHost(func(honest *host.Host) tdx.Host { h = &cheat{Host: honest}; return h }))
	h.attack = func(c *x86.CPU) {
		if err := attack(m, c); err != nil {
			t.Fatalf("the attack was not possible: %v", err)
		}
	}
	if s := m.accept(unit, 1); s != abi.Success {
		t.Fatal(s)
	}
	m.run(regs{x86.RDX: unit, x86.RAX: 0x600D}, store...)
	return m, h
}

func (m *machine) attacked() {
	m.t.Helper()
	m.vmcall(0, regs{x86.R10: 1})
}

// What the architecture promises holds: the guest reads its own data or it ends, never what the host wants.
func TestHostThatTakesAnAcceptedPageAway(t *testing.T) {
	m, _ := newCheated(t, func(m *machine, c *x86.CPU) error { return m.RemovePages(c, unit, unit+4096) })
	m.attacked()
	o := m.run(regs{x86.RDX: unit}, load...)
	m.wantViolation(o, confidential.Violation{GPA: unit, GVA: unit, Access: x86.Read, RIP: codeAt, State: "absent"})
}

// A page that is removed leaves its entry free (module, tdh_mem_page_remove.c:214-215), one that is added is pending
// (tdh_mem_page_aug.c:175-176), whatever frame it is in, and accepting clears it (tdg_mem_page_accept.c:133-142). So there
// are no two accepted frames for one address, and nothing old comes back.
func TestHostThatPutsAnotherPageInItsPlace(t *testing.T) {
	m, _ := newCheated(t, func(m *machine, c *x86.CPU) error {
		if err := m.RemovePages(c, unit, unit+size2M); err != nil {
			return err
		}
		m.write(unit, 0xBAD)
		return m.AddPage(c, unit, physical.Size2M)
	})
	m.attacked()
	o := m.run(regs{x86.RDX: unit}, load...)
	m.wantViolation(o, confidential.Violation{GPA: unit, GVA: unit, Access: x86.Read, RIP: codeAt, State: "pending"})

	// A guest that accepts it again reads zeros.
	if s := m.accept(unit, 1); s != abi.Success {
		t.Fatal(s)
	}
	if m.run(regs{x86.RDX: unit}, load...); m.cpu.R[x86.RAX] != 0 {
		t.Errorf("the guest reads %#x", m.cpu.R[x86.RAX])
	}
}

func TestHostThatAddsAPageTwice(t *testing.T) {
	m, _ := newCheated(t, func(m *machine, c *x86.CPU) error {
		for size, want := range map[physical.PageSize]string{
			physical.Size4K: "TDX_EPT_WALK_FAILED", // a 2 MiB page is in the way
			physical.Size2M: "TDX_EPT_ENTRY_STATE_INCORRECT",
			physical.Size1G: "TDX_OPERAND_INVALID",
		} {
			var refused *tdx.StatusError
			if err := m.AddPage(c, unit, size); !errors.As(err, &refused) || refused.Status.Name() != want {
				t.Errorf("adding a page of %v over an accepted one: %v, want %s", size, err, want)
			}
		}
		return nil
	})
	m.attacked()
	if m.run(regs{x86.RDX: unit}, load...); m.cpu.R[x86.RAX] != 0x600D {
		t.Errorf("the guest reads %#x", m.cpu.R[x86.RAX])
	}
}

func TestHostThatChangesTheSizeOfItsMapping(t *testing.T) {
	m, _ := newCheated(t, func(m *machine, c *x86.CPU) error {
		if err := m.SplitPage(c, unit); err != nil {
			return err
		}
		if s := m.State(unit); s != "accepted" {
			t.Errorf("a page that was split is %s", s)
		}
		return m.JoinPages(c, unit)
	})
	m.attacked()
	if m.run(regs{x86.RDX: unit}, load...); m.cpu.R[x86.RAX] != 0x600D {
		t.Errorf("the guest reads %#x", m.cpu.R[x86.RAX])
	}
	if s := m.accept(unit, 1); s != already2M {
		t.Errorf("accepting it again: %v", s)
	}
}

func TestHostThatLiesAboutConversion(t *testing.T) {
	m, h := newCheated(t, nil)
	h.lie = true
	if s, _ := m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | unit, x86.R13: 4096}); s != 0 {
		t.Fatalf("MapGPA: %#x", s)
	}
	if m.State(unit) != "accepted" {
		t.Errorf("the page is %s", m.State(unit))
	}
	// To private: the guest finds nothing that it can accept without the host's page, and what is there is zero.
	h.lie = false
	m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | unit, x86.R13: 4096})
	m.run(regs{x86.RDX: sharedVA + unit, x86.RAX: 0xBAD}, store...)
	h.lie = true
	m.vmcall(0x10001, regs{x86.R12: unit, x86.R13: 4096})
	if s := m.accept(unit, 0); s != abi.Success {
		t.Fatal(s)
	}
	if m.run(regs{x86.RDX: unit}, load...); m.cpu.R[x86.RAX] != 0 {
		t.Errorf("the guest reads %#x", m.cpu.R[x86.RAX])
	}
}
