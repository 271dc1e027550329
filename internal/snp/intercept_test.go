package snp_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// What a guest of KVM meets at each instruction: #VC with a code, another exception, or nothing.
func TestInstructions(t *testing.T) {
	gp, ud, fine := outcome{vector: vectorGP}, outcome{vector: vectorUD}, outcome{vector: done}
	vc := func(code uint64) outcome { return outcome{vector: vectorVC, code: code} }
	for _, in := range []struct {
		what   string
		code   []byte
		regs   regs
		kernel outcome
		user   outcome
	}{
		{"CPUID", []byte{0x0F, 0xA2}, nil, vc(0x72), vc(0x72)},
		{"IN", []byte{0xEC}, nil, vc(0x7B), gp},
		{"OUT", []byte{0xE6, 0x80}, nil, vc(0x7B), gp},
		{"REP OUTSB", []byte{0xF3, 0x6E}, regs{x86.RCX: 2}, vc(0x7B), gp},
		{"RDMSR of EFER", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSREFER}, fine, gp},
		{"RDMSR of PAT", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSRPAT}, fine, gp},
		{"RDMSR of SPEC_CTRL", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSRSpecCtrl}, fine, gp},
		{"RDMSR of TSC", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSRTSC}, vc(0x7C), gp},
		{"RDMSR of APIC_BASE", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSRAPICBase}, vc(0x7C), gp},
		{"RDMSR of x2APIC ID", []byte{0x0F, 0x32}, regs{x86.RCX: 0x802}, vc(0x7C), gp},
		{"WRMSR of x2APIC EOI", []byte{0x0F, 0x30}, regs{x86.RCX: 0x80B, x86.RAX: 0, x86.RDX: 0}, vc(0x7C), gp},
		{"WRMSR of TSC deadline", []byte{0x0F, 0x30}, regs{x86.RCX: x86.MSRTSCDeadline}, vc(0x7C), gp},
		{"WRMSR of GS_BASE", []byte{0x0F, 0x30}, regs{x86.RCX: x86.MSRGSBase, x86.RAX: 0, x86.RDX: 0}, fine, gp},
		{"WRMSR of PRED_CMD", []byte{0x0F, 0x30}, regs{x86.RCX: x86.MSRPredCmd, x86.RAX: 1, x86.RDX: 0}, fine, gp},
		{"RDMSR of PRED_CMD", []byte{0x0F, 0x32}, regs{x86.RCX: x86.MSRPredCmd}, vc(0x7C), gp},
		{"INVD", []byte{0x0F, 0x08}, nil, vc(0x76), gp},
		{"WBINVD", []byte{0x0F, 0x09}, nil, vc(0x89), gp},
		{"MONITOR", []byte{0x0F, 0x01, 0xC8}, nil, vc(0x8A), ud},
		{"MWAIT", []byte{0x0F, 0x01, 0xC9}, nil, vc(0x8B), ud},
		{"VMMCALL", []byte{0x0F, 0x01, 0xD9}, nil, vc(0x81), vc(0x81)},
		{"VMCALL", []byte{0x0F, 0x01, 0xC1}, nil, ud, ud},
		{"TDCALL", []byte{0x66, 0x0F, 0x01, 0xCC}, nil, ud, ud},
		{"RDPMC", []byte{0x0F, 0x33}, nil, vc(0x6F), gp},
		{"RDTSC", []byte{0x0F, 0x31}, nil, fine, fine},
		{"RDTSCP", []byte{0x0F, 0x01, 0xF9}, nil, fine, fine},
		{"MOV from DR7", []byte{0x0F, 0x21, 0xF8}, nil, vc(0x27), gp},
		{"MOV to DR7", []byte{0x0F, 0x23, 0xF8}, regs{x86.RAX: 0x400}, vc(0x37), gp},
		{"MOV from DR5", []byte{0x0F, 0x21, 0xE8}, nil, vc(0x27), gp},
		{"MOV from DR6", []byte{0x0F, 0x21, 0xF0}, nil, fine, gp},
	} {
		m := newMachine(t)
		if o := m.run(in.regs, in.code...); o != in.kernel {
			t.Errorf("%s: %+v, want %+v", in.what, o, in.kernel)
		}
		m = newMachine(t)
		if o := m.runUser(in.regs, in.code...); o != in.user {
			t.Errorf("%s at CPL 3: %+v, want %+v", in.what, o, in.user)
		}
	}
}

func TestHLTExitsSilently(t *testing.T) {
	m := newMachine(t)
	m.writeBytes(codeAt, []byte{0xF4})
	m.cpu.SetRIP(codeAt)
	before := m.cpu.Now()
	if e := m.cpu.Run(before + 1e6); e.Kind != x86.ExitHalted || m.cpu.RIP() != codeAt+1 {
		t.Errorf("%+v at %#x", e, m.cpu.RIP())
	}
	if m.cpu.Now()-before < 1000 || m.log.Record().Calls[record.HostExit.String()]["HLT"][""] != 1 {
		t.Error("the exit is not charged or not recorded")
	}
}

func TestControlRegisterTraps(t *testing.T) {
	m := newMachine(t)
	for what, code := range map[string][]byte{
		"CR0_WRITE_TRAP":  {0x0F, 0x20, 0xC0, 0x0F, 0x22, 0xC0},
		"CR4_WRITE_TRAP":  {0x0F, 0x20, 0xE0, 0x0F, 0x22, 0xE0},
		"EFER_WRITE_TRAP": {0xB9, 0x80, 0, 0, 0xC0, 0x0F, 0x32, 0x0F, 0xBA, 0xE8, 21, 0x0F, 0x30}, // sets AutoIBRS
	} {
		if o := m.run(nil, code...); o.vector != done {
			t.Errorf("%s: %+v", what, o)
		}
		if m.log.Record().Calls[record.HostExit.String()][what][""] != 1 {
			t.Errorf("%s is not recorded", what)
		}
	}
	if m.cpu.State().EFER&(1<<21) == 0 {
		t.Error("AutoIBRS is announced and cannot be set")
	}
}
