package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SDM vol. 2, MOV to and from control registers; vol. 3, 2.5: values that are refused.
func TestControlRegisters(t *testing.T) {
	cr := func(n, v uint64) string { return asm(movImm(uop.RAX, v), "|0F 22", le(0xC0|n<<3, 1)) } // mov cr<n>, rax
	const cr0, cr4 = CR0PE | CR0PG | CR0NE | CR0WP | CR0ET, CR4PAE | CR4OSFXSR | CR4OSXMMEXCPT
	bad := func(name string, n, v uint64) program {
		return program{name: name, code: cr(n, v), want: raises(uop.VectorGP, 0)}
	}
	prove(t,
		bad("CR0, upper half", 0, cr0|1<<32),
		bad("CR0, paging without protection", 0, cr0&^CR0PE),
		bad("CR0, leaving paging in 64-bit mode", 0, cr0&^CR0PG),
		bad("CR0, leaving protection", 0, cr0&^(CR0PE|CR0PG)),
		bad("CR0, NW without CD", 0, cr0|CR0NW),
		bad("CR4, leaving PAE", 4, cr4&^CR4PAE),
		bad("CR4, a feature that is not announced: LA57", 4, cr4|CR4LA57),
		bad("CR4, VMXE", 4, cr4|1<<13),
		bad("CR4, upper half", 4, cr4|1<<32),
		program{name: "CR0 keeps ET, and no bits that do not exist", code: asm(movImm(uop.RAX, cr0&^CR0ET|1<<6|1<<20|CR0CD|CR0NW), "0F 22 C0", "0F 20 C3", "F4"), want: halts(reg{uop.RBX, cr0 | CR0CD | CR0NW})}, // …; mov rbx, cr0
		program{name: "CR2", code: asm(movImm(uop.RAX, 1<<63), "0F 22 D0", "0F 20 D3", "F4"), want: halts(reg{uop.RBX, 1 << 63})},
		program{name: "CR1", code: asm("|0F 20 C8"), want: raises(uop.VectorUD, 0)},
		program{name: "CR5", code: asm("|0F 20 E8"), want: raises(uop.VectorUD, 0)},
		program{name: "CR3 by a user program", user: true, code: asm("|0F 20 D8"), want: raises(uop.VectorGP, 0)},
		program{name: "LMSW sets and does not clear PE", code: asm("31 C0", "0F 01 F0", "B8 0A 00 00 00", "0F 01 F0", "0F 01 E3", "F4"), // xor eax, eax; lmsw ax; mov eax, MP|TS; lmsw; smsw ebx
			want: halts(reg{uop.RBX, cr0&0xFFFF_FFFF&^CR0TS | CR0MP | CR0TS})},
		program{name: "LMSW by a user program", user: true, code: asm("|0F 01 F0"), want: raises(uop.VectorGP, 0)},
		program{name: "CLTS by a user program", user: true, code: asm("|0F 06"), want: raises(uop.VectorGP, 0)},
		program{name: "SMSW to memory stores 16 bits", code: asm("0F 01 24 25", le(progData, 4), "F4"), setup: func(m *scene) { m.write(progData, ^uint64(0)) }, want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if v := m.word(progData); v != 0xFFFF_FFFF_FFFF_0031 && v != ^uint64(0xFFFF)|cr0&0xFFFF {
				t.Errorf("stored %#x", v)
			}
		}},
		program{name: "XSETBV", code: asm("B9 00 00 00 00 B8 03 00 00 00 BA 00 00 00 00", "0F 01 D1", "0F 01 D0", "F4"), setup: osxsave, want: halts(reg{uop.RAX, 3}, reg{uop.RDX, 0})}, // …; xgetbv
		program{name: "XSETBV without x87", code: asm("B9 00 00 00 00 B8 02 00 00 00 BA 00 00 00 00", "|0F 01 D1"), setup: osxsave, want: raises(uop.VectorGP, 0)},
		program{name: "XSETBV of what is not announced", code: asm("B9 00 00 00 00 B8 07 00 00 00 BA 00 00 00 00", "|0F 01 D1"), setup: osxsave, want: raises(uop.VectorGP, 0)},
		program{name: "XSETBV of XCR1", code: asm("B9 01 00 00 00 B8 03 00 00 00 BA 00 00 00 00", "|0F 01 D1"), setup: osxsave, want: raises(uop.VectorGP, 0)},
		program{name: "XSETBV by a user program", user: true, code: asm("|0F 01 D1"), setup: osxsave, want: raises(uop.VectorGP, 0)},
		program{name: "XSETBV without OSXSAVE", code: asm("|0F 01 D1"), want: raises(uop.VectorUD, 0)},
		program{name: "XGETBV without OSXSAVE", code: asm("|0F 01 D0"), want: raises(uop.VectorUD, 0)},
		program{name: "CPUID tells of OSXSAVE", code: asm("B8 01 00 00 00", "0F A2", "C1 E9 1B", "83 E1 01", "F4"), setup: osxsave, want: halts(reg{uop.RCX, 1})}, // mov eax, 1; cpuid; shr ecx, 27; and ecx, 1
		program{name: "TSD keeps users from the time-stamp counter", user: true, code: asm("|0F 31"), setup: func(m *scene) { m.from.CR4 |= CR4TSD }, want: raises(uop.VectorGP, 0)},
		program{name: "TSD, RDTSCP", user: true, code: asm("|0F 01 F9"), setup: func(m *scene) { m.from.CR4 |= CR4TSD }, want: raises(uop.VectorGP, 0)},
		program{name: "TSD does not concern the kernel", code: asm("0F 31 F4"), setup: func(m *scene) { m.from.CR4 |= CR4TSD }, want: halts()},
	)
}

