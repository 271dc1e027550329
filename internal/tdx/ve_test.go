package tdx_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const (
	vectorUD = 6
	vectorGP = 13
	vectorVE = 20
)

// What leaves the guest, by instruction: which exception, with which information (abi.md §2.5; module,
// tdx_td_dispatcher.c).
func TestInstructionsThatRaise(t *testing.T) {
	for _, test := range []struct {
		name          string
		code          []byte
		r             regs
		vector        int
		reason        uint64
		qualification uint64
		user          int // vector at CPL 3
	}{
		{"HLT", []byte{0xF4}, nil, vectorVE, 12, 0, vectorGP},
		{"INVD", []byte{0x0F, 0x08}, nil, vectorVE, 13, 0, vectorGP},
		{"WBINVD", []byte{0x0F, 0x09}, nil, vectorVE, 54, 0, vectorGP},
		{"WBNOINVD", []byte{0xF3, 0x0F, 0x09}, nil, vectorVE, 54, 0, vectorGP},
		{"MONITOR", []byte{0x0F, 0x01, 0xC8}, nil, vectorVE, 39, 0, vectorUD},
		{"MWAIT", []byte{0x0F, 0x01, 0xC9}, nil, vectorVE, 36, 0, vectorUD},
		{"VMCALL", []byte{0x0F, 0x01, 0xC1}, nil, vectorVE, 18, 0, vectorVE},
		{"PCONFIG", []byte{0x0F, 0x01, 0xC5}, nil, vectorVE, 65, 0, vectorGP},
		{"SEAMCALL", []byte{0x66, 0x0F, 0x01, 0xCF}, nil, vectorUD, 0, 0, vectorGP},
		{"RDPMC", []byte{0x0F, 0x33}, nil, vectorGP, 0, 0, vectorGP},
		{"TDCALL at CPL 3", []byte{0x66, 0x0F, 0x01, 0xCC}, regs{x86.RAX: 1}, done, 0, 0, vectorGP},

		{"IN AL, DX", []byte{0xEC}, regs{x86.RDX: 0x3F8}, vectorVE, 30, 0x3F8<<16 | 8, vectorGP},
		{"IN AX, DX", []byte{0x66, 0xED}, regs{x86.RDX: 0x71}, vectorVE, 30, 0x71<<16 | 8 | 1, vectorGP},
		{"IN EAX, 0x80", []byte{0xE5, 0x80}, nil, vectorVE, 30, 0x80<<16 | 1<<6 | 8 | 3, vectorGP},
		{"OUT DX, AL", []byte{0xEE}, regs{x86.RDX: 0x3F8}, vectorVE, 30, 0x3F8 << 16, vectorGP},
		{"OUT 0x80, EAX", []byte{0xE7, 0x80}, nil, vectorVE, 30, 0x80<<16 | 1<<6 | 3, vectorGP},
		{"REP OUTSB", []byte{0xF3, 0x6E}, regs{x86.RDX: 0x3F8, x86.RCX: 2, x86.RSI: dataAt}, vectorVE, 30, 0x3F8<<16 | 1<<5 | 1<<4, vectorGP},
		{"INSD", []byte{0x6D}, regs{x86.RDX: 0x3F8, x86.RDI: dataAt}, vectorVE, 30, 0x3F8<<16 | 1<<4 | 8 | 3, vectorGP},

		{"CPUID 2", []byte{0x0F, 0xA2}, regs{x86.RAX: 2}, vectorVE, 10, 0, vectorVE},
		{"CPUID 6", []byte{0x0F, 0xA2}, regs{x86.RAX: 6}, vectorVE, 10, 0, vectorVE},
		{"CPUID 0xB", []byte{0x0F, 0xA2}, regs{x86.RAX: 0xB}, vectorVE, 10, 0, vectorVE},
		{"CPUID 0x40000000", []byte{0x0F, 0xA2}, regs{x86.RAX: 0x4000_0000}, vectorVE, 10, 0, vectorVE},
		{"CPUID 0x80000002", []byte{0x0F, 0xA2}, regs{x86.RAX: 0x8000_0002}, vectorVE, 10, 0, vectorVE},
		{"CPUID 1", []byte{0x0F, 0xA2}, regs{x86.RAX: 1}, done, 0, 0, done},

		{"RDMSR 0x1B", []byte{0x0F, 0x32}, regs{x86.RCX: 0x1B}, vectorVE, 31, 0, vectorGP},
		{"RDMSR of KVM's clock", []byte{0x0F, 0x32}, regs{x86.RCX: 0x4B56_4D00}, vectorVE, 31, 0, vectorGP},
		{"RDMSR TSC_DEADLINE", []byte{0x0F, 0x32}, regs{x86.RCX: 0x6E0}, vectorGP, 0, 0, vectorGP},
		{"RDMSR EFER", []byte{0x0F, 0x32}, regs{x86.RCX: 0xC000_0080}, done, 0, 0, vectorGP},
		{"WRMSR x2APIC initial count", []byte{0x0F, 0x30}, regs{x86.RCX: 0x838, x86.RAX: 1, x86.RDX: 0}, vectorVE, 32, 0, vectorGP},
		{"WRMSR MISC_ENABLE", []byte{0x0F, 0x30}, regs{x86.RCX: 0x1A0}, vectorVE, 32, 0, vectorGP},
		{"WRMSR with a prefix", []byte{0x48, 0x0F, 0x30}, regs{x86.RCX: 0x1A0}, vectorVE, 32, 0, vectorGP},
		{"WRMSR LSTAR", []byte{0x0F, 0x30}, regs{x86.RCX: 0xC000_0082, x86.RAX: 0, x86.RDX: 0}, done, 0, 0, vectorGP},

		{"CR0 without NE", []byte{0x0F, 0x22, 0xC0}, regs{x86.RAX: 0x8005_0013}, vectorGP, 0, 0, vectorGP},
		{"CR0 with CD", []byte{0x0F, 0x22, 0xC0}, regs{x86.RAX: 0xC005_0033}, vectorVE, 28, 0, vectorGP},
		{"CR0 as Linux has it", []byte{0x0F, 0x22, 0xC0}, regs{x86.RAX: 0x8005_0033}, done, 0, 0, vectorGP},
		{"CR4 without MCE", []byte{0x0F, 0x22, 0xE0}, regs{x86.RAX: 0x620}, vectorVE, 28, 4, vectorGP},
		{"CR4 with MCE", []byte{0x0F, 0x22, 0xE0}, regs{x86.RAX: 0x660}, done, 0, 0, vectorGP},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := newMachine(t)
			o := m.run(test.r, test.code...)
			if o.vector != test.vector || o.rip != 0 || o.err != nil {
				t.Fatalf("at CPL 0: %+v, want vector %d at the instruction", o, test.vector)
			}
			if o.vector == vectorVE {
				if !o.rf {
					t.Error("the pushed flags lack RF")
				}
				m.wantVE(test.reason, test.qualification, len(test.code))
			}
			m = newMachine(t)
			if o := m.runUser(test.r, test.code...); o.vector != test.user || o.err != nil {
				t.Errorf("at CPL 3: %+v, want vector %d", o, test.user)
			}
		})
	}
}

