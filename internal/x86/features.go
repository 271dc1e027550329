package x86

// What the processor announces is what it implements, no more: a guest may use everything that it sees. The model is a
// Sapphire Rapids (family 6, model 0x8F), since older ones make a kernel work around flaws that this processor does not have:
// page-table isolation, retpolines, buffer clearing. Platforms hide or force what their architecture hides or forces.

// Leaf 1 (SDM vol. 2, CPUID, tables 3-20 and 3-21).
const (
	signature = 0x0008_06F8 // family 6, model 0x8F, stepping 8

	leaf1ECX = 1<<0 | // SSE3
		1<<1 | // PCLMULQDQ
		1<<9 | // SSSE3
		1<<13 | // CMPXCHG16B
		1<<17 | // PCID
		1<<19 | // SSE4.1
		1<<20 | // SSE4.2
		1<<21 | // x2APIC
		1<<22 | // MOVBE
		1<<23 | // POPCNT
		1<<25 | // AES
		1<<26 | // XSAVE
		1<<30 | // RDRAND
		1<<31 // hypervisor

	leaf1EDX = 1<<0 | // FPU
		1<<1 | // VME, and PVI
		1<<2 | // DE
		1<<3 | // PSE
		1<<4 | // TSC
		1<<5 | // MSR
		1<<6 | // PAE
		1<<7 | // MCE
		1<<8 | // CMPXCHG8B
		1<<9 | // APIC
		1<<11 | // SEP
		1<<13 | // PGE
		1<<15 | // CMOV
		1<<16 | // PAT
		1<<19 | // CLFSH
		1<<23 | // MMX
		1<<24 | // FXSR
		1<<25 | // SSE
		1<<26 | // SSE2
		1<<27 // self snoop

	clflushLine = 8 << 8 // 64 bytes, in units of 8

	// LeafDeadline is TSC-deadline in ECX of leaf 1: the local APIC has it, the platform decides whether it is seen.
	LeafDeadline = 1 << 24
)

// Leaf 7 (SDM vol. 2, CPUID, table 3-17).
const (
	leaf7EBX = 1<<0 | // FSGSBASE
		1<<3 | // BMI1
		1<<6 | // FDP_EXCPTN_ONLY: the x87 data pointer follows instructions that raise an unmasked exception
		1<<7 | // SMEP
		1<<8 | // BMI2
		1<<9 | // ERMS
		1<<10 | // INVPCID
		1<<13 | // FCS and FDS are always 0
		1<<18 | // RDSEED
		1<<19 | // ADX
		1<<20 | // SMAP
		1<<23 | // CLFLUSHOPT
		1<<24 | // CLWB
		1<<29 // SHA

	leaf7ECX = 1<<2 | // UMIP
		1<<22 | // RDPID
		1<<27 | // MOVDIRI
		1<<28 // MOVDIR64B

	leaf7EDX = 1<<4 | // FSRM
		1<<26 | // IBRS, IBPB
		1<<27 | // STIBP
		1<<29 | // IA32_ARCH_CAPABILITIES
		1<<31 // SSBD

	leaf71EAX = 1<<10 | // FZRM
		1<<11 | // FSRS
		1<<12 // FSRC

	leaf72EDX = 1<<0 | // PSFD
		1<<1 | // IPRED_CTRL
		1<<2 | // RRSBA_CTRL
		1<<4 // BHI_CTRL
)

// Extended leaf 1.
const (
	extended1ECX = 1<<0 | // LAHF in 64-bit mode
		1<<5 | // LZCNT
		1<<8 // PREFETCHW

	extended1EDX = 1<<11 | // SYSCALL
		1<<20 | // NX
		1<<26 | // 1 GiB pages
		1<<27 | // RDTSCP
		1<<29 // long mode
)

// ArchCapabilities is IA32_ARCH_CAPABILITIES: which flaws the model does not have (SDM vol. 4, table 2-2).
const ArchCapabilities = 1<<0 | // RDCL_NO
	1<<1 | // IBRS_ALL
	1<<3 | // SKIP_L1DFL_VMENTRY
	1<<4 | // SSB_NO
	1<<5 | // MDS_NO
	1<<6 | // IF_PSCHANGE_MC_NO
	1<<8 | // TAA_NO
	1<<13 | // SBDR_SSDP_NO
	1<<14 | // FBSDP_NO
	1<<15 | // PSDP_NO
	1<<24 | // PBRSB_NO
	1<<26 | // GDS_NO
	1<<27 | // RFDS_NO
	1<<62 // ITS_NO

// XSaveSize is the size of the XSAVE area for x87 and SSE with its header, in bytes (SDM vol. 1, 13.4).
const XSaveSize = 512 + 64

// Features returns what the processor has to say in a leaf of CPUID: EAX, EBX, ECX, EDX. Where the answer depends on
// the state of a CPU (APIC ID, OSXSAVE), the platform fills it in; leaves that say nothing about features are the
// platform's altogether.
func Features(leaf, subleaf uint32) [4]uint32 {
	switch leaf {
	case 0:
		return [4]uint32{0x1F, 0x756E_6547, 0x6C65_746E, 0x4965_6E69} // "GenuineIntel"
	case 1:
		return [4]uint32{signature, clflushLine, leaf1ECX, leaf1EDX}
	case 7:
		switch subleaf {
		case 0:
			return [4]uint32{2, leaf7EBX, leaf7ECX, leaf7EDX}
		case 1:
			return [4]uint32{leaf71EAX}
		case 2:
			return [4]uint32{3: leaf72EDX}
		}
	case 0xD:
		switch subleaf {
		case 0:
			return [4]uint32{3, XSaveSize, XSaveSize, 0}
		case 1:
			return [4]uint32{xsaveFeatures, XSaveSize, 0, 0}
		}
	case 0x8000_0000:
		return [4]uint32{0x8000_0008}
	case 0x8000_0001:
		return [4]uint32{2: extended1ECX, 3: extended1EDX}
	case 0x8000_0007:
		return [4]uint32{3: 1 << 8} // invariant TSC
	case 0x8000_0008:
		return [4]uint32{52 | 48<<8}
	}
	return [4]uint32{}
}

// xsaveFeatures is leaf 0xD.1 EAX: XSAVEOPT, XSAVEC, XGETBV with ECX 1, XSAVES.
const xsaveFeatures = 1<<0 | 1<<1 | 1<<2 | 1<<3