func osxsave(m *scene) { m.from.CR4 |= CR4OSXSAVE }

// A hypervisor's interest in a control register comes before what is wrong with the value (SDM vol. 3, 26.1.1), and
// after privilege.
func TestPlatformGuardsComeFirst(t *testing.T) {
	guarded := func(m *scene) {
		m.cfg.Platform = guard{m.cfg.Platform}
		m.CPU = New(m.cfg)
	}
	prove(t,
		program{name: "CR4", code: asm(movImm(uop.RAX, 1<<13), "|0F 22 E0"), setup: guarded, want: raises(uop.VectorOF, 0)},
		program{name: "CR0", code: asm(movImm(uop.RAX, 0), "|0F 22 C0"), setup: guarded, want: raises(uop.VectorOF, 0)},
		program{name: "EFER", code: asm("B9", le(MSREFER, 4), "B8 FF FF FF FF", "|0F 30"), setup: guarded, want: raises(uop.VectorOF, 0)},
		program{name: "CR4 by a user program", user: true, code: asm("|0F 22 E0"), setup: guarded, want: raises(uop.VectorGP, 0)},
	)
}

// A guard raises #OF, which nothing else here does, for every write of a control register.
type guard struct{ Platform }

func (guard) WriteCR(c *CPU, _ int, _ uint64) Action {
	c.Raise(Exception{Vector: uop.VectorOF})
	return Raised
}

