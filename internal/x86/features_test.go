package x86

import "testing"

// What CPUID announces, bit by bit (SDM vol. 2, CPUID): the features of instructions that are here, and no others. A
// bit that goes missing makes a kernel take another way, which no other test would notice.
func TestFeatures(t *testing.T) {
	bits := func(positions ...int) (v uint32) {
		for _, p := range positions {
			v |= 1 << p
		}
		return v
	}
	for _, test := range []struct {
		name          string
		leaf, subleaf uint32
		register      int
		want          uint32
	}{
		// SSE3, PCLMULQDQ, SSSE3, CX16, PCID, SSE4.1, SSE4.2, x2APIC, MOVBE, POPCNT, AES, XSAVE, RDRAND, hypervisor
		{"leaf 1 ECX", 1, 0, 2, bits(0, 1, 9, 13, 17, 19, 20, 21, 22, 23, 25, 26, 30, 31)},
		// FPU, VME, DE, PSE, TSC, MSR, PAE, MCE, CX8, APIC, SEP, PGE, CMOV, PAT, CLFSH, MMX, FXSR, SSE, SSE2, SS
		{"leaf 1 EDX", 1, 0, 3, bits(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 13, 15, 16, 19, 23, 24, 25, 26, 27)},
		// FSGSBASE, BMI1, FDP_EXCPTN_ONLY, SMEP, BMI2, ERMS, INVPCID, ZERO_FCS_FDS, RDSEED, ADX, SMAP, CLFLUSHOPT, CLWB, SHA
		{"leaf 7 EBX", 7, 0, 1, bits(0, 3, 6, 7, 8, 9, 10, 13, 18, 19, 20, 23, 24, 29)},
		{"leaf 7 ECX", 7, 0, 2, bits(2, 22, 27, 28)},     // UMIP, RDPID, MOVDIRI, MOVDIR64B
		{"leaf 7 EDX", 7, 0, 3, bits(4, 26, 27, 29, 31)}, // FSRM, IBRS, STIBP, ARCH_CAPABILITIES, SSBD
		{"leaf 7.1 EAX", 7, 1, 0, bits(10, 11, 12)},      // FZRM, FSRS, FSRC
		{"leaf 7.2 EDX", 7, 2, 3, bits(0, 1, 2, 4)},      // PSFD, IPRED_CTRL, RRSBA_CTRL, BHI_CTRL
		// LAHF, LZCNT, PREFETCHW; SYSCALL, NX, 1 GiB pages, RDTSCP, long mode
		{"leaf 0x80000001 ECX", 0x8000_0001, 0, 2, bits(0, 5, 8)},
		{"leaf 0x80000001 EDX", 0x8000_0001, 0, 3, bits(11, 20, 26, 27, 29)},
	} {
		if got := Features(test.leaf, test.subleaf)[test.register]; got != test.want {
			t.Errorf("%s is %#x, want %#x", test.name, got, test.want)
		}
	}
}
