package tdx_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// TDG.MEM.PAGE.ATTR.RD and WR of a TD that has no L2 VMs: sizes and whether pages are pending, and no attribute (module,
// tdg_mem_page_attr_rd.c, tdg_mem_page_attr_wr.c).
func TestPageAttributes(t *testing.T) {
	const (
		attrRD, attrWR        = 23, 24
		operandRDX, operandR8 = abi.Status(0xC000010000000002), abi.Status(0xC000010000000008)
		pending               = 1 << 62
		taken, large, mapped  = low, low + size2M, low + 2*size2M // accepted, pending, and nothing there
		smallAt, mismatch     = low + 3*size2M, abi.PageSizeMismatch
	)
	m := newMachine(t)
	if s := m.accept(taken, 1); s != abi.Success {
		t.Fatal(s)
	}
	for gpa, size := range map[uint64]physical.PageSize{large: physical.Size2M, smallAt: physical.Size4K} {
		if err := m.AddPage(m.cpu, gpa, size); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what               string
		leaf, rcx, rdx, r8 uint64
		want               abi.Status
		page               uint64
	}{
		{"an accepted page of 2 MiB, somewhere in it", attrRD, taken + 0x5678, 7, 7, abi.Success, taken | 1},
		{"a pending one", attrRD, large + 0x1000, 0, 0, abi.Success, large | 1 | pending},
		{"a pending one of 4 KiB", attrRD, smallAt + 0x123, 0, 0, abi.Success, smallAt | pending},
		{"one that the host adds first", attrRD, mapped + 0x3000, 0, 0, abi.Success, mapped | 1 | pending},
		{"a shared address", attrRD, m.SharedBit() | taken, 0, 0, operandRCX, 0},
		{"an address above all", attrRD, 1 << 52, 0, 0, operandRCX, 0},
		{"no attributes for 2 MiB", attrWR, taken | 1, 0, 0, abi.Success, taken | 1},
		{"no attributes for a pending page", attrWR, large | 1, 0, 0, abi.Success, large | 1 | pending},
		{"no attributes for 4 KiB", attrWR, smallAt, 0, 0, abi.Success, smallAt | pending},
		{"attributes of the TD itself", attrWR, taken | 1, 1, 1, operandRDX, 0},
		{"attributes of an L2 VM", attrWR, taken | 1, 1 << 63, 0, operandRDX, 0},
		{"which of an L2 VM's are meant", attrWR, taken | 1, 0, 1 << 16, operandR8, 0},
		{"both, of different VMs", attrWR, taken | 1, 1 << 32, 1 << 16, operandR8, 0},
		{"an address off its size", attrWR, taken + 0x1000 | 1, 0, 0, operandRCX, 0},
		{"a reserved bit", attrWR, taken | 1<<3, 0, 0, operandRCX, 0},
		{"a level that there is not", attrWR, 3, 0, 0, operandRCX, 0},
		{"2 MiB where there is a table", attrWR, smallAt | 1, 0, 0, mismatch | 1, 0},
		{"1 GiB where there is a table", attrWR, 2, 0, 0, mismatch | 2, 0},
	} {
		s := abi.Status(m.tdcall(regs{x86.RAX: c.leaf, x86.RCX: c.rcx, x86.RDX: c.rdx, x86.R8: c.r8}))
		if s != c.want || m.cpu.R[x86.RCX] != c.page || m.cpu.R[x86.RDX] != 0 {
			t.Errorf("%s: %v, RCX %#x, RDX %#x; want %v, %#x", c.what, s, m.cpu.R[x86.RCX], m.cpu.R[x86.RDX], c.want, c.page)
		}
	}
	if m.State(taken) != "accepted" || m.State(large) != "pending" {
		t.Error("a page's state has changed")
	}
}

// A TD that is no other's service TD: TDG.SERVTD.RD and WR are refused, or never come back (module, tdg_servtd_rd_wr.c).
func TestServiceTD(t *testing.T) {
	const servtdRD, servtdWR = 18, 20
	for _, leaf := range []uint64{servtdRD, servtdWR} {
		m := newMachine(t)
		rdx := uint64(5)
		if leaf == servtdRD {
			rdx = ^uint64(0)
		}
		if s := abi.Status(m.tdcall(regs{x86.RAX: leaf, x86.RCX: 0x7001, x86.RDX: 5, x86.R8: 5})); s != operandRCX || m.cpu.R[x86.RDX] != rdx || m.cpu.R[x86.R8] != 0 {
			t.Errorf("leaf %d, a slot that there is not: %v, RDX %#x, R8 %#x", leaf, s, m.cpu.R[x86.RDX], m.cpu.R[x86.R8])
		}
		o := m.run(regs{x86.RAX: leaf, x86.RCX: 0x7000, x86.RDX: ^uint64(0)}, 0x66, 0x0F, 0x01, 0xCC)
		var v *confidential.Violation
		if !errors.As(o.err, &v) || v.GPA != 0x7000 || v.State != "no TDR" {
			t.Errorf("leaf %d: %+v", leaf, o)
		}
	}
}