// wantVE reads the information of the last #VE.
func (m *machine) wantVE(reason, qualification uint64, length int) {
	m.t.Helper()
	s, r, q, gla, gpa, instruction := m.veInfo()
	if s != abi.Success || r != reason || q != qualification || gla != 0 || gpa != 0 || instruction != uint64(length) {
		m.t.Errorf("VEINFO.GET: %v, reason %d, qualification %#x, GLA %#x, GPA %#x, instruction %#x; want reason %d, %#x, length %d",
			s, r, q, gla, gpa, instruction, reason, qualification, length)
	}
}

func TestOnlySCEOfEFERCanChange(t *testing.T) {
	const sce, lme, nxe = x86.EFERSCE, x86.EFERLME, x86.EFERNXE
	for _, test := range []struct {
		value  uint64
		vector int
	}{
		{sce | lme | nxe | x86.EFERLMA, done},
		{lme | nxe | x86.EFERLMA, done},
		{sce | lme | nxe, done}, // LMA is read-only
		{sce | lme | x86.EFERLMA, vectorVE},
		{sce | nxe | x86.EFERLMA, vectorVE},
	} {
		m := newMachine(t)
		o := m.run(regs{x86.RCX: 0xC000_0080, x86.RAX: test.value, x86.RDX: 0}, 0x0F, 0x30)
		if o.vector != test.vector {
			t.Errorf("EFER %#x: %+v, want vector %d", test.value, o, test.vector)
		}
		if o.vector == vectorVE {
			m.wantVE(32, 0, 2)
		}
	}
}

