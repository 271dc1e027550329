package snp_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// rmpadjust executes RMPADJUST and returns EAX.
func (m *machine) rmpadjust(va, size, rdx uint64) abi.Result {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: va, x86.RCX: size, x86.RDX: rdx}, insnRMPADJUST...); o.vector != done || o.err != nil {
		m.t.Fatalf("RMPADJUST of %#x, %#x: %+v", va, rdx, o)
	}
	return abi.Result(m.cpu.R[x86.RAX])
}

const (
	allPermissions = abi.AdjustRead | abi.AdjustWrite | abi.AdjustUser | abi.AdjustSupervisor

	insnJump = "\xFF\xE0" // jmp rax
)

// atLevels returns a machine whose processor may run at any level: the memory that its code, tables and stack lie in is
// theirs, too, and page is validated and no one's.
func atLevels(t *testing.T) *machine {
	m := newMachine(t)
	for vmpl := uint64(1); vmpl < abi.VMPLs; vmpl++ {
		if r := m.rmpadjust(0, size2M, vmpl|allPermissions); r != abi.Success {
			t.Fatal(r)
		}
	}
	m.mustValidate(page, size2M)
	back := int64(doneAt) - page - 5
	m.writeBytes(page, []byte{0xE9, byte(back), byte(back >> 8), byte(back >> 16), byte(back >> 24)})
	return m
}

// What a level may do with a page is what RMPADJUST said for that level, for each kind of access on its own, but that a page
// which may not be read is not written either; VMPL0 may do anything (APM 15.36.7, table 15-36 and after it).
func TestPermissionsOfLevels(t *testing.T) {
	kinds := []struct {
		name string
		need uint64
		try  func(m *machine) outcome
	}{
		{"read", abi.AdjustRead, func(m *machine) outcome { return m.run(regs{x86.RAX: page + 8}, insnLoad...) }},
		{"write", abi.AdjustRead | abi.AdjustWrite, func(m *machine) outcome { return m.run(regs{x86.RAX: page + 8}, insnStore...) }},
		{"instruction fetch", abi.AdjustSupervisor, func(m *machine) outcome { return m.run(regs{x86.RAX: page}, []byte(insnJump)...) }},
		{"instruction fetch", abi.AdjustUser, func(m *machine) outcome {
			return m.runUser(regs{x86.RAX: userVA + page}, []byte(insnJump)...)
		}},
	}
	m := atLevels(t)
	for permissions := uint64(0); permissions <= allPermissions; permissions += abi.AdjustRead {
		const vmpl = 2
		if r := m.rmpadjust(page, size2M, vmpl|permissions); r != abi.Success {
			t.Fatal(r)
		}
		for _, at := range []uint8{0, 1, vmpl} {
			m.SetVMPL(0, at)
			for _, k := range kinds {
				o := k.try(m)
				allowed := at == 0 || at == vmpl && permissions&k.need == k.need
				var v *confidential.Violation
				switch {
				case allowed && (o.err != nil || o.vector != done):
					t.Errorf("VMPL%d with %#x: %s is %+v", at, permissions, k.name, o)
				case !allowed && (!errors.As(o.err, &v) || v.GPA != page || v.Access.String() != k.name || !strings.Contains(v.Why, "VMPL")):
					t.Errorf("VMPL%d with %#x: %s is %+v", at, permissions, k.name, o)
				}
			}
		}
		m.SetVMPL(0, 0)
	}
}

// A page that may be read and not written is not written through what the TLB has of the read.
func TestReadThenWrite(t *testing.T) {
	m := atLevels(t)
	m.rmpadjust(page, size2M, 1|abi.AdjustRead)
	m.SetVMPL(0, 1)
	var v *confidential.Violation
	if o := m.run(regs{x86.RAX: page}, append(append([]byte{}, insnLoad...), insnStore...)...); !errors.As(o.err, &v) || v.Access != x86.Write {
		t.Errorf("%+v", o)
	}
}

// A level gives less privileged ones what it has itself, and nothing to itself or above (APM vol. 3, RMPADJUST). The VMSA
// flag is VMPL0's (EDK2, AmdSvsmLib.c): that it is not changed shows in that the instruction succeeds all the same.
func TestRMPADJUSTAtOtherLevels(t *testing.T) {
	m := atLevels(t)
	m.rmpadjust(page, size2M, 1|abi.AdjustRead|abi.AdjustWrite)
	m.SetVMPL(0, 1)
	for _, in := range []struct {
		what string
		rdx  uint64
		want abi.Result
	}{
		{"VMPL0", 0, abi.FailPermission},
		{"itself", 1 | abi.AdjustRead, abi.FailPermission},
		{"less than it has", 2 | abi.AdjustRead, abi.Success},
		{"what it has", 3 | abi.AdjustRead | abi.AdjustWrite, abi.Success},
		{"more than it has", 2 | abi.AdjustRead | abi.AdjustUser, abi.FailPermission},
		{"the VMSA flag", 2 | abi.AdjustRead | abi.AdjustVMSA, abi.Success},
	} {
		if r := m.rmpadjust(page, size2M, in.rdx); r != in.want {
			t.Errorf("%s: %v, want %v", in.what, r, in.want)
		}
	}
}

// PVALIDATE is VMPL0's (Linux fcd042e86422). Elsewhere it changes nothing, and says so.
func TestPVALIDATEAtOtherLevels(t *testing.T) {
	m := atLevels(t)
	for vmpl := uint8(1); vmpl < abi.VMPLs; vmpl++ {
		m.SetVMPL(0, vmpl)
		for _, validate := range []uint64{0, 1} {
			if r, cf := m.pvalidate(page, size2M, validate); r != abi.FailPermission || cf || m.State(page) != "validated" {
				t.Errorf("VMPL%d: %v, CF %v, and the page is %s", vmpl, r, cf, m.State(page))
			}
		}
		if r, _ := m.pvalidate(page+0x1000, size2M, 1); r != abi.FailInput {
			t.Errorf("VMPL%d, 2 MiB off their boundary: %v", vmpl, r)
		}
	}
	if d := m.log.Record().Detected; d.Ignored != 0 {
		t.Errorf("detected %+v", d)
	}
}

// Permissions end with the RMP entry, and a page that is split keeps them.
func TestPermissionsAndTheHost(t *testing.T) {
	m := atLevels(t)
	m.rmpadjust(page, size2M, 1|allPermissions)
	if err := m.SplitPage(m.cpu, page); err != nil {
		t.Fatal(err)
	}
	m.SetVMPL(0, 1)
	if o := m.run(regs{x86.RAX: page + 0x5000}, insnLoad...); o.vector != done || o.err != nil {
		t.Errorf("after the split: %+v", o)
	}
	m.SetVMPL(0, 0)
	if err := m.RemovePages(m.cpu, page+0x5000, page+0x6000); err != nil {
		t.Fatal(err)
	}
	if err := m.AddPage(m.cpu, page+0x5000, physical.Size4K); err != nil {
		t.Fatal(err)
	}
	m.mustValidate(page+0x5000, size4K)
	m.SetVMPL(0, 1)
	var v *confidential.Violation
	if o := m.run(regs{x86.RAX: page + 0x5000}, insnLoad...); !errors.As(o.err, &v) {
		t.Errorf("a page that was assigned anew: %+v", o)
	}
	if o := m.run(regs{x86.RAX: page + 0x6000}, insnLoad...); o.vector != done || o.err != nil {
		t.Errorf("its neighbour: %+v", o)
	}
}
