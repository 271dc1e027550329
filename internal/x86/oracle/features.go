package oracle

import "fmt"

// A feature is a bit of CPUID (SDM vol. 2, CPUID). The tables of instructions name those that announce instructions for
// user code.
type feature struct {
	leaf, subleaf uint32
	register      int // 0 EAX, 1 EBX, 2 ECX, 3 EDX
	bit           int
	name          string
}

// instructionFeatures announce what the tables hold.
var instructionFeatures = []feature{
	{1, 0, 3, 0, "FPU"}, {1, 0, 3, 8, "CX8"}, {1, 0, 3, 15, "CMOV"}, {1, 0, 3, 19, "CLFSH"}, {1, 0, 3, 23, "MMX"}, {1, 0, 3, 24, "FXSR"},
	{1, 0, 3, 25, "SSE"}, {1, 0, 3, 26, "SSE2"},
	{1, 0, 2, 0, "SSE3"}, {1, 0, 2, 1, "PCLMULQDQ"}, {1, 0, 2, 9, "SSSE3"}, {1, 0, 2, 13, "CX16"}, {1, 0, 2, 19, "SSE4.1"}, {1, 0, 2, 20, "SSE4.2"},
	{1, 0, 2, 22, "MOVBE"}, {1, 0, 2, 23, "POPCNT"}, {1, 0, 2, 25, "AES"}, {1, 0, 2, 26, "XSAVE"},
	{7, 0, 1, 0, "FSGSBASE"}, {7, 0, 1, 3, "BMI1"}, {7, 0, 1, 8, "BMI2"}, {7, 0, 1, 10, "INVPCID"}, {7, 0, 1, 19, "ADX"}, {7, 0, 1, 20, "SMAP"}, {7, 0, 1, 23, "CLFLUSHOPT"},
	{7, 0, 1, 24, "CLWB"}, {7, 0, 1, 29, "SHA"}, {7, 0, 2, 8, "GFNI"}, {7, 0, 2, 27, "MOVDIRI"}, {7, 0, 3, 14, "SERIALIZE"},
	{0xD, 1, 0, 0, "XSAVEOPT"}, {0xD, 1, 0, 1, "XSAVEC"},
	{0x8000_0001, 0, 2, 0, "LAHF"}, {0x8000_0001, 0, 2, 5, "LZCNT"}, {0x8000_0001, 0, 2, 8, "PREFETCHW"},
}

