package snp_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// PVALIDATE translates its address as a read of one byte does (Linux patch "x86/sev: Enable PVALIDATE for PFNs without a
// valid virtual address", on the specification) and works on the RMP entry of the frame that it comes to; the C-bit is
// no part of it. Where that frame is the guest's it is validated. Where it is not, the fault counts as one for shared
// memory, since the C-bit is what tells KVM which is meant, and KVM knows no answer to an RMP fault there (sev.c,
// sev_handle_rmp_fault: "Unexpected RMP fault for non-private GPA"), so that the guest faults forever.
func TestPVALIDATEWithoutCBit(t *testing.T) {
	m := newMachine(t)
	if err := m.AddPage(m.cpu, page, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	m.mustValidate(sharedVA+page, size2M)
	if s := m.State(page); s != "validated" {
		t.Errorf("the page is %s", s)
	}
	if r, cf := m.pvalidate(page, size2M, 1); r != abi.Success || !cf {
		t.Errorf("with C-bit after it: %v, CF %v", r, cf)
	}
	m.share(page + 4<<20)
	for what, gpa := range map[string]uint64{"shared": page + 4<<20, "hypervisor-owned": page + 6<<20} {
		var v *confidential.Violation
		o := m.run(regs{x86.RAX: sharedVA + gpa, x86.RCX: size4K, x86.RDX: 1}, insnPVALIDATE...)
		if !errors.As(o.err, &v) || v.State != what || v.GPA != gpa || v.Plane != "shared" {
			t.Errorf("%s: %+v", what, o)
		}
	}
}

// The VMSA flag lets a page be run and takes nothing away: COCONUT-SVSM has to revoke a lower level's permission to write
// before it sets the flag (kernel/src/protocols/core.rs:140-167, core_create_vcpu). What may not be touched is a VMSA while it is in use (Linux
// d2062cc1b1c3: "unrecoverable #NPF/RMP faults as the VMSA page is marked busy/in-use when the vCPU is running").
func TestStoresToAVMSA(t *testing.T) {
	m := atLevels(t)
	if r := m.rmpadjust(page, size2M, 1|abi.AdjustRead|abi.AdjustVMSA); r != abi.Success {
		t.Fatal(r)
	}
	const value = 0x1122334455667788
	if o := m.run(regs{x86.RAX: page + 8, x86.RBX: value}, insnStore...); o.vector != done || o.err != nil || m.word(physical.Private, page+8) != value {
		t.Errorf("a store by VMPL0: %+v, %#x is there", o, m.word(physical.Private, page+8))
	}
	m.SetVMPL(0, 1)
	var v *confidential.Violation
	if o := m.run(regs{x86.RAX: page + 8}, insnLoad...); o.vector != done || o.err != nil {
		t.Errorf("a load by VMPL1: %+v", o)
	}
	if o := m.run(regs{x86.RAX: page + 8}, insnStore...); !errors.As(o.err, &v) {
		t.Errorf("a store by VMPL1: %+v", o)
	}
}

// A page state change by MSR is of 4 KiB, whatever bits 63:56 say: they are reserved (EDK2,
// MdePkg/Include/Register/Amd/SevSnpMsr.h:61-64), and KVM looks at bits 51:12 and 55:52 only (Linux,
// arch/x86/include/asm/sev-common.h, GHCB_MSR_PSC_REQ_TO_GFN and _OP). In a request in the GHCB bit 56 is the page's size.
func TestPageStateChangeByMSRIsOf4K(t *testing.T) {
	m := newMachine(t)
	for _, high := range []uint64{1 << 56, 0xFF << 56} {
		gpa := page + high>>40
		if r := m.msr(gpa | 2<<52 | high | 0x14); r != 0x15 {
			t.Errorf("to shared, with %#x: %#x", high, r)
		}
		if m.State(gpa) != "shared" || m.State(gpa+0x1000) != "hypervisor-owned" {
			t.Errorf("with %#x the page is %s, and the next %s", high, m.State(gpa), m.State(gpa+0x1000))
		}
		if r := m.msr(gpa | 1<<52 | high | 0x14); r != 0x15 || m.State(gpa) != "hypervisor-owned" {
			t.Errorf("to private, with %#x: %#x, and the page is %s", high, r, m.State(gpa))
		}
	}
}