// SDM vol. 4 and vol. 2, RDMSR and WRMSR: which registers there are and what they take.
func TestModelSpecificRegisters(t *testing.T) {
	bad := func(name string, index uint32, v uint64) program {
		b, _ := assemble(wrmsr(index, v))
		return program{name: name, code: wrmsr(index, v)[:2*(len(b)-2)] + "|0F30", want: raises(uop.VectorGP, 0)}
	}
	good := func(name string, index uint32, v, read uint64) program {
		return program{name: name, code: asm(wrmsr(index, v), rdmsr(index), "F4"), want: halts(reg{uop.RAX, read & 0xFFFF_FFFF}, reg{uop.RDX, read >> 32})}
	}
	unknown := func(name string, index uint32) program {
		return program{name: name, code: asm("B9", le(uint64(index), 4), "|0F 32"), want: raises(uop.VectorGP, 0)}
	}
	const high = 0xFFFF_8000_0000_1234 // canonical
	all := []program{
		unknown("a register that does not exist, read", 0x1234),
		bad("a register that does not exist, written", 0x1234, 0),
		unknown("IA32_PRED_CMD cannot be read", MSRPredCmd),
		good("STAR", MSRSTAR, 0x0023_0010_1234_5678, 0x0023_0010_1234_5678),
		bad("FMASK, upper half", MSRFMASK, 1<<32),
		bad("TSC_AUX, upper half", MSRTSCAux, 1<<32),
		good("TSC_AUX", MSRTSCAux, 0xFFFF_FFFF, 0xFFFF_FFFF),
		good("PAT", MSRPAT, 0x0007_0406_0107_0406, 0x0007_0406_0107_0406),
		bad("PAT, type 2", MSRPAT, 0x0007_0406_0002_0406),
		bad("PAT, type 3", MSRPAT, 0x0307_0406_0007_0406),
		bad("PAT, reserved bits", MSRPAT, 0x0007_0406_0807_0406),
		good("EFER", MSREFER, EFERSCE|EFERLME|EFERNXE, EFERSCE|EFERLME|EFERLMA|EFERNXE),
		bad("EFER, leaving long mode", MSREFER, EFERSCE|EFERNXE),
		bad("EFER, reserved bits", MSREFER, EFERSCE|EFERLME|EFERNXE|1<<1),
		bad("EFER, SVME where CPUID does not tell of it", MSREFER, EFERLME|EFERNXE|EFERSVME),
		good("SPEC_CTRL", MSRSpecCtrl, 1, 1),
		bad("SPEC_CTRL, reserved bits", MSRSpecCtrl, 1<<9),
		bad("PRED_CMD, reserved bits", MSRPredCmd, 2),
		bad("APIC_BASE, out of x2APIC mode", MSRAPICBase, 0xFEE0_0900),
		bad("APIC: a register that does not exist", 0x8FF, 0),
		bad("APIC: identifier is read-only", apicID, 1),
		bad("APIC: EOI other than zero", apicEOI, 1),
		bad("APIC: ESR other than zero", apicESR, 1),
		bad("APIC: TPR above 255", apicTPR, 256),
		bad("APIC: upper half of a register of 32 bits", apicTPR, 1<<32),
		bad("APIC: reserved bits of SVR", apicSVR, 0x3FF|1<<12),
		bad("APIC: reserved bits of ICR", apicICR, 1<<20),
		bad("APIC: delivery status of ICR", apicICR, 1<<12),
		bad("APIC: reserved bits of the timer", apicTimer, 1<<8),
		bad("APIC: reserved bits of LINT0", apicLINT0, 1<<17),
		bad("APIC: reserved bits of divide", apicDivide, 4),
		bad("APIC: SELF IPI above 255", apicSelfIPI, 256),
		unknown("APIC: EOI cannot be read", apicEOI),
		unknown("APIC: SELF IPI cannot be read", apicSelfIPI),
		{name: "RDMSR by a user program", user: true, code: asm("|0F 32"), want: raises(uop.VectorGP, 0)},
		{name: "WRMSR by a user program", user: true, code: asm("|0F 30"), want: raises(uop.VectorGP, 0)},
	}
	for name, index := range map[string]uint32{"LSTAR": MSRLSTAR, "CSTAR": MSRCSTAR, "KERNEL_GS_BASE": MSRKernelGSBase, "FS_BASE": MSRFSBase, "GS_BASE": MSRGSBase,
		"SYSENTER_ESP": MSRSysenterESP, "SYSENTER_EIP": MSRSysenterEIP} {
		all = append(all, good(name, index, high, high), bad(name+", not canonical", index, 1<<47))
	}
	prove(t, all...)
}

// Time stands where it stood when the instruction began, also in the middle of a block.
func TestTimeStampCounter(t *testing.T) {
	prove(t,
		program{name: "between two reads lie the instructions between them", code: asm("90 90", "0F 31 89 C3", "90 90 90", "0F 31", "F4"), want: halts(reg{uop.RBX, 2}, reg{uop.RAX, 7})}, // rdtsc; mov ebx, eax
		program{name: "RDTSCP reads TSC_AUX", code: asm(wrmsr(MSRTSCAux, 0x77), "0F 01 F9", "F3 0F C7 FB", "F4"), want: halts(reg{uop.RAX, 4}, reg{uop.RCX, 0x77}, reg{uop.RBX, 0x77})},   // rdtscp; rdpid rbx
		program{name: "writing the counter moves it and TSC_ADJUST", code: asm(wrmsr(MSRTSC, 1000), rdmsr(MSRTSCAdjust), "89 C3", "0F 31", "F4"), want: halts(reg{uop.RBX, 1000 - 3}, reg{uop.RAX, 1004})},
	)
}