func TestVirtualMSRs(t *testing.T) {
	for index, want := range map[uint64]uint64{
		0xBD:  1,      // IA32_XAPIC_DISABLE_STATUS: no legacy xAPIC
		0x1A0: 0x1801, // fast strings, no BTS, no PEBS
		0x345: 0,
		0x1D9: 0,
	} {
		m := newMachine(t)
		if o := m.run(regs{x86.RCX: index, x86.RDX: 1}, 0x0F, 0x32); o.vector != done {
			t.Errorf("RDMSR %#x: %+v", index, o)
		} else if got := m.cpu.R[x86.RDX]<<32 | m.cpu.R[x86.RAX]; got != want {
			t.Errorf("MSR %#x is %#x, want %#x", index, got, want)
		}
	}
	m := newMachine(t)
	m.run(regs{x86.RCX: 0x10A}, 0x0F, 0x32)
	const hidden = 1<<7 | 1<<17 | 1<<21 // TSX_CTRL, FB_CLEAR, XAPIC_DISABLE_STATUS
	if v := m.cpu.R[x86.RAX]; v&3 != 3 || v&hidden != 0 || m.cpu.R[x86.RDX] != 0 {
		t.Errorf("IA32_ARCH_CAPABILITIES is %#x%08x", m.cpu.R[x86.RDX], v)
	}

	for _, test := range []struct {
		value  uint64
		vector int
		want   uint64
	}{{1<<13 | 1, done, 1}, {1 << 3, vectorGP, 1}, {1 << 6, vectorVE, 1}, {3 << 6, done, 3 << 6}} {
		if o := m.run(regs{x86.RCX: 0x1D9, x86.RAX: test.value, x86.RDX: 0}, 0x0F, 0x30); o.vector != test.vector {
			t.Errorf("IA32_DEBUGCTL = %#x: %+v, want vector %d", test.value, o, test.vector)
		}
		m.run(regs{x86.RCX: 0x1D9}, 0x0F, 0x32)
		if got := m.cpu.R[x86.RAX]; got != test.want {
			t.Errorf("IA32_DEBUGCTL is %#x after writing %#x, want %#x", got, test.value, test.want)
		}
		m.veInfo()
	}
	if o := m.run(regs{x86.RCX: 0x1D9, x86.RAX: 1, x86.RDX: 1 << 31}, 0x0F, 0x30); o.vector != vectorGP {
		t.Errorf("IA32_DEBUGCTL with bit 63: %+v, want #GP", o)
	}
	if o := m.run(regs{x86.RCX: 0xDA0, x86.RAX: 1 << 8, x86.RDX: 0}, 0x0F, 0x30); o.vector != vectorGP {
		t.Errorf("IA32_XSS with a bit that XFAM lacks: %+v, want #GP", o)
	}
}

// A TD that asks for it by IA32_DEBUGCTL has a #DB after its programs' bus locks.
func TestBusLocks(t *testing.T) {
	const vectorDB, bit, split = 1, 1 << 2, userVA + codeAt + 0x83E
	m := newMachine(t)
	for _, want := range []int{done, vectorDB, done} {
		if o := m.runUser(regs{x86.RDI: split}, 0xF0, 0x01, 0x07); o.vector != want { // lock add [rdi], eax
			t.Errorf("a bus lock: %+v, want vector %d", o, want)
		}
		m.layOut()
		value := uint64(0)
		if want == done {
			value = bit
		}
		if o := m.run(regs{x86.RCX: 0x1D9, x86.RAX: value, x86.RDX: 0}, 0x0F, 0x30); o.vector != done {
			t.Fatalf("IA32_DEBUGCTL: %+v", o)
		}
	}
}

// Where the ranges of registers begin and end that are alike: what lies between is unknown, and raises #VE.
func TestMSRsBesideRanges(t *testing.T) {
	for index, vector := range map[uint64]int{
		0x800: vectorGP, 0x801: vectorGP, 0x802: vectorVE, 0x803: vectorVE, 0x804: vectorGP, 0x807: vectorGP, 0x808: done, 0x80D: vectorVE,
		0x80F: vectorVE, 0x810: done, 0x827: done, 0x828: vectorVE, 0x829: vectorGP, 0x82E: vectorGP, 0x82F: vectorVE, 0x840: vectorGP, 0x8FF: vectorGP,
		0x900: vectorVE, 0x980: vectorVE, 0x981: vectorGP, 0x98A: vectorGP, 0x98B: vectorVE,
	} {
		m := newMachine(t)
		if o := m.run(regs{x86.RCX: index}, 0x0F, 0x32); o.vector != vector {
			t.Errorf("RDMSR %#x: %+v, want vector %d", index, o, vector)
		}
	}
}

func TestCPUIDVE(t *testing.T) {
	m := newMachine(t)
	if s := abi.Status(m.tdcall(regs{x86.RAX: 5, x86.RCX: 4})); s != operandRCX {
		t.Errorf("a reserved bit: %v", s)
	}
	if s := abi.Status(m.tdcall(regs{x86.RAX: 5, x86.RCX: 2})); s != abi.Success {
		t.Errorf("for user programs: %v", s)
	}
	if o := m.run(regs{x86.RAX: 0}, 0x0F, 0xA2); o.vector != done {
		t.Errorf("CPUID at CPL 0: %+v", o)
	}
	if o := m.runUser(regs{x86.RAX: 0}, 0x0F, 0xA2); o.vector != vectorVE {
		t.Errorf("CPUID at CPL 3: %+v, want #VE", o)
	}
	m.layOut()
	m.veInfo()
	m.tdcall(regs{x86.RAX: 5, x86.RCX: 1})
	if o := m.run(regs{x86.RAX: 0}, 0x0F, 0xA2); o.vector != vectorVE {
		t.Errorf("CPUID at CPL 0 when it is to raise: %+v, want #VE", o)
	}
}