// otherFeatures announce no instruction for user code, or one that cannot be compared, for the reason given. An
// announced bit that is in neither table fails the coverage test: somebody has to say where it belongs.
var otherFeatures = map[feature]string{
	{1, 0, 3, 1, "VME"}:                "system: virtual-8086 mode, and VIF",
	{1, 0, 3, 2, "DE"}:                 "system: I/O breakpoints",
	{1, 0, 3, 3, "PSE"}:                "system: page size",
	{1, 0, 3, 4, "TSC"}:                "RDTSC: time is virtual",
	{1, 0, 3, 5, "MSR"}:                "system: RDMSR, WRMSR, which fault in user code (in the tables)",
	{1, 0, 3, 6, "PAE"}:                "system: page tables",
	{1, 0, 3, 7, "MCE"}:                "system: machine check",
	{1, 0, 3, 9, "APIC"}:               "system: local APIC",
	{1, 0, 3, 11, "SEP"}:               "SYSENTER: enters the kernel",
	{1, 0, 3, 12, "MTRR"}:              "system: memory types",
	{1, 0, 3, 13, "PGE"}:               "system: global pages",
	{1, 0, 3, 14, "MCA"}:               "system: machine check",
	{1, 0, 3, 16, "PAT"}:               "system: memory types",
	{1, 0, 3, 17, "PSE-36"}:            "system: page tables",
	{1, 0, 3, 27, "SS"}:                "system: self snoop",
	{1, 0, 3, 28, "HTT"}:               "topology",
	{1, 0, 2, 17, "PCID"}:              "system: address-space identifiers",
	{1, 0, 2, 21, "x2APIC"}:            "system: local APIC",
	{1, 0, 2, 24, "deadline"}:          "system: APIC timer",
	{1, 0, 2, 27, "OSXSAVE"}:           "says that XSAVE is enabled; XGETBV of XCR0, which differs",
	{1, 0, 2, 30, "RDRAND"}:            "random by design",
	{1, 0, 2, 31, "hypervisor"}:        "not an instruction",
	{7, 0, 1, 6, "FDP_EXCPTN_ONLY"}:    "x87 pointers, which are not compared",
	{7, 0, 1, 7, "SMEP"}:               "system: page protection",
	{7, 0, 1, 9, "ERMS"}:               "speed of REP MOVSB and STOSB",
	{7, 0, 1, 13, "ZERO_FCS_FDS"}:      "x87 pointers, which are not compared",
	{7, 0, 1, 18, "RDSEED"}:            "random by design",
	{7, 0, 2, 2, "UMIP"}:               "SGDT, SIDT, SLDT, SMSW, STR: Linux emulates some of them for user code",
	{7, 0, 2, 22, "RDPID"}:             "the number of the host's CPU",
	{7, 0, 2, 28, "MOVDIR64B"}:         "two addresses in memory, of which the tables know one",
	{7, 0, 3, 4, "FSRM"}:               "speed of short REP MOVSB",
	{7, 0, 3, 26, "IBRS"}:              "system: speculation",
	{7, 0, 3, 27, "STIBP"}:             "system: speculation",
	{7, 0, 3, 29, "ARCH_CAP"}:          "system: MSR",
	{7, 0, 3, 31, "SSBD"}:              "system: speculation",
	{0xD, 1, 0, 3, "XSAVES"}:           "system: privilege 0",
	{0xD, 1, 0, 2, "XGETBV1"}:          "XGETBV with ECX 1: which components are in use, of more than the guest has",
	{0x8000_0001, 0, 3, 11, "SYSCALL"}: "enters the kernel",
	{0x8000_0001, 0, 3, 20, "NX"}:      "system: page protection",
	{0x8000_0001, 0, 3, 26, "1GB"}:     "system: page size",
	{0x8000_0001, 0, 3, 27, "RDTSCP"}:  "time is virtual",
	{0x8000_0001, 0, 3, 29, "LM"}:      "64-bit mode itself",
}

// A cpuidFunc answers CPUID: the interpreter's platform, or the host.
type cpuidFunc func(leaf, subleaf uint32) [4]uint32

func (f *feature) announced(cpuid cpuidFunc) bool {
	return cpuid(f.leaf&0x8000_0000, 0)[0] >= f.leaf && cpuid(f.leaf, f.subleaf)[f.register]>>f.bit&1 != 0
}

// announcedFeatures returns the names of features that a processor announces. "" stands for what every
// x86-64 has.
func announcedFeatures(cpuid cpuidFunc) map[string]bool {
	names := map[string]bool{"": true}
	for _, f := range instructionFeatures {
		if f.announced(cpuid) {
			names[f.name] = true
		}
	}
	for f := range otherFeatures {
		if f.announced(cpuid) {
			names[f.name] = true
		}
	}
	return names
}

// unexplained returns the announced bits of the leaves that are in neither table.
func unexplained(cpuid cpuidFunc) (bits []string) {
	known := map[feature]bool{}
	for _, f := range instructionFeatures {
		f.name = ""
		known[f] = true
	}
	for f := range otherFeatures {
		f.name = ""
		known[f] = true
	}
	for _, l := range []struct {
		leaf, subleaf uint32
		register      int
	}{{1, 0, 2}, {1, 0, 3}, {7, 0, 1}, {7, 0, 2}, {7, 0, 3}, {0xD, 1, 0}, {0x8000_0001, 0, 2}, {0x8000_0001, 0, 3}} {
		for bit := range 32 {
			f := feature{l.leaf, l.subleaf, l.register, bit, ""}
			if f.announced(cpuid) && !known[f] {
				bits = append(bits, fmt.Sprintf("CPUID leaf %#x.%d %s bit %d", l.leaf, l.subleaf, [...]string{"EAX", "EBX", "ECX", "EDX"}[l.register], bit))
			}
		}
	}
	return bits
}
