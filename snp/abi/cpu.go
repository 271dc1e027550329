package abi

// Registers of SEV (APM 15.34.10, 15.35.7). No hypervisor intercepts them.
const (
	MSRGHCB      = 0xC001_0130
	MSRSEVStatus = 0xC001_0131
)

// SEV_STATUS (APM 15.34.10; Linux, arch/x86/include/asm/msr-index.h, MSR_AMD64_SEV_*_BIT): what is on.
const (
	StatusSEV              = 1 << 0
	StatusSEVES            = 1 << 1
	StatusSEVSNP           = 1 << 2
	StatusVTOM             = 1 << 3
	StatusReflectVC        = 1 << 4
	StatusRestrictedInj    = 1 << 5
	StatusAlternateInj     = 1 << 6
	StatusDebugSwap        = 1 << 7
	StatusPreventHostIBS   = 1 << 8
	StatusBTBIsolation     = 1 << 9
	StatusVMPLSSS          = 1 << 10
	StatusSecureTSC        = 1 << 11
	StatusVMGEXITParameter = 1 << 12
	StatusIBSVirt          = 1 << 14
	StatusVMSARegProt      = 1 << 16
	StatusSMTProt          = 1 << 17
	StatusSecureAVIC       = 1 << 18
	StatusIBPBOnEntry      = 1 << 23
)

// CPUIDLeaf tells of memory encryption (APM 15.34.1; APM vol. 3, E.4.17).
const (
	CPUIDLeaf = 0x8000_001F

	CPUIDSME    = 1 << 0 // EAX
	CPUIDSEV    = 1 << 1
	CPUIDSEVES  = 1 << 3
	CPUIDSEVSNP = 1 << 4
	CPUIDSVSM   = 1 << 28 // to a guest: an SVSM runs above it

	CPUIDCBit           = 0x3F    // EBX: the number of the C-bit
	CPUIDReduction      = 6       // position of six bits: by how much physical addresses are narrower
	CPUIDCoherencySFWNo = 1 << 31 // caches stay coherent where a page changes hands, without the guest's help
)
