package snp_test

import (
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

func TestGHCBMSRAndSEVStatus(t *testing.T) {
	m := newMachine(t)
	read := func(index uint64) (uint64, outcome) {
		o := m.run(regs{x86.RCX: index}, 0x0F, 0x32)
		return m.cpu.R[x86.RAX] | m.cpu.R[x86.RDX]<<32, o
	}
	if v, o := read(0xC001_0131); o.vector != done || v != 7 {
		t.Errorf("SEV_STATUS: %#x, %+v", v, o)
	}
	if o := m.run(regs{x86.RCX: 0xC001_0131, x86.RAX: 7, x86.RDX: 0}, 0x0F, 0x30); o.vector != vectorGP {
		t.Errorf("WRMSR of SEV_STATUS: %+v", o)
	}
	if v, o := read(0xC001_0130); o.vector != done || v != 2<<48|1<<32|51<<24|1 {
		t.Errorf("GHCB MSR at reset: %#x, %+v", v, o)
	}
	m.setGHCBMSR(0x1234_5678_9ABC_D000)
	if v, _ := read(0xC001_0130); v != 0x1234_5678_9ABC_D000 {
		t.Errorf("GHCB MSR: %#x", v)
	}
	if o := m.runUser(regs{x86.RCX: 0xC001_0131}, 0x0F, 0x32); o.vector != vectorGP {
		t.Errorf("RDMSR at CPL 3: %+v", o)
	}
}

func TestMSRProtocol(t *testing.T) {
	m := newMachine(t)
	for _, in := range []struct {
		what           string
		request, reply uint64
	}{
		{"SEV information", 2, 2<<48 | 1<<32 | 51<<24 | 1},
		{"CPUID 0 EBX", 0<<32 | 1<<30 | 4, 0x6874_7541<<32 | 1<<30 | 5},
		{"CPUID 0 ECX", 0<<32 | 2<<30 | 4, 0x444D_4163<<32 | 2<<30 | 5},
		{"CPUID 0 EDX", 0<<32 | 3<<30 | 4, 0x6974_6E65<<32 | 3<<30 | 5},
		{"CPUID 0x8000001F EAX", 0x8000_001F<<32 | 4, 0x1A<<32 | 5},
		{"CPUID of a leaf that there is not", 0x1234_5678<<32 | 4, 5},
		{"preferred GHCB", 0x10, 0xFFFF_FFFF_FFFF_F000 | 0x11},
		{"register GHCB", ghcbAt | 0x12, ghcbAt | 0x13},
		{"register a GHCB that there cannot be", 0xABCD_EF01_2345_6000 | 0x12, 0xABCD_EF01_2345_6000 | 0x13},
		{"page to shared", page | 2<<52 | 0x14, 0x15},
		{"page to private", page | 1<<52 | 0x14, 0x15},
		{"page that is no memory", holeStart | 2<<52 | 0x14, 1<<63 | 0x15},
		{"page far away", 0xF_FFFF_FFFF_F000 | 1<<52 | 0x14, 1<<63 | 0x15},
		{"an operation that there is not", page | 3<<52 | 0x14, 1<<63 | 0x15},
		{"hypervisor features", 0x80, 3<<12 | 0x81},
		{"a request that there is not", 0x5555_0000_0FF3, 0x5555_0000_0FF3},
		{"run VMPL, which the host does not do", 1<<32 | 0x16, 1<<32 | 0x16},
	} {
		if got := m.msr(in.request); got != in.reply {
			t.Errorf("%s: %#x, want %#x", in.what, got, in.reply)
		}
	}
	if got := m.log.Record().Calls[record.GHCB.String()]["MSR: SNP Page State Change"][""]; got != 5 {
		t.Errorf("%d page state changes in the record", got)
	}
}

func TestTermination(t *testing.T) {
	m := newMachine(t)
	m.run(regs{x86.RAX: page + 8}, insnLoad...)
	m.setGHCBMSR(0x100 | 1<<12 | 2<<16)
	o := m.run(nil, insnVMGEXIT...)
	var e *snp.Termination
	if !errors.As(o.err, &e) || e.Set != 1 || e.Reason != 2 || e.RIP != codeAt || o.rip != 0 {
		t.Fatalf("%+v", o)
	}
	if want := "the guest asked to be terminated at 0x10000, reason 1:2 (PVALIDATE failed), after: SEV-SNP violation: read of private page 0x800000 " +
		"(hypervisor-owned) through 0x800008 by the instruction at 0x10000: it was touched before it was validated"; e.Error() != want {
		t.Errorf("%q", e.Error())
	}
	var v *confidential.Violation
	if !errors.As(o.err, &v) || v.GPA != page {
		t.Errorf("after %v", v)
	}
	m.mustValidate(page, size4K)
	m.setGHCBMSR(0x100 | 15<<12 | 255<<16)
	if o = m.run(nil, insnVMGEXIT...); !errors.As(o.err, &e) || e.Set != 15 || e.Reason != 255 || e.After != nil {
		t.Errorf("%+v", o)
	}
}

func TestNobodyStartsTheOnlyProcessor(t *testing.T) {
	m := newMachine(t)
	m.setGHCBMSR(6)
	var e *x86.UnsupportedError
	if o := m.run(nil, insnVMGEXIT...); !errors.As(o.err, &e) {
		t.Errorf("AP Reset Hold by MSR: %+v", o)
	}
	g := newMachine(t).withGHCB()
	if o := g.tryExit(0x8000_0004, 0, 0); !errors.As(o.err, &e) {
		t.Errorf("AP Reset Hold: %+v", o)
	}
	g.set(gRAX, 1)
	if i1, i2 := g.exit(0x8000_0013, 1, page); i1 != 2 || i2 != 5 {
		t.Errorf("AP Creation where there is one processor: %d, %d", i1, i2)
	}
	if i1, i2 := g.exit(0x8000_0013, 7<<32|1, page); i1 != 2 || i2 != 5 {
		t.Errorf("AP Creation of a processor that there is not: %d, %d", i1, i2)
	}
}
