package abi

// What a guest finds in its private memory before its first instruction.

// The confidential computing blob, by which firmware tells the operating system where the other two are (EDK2,
// ConfidentialComputingSevSnpBlob.h; Linux, struct cc_blob_sev_info). Its address is a configuration table.
const (
	CCBlobMagic      = 0x4544_4D41 // u32 at 0: "AMDE"
	CCBlobVersion    = 4           // u16: CCBlobVersion1
	CCBlobSecrets    = 8           // u64: guest-physical address
	CCBlobSecretsLen = 16          // u32
	CCBlobCPUID      = 24          // u64: guest-physical address
	CCBlobCPUIDLen   = 32          // u32
	CCBlobSize       = 40

	CCBlobVersion1 = 1
)

// The secrets page (firmware ABI, table "Secrets Page Format"; Linux, struct snp_secrets_page).
const (
	SecretsVersion         = 0    // u32
	SecretsFMS             = 8    // u32: family, model, stepping
	SecretsVMPCK           = 0x20 // four keys for messages to the secure processor, one for each VMPL
	SecretsVMPCKSize       = 32
	SecretsOSArea          = 0xA0 // 96 bytes
	SecretsVMSATweakBitmap = 0x100
	SecretsSVSMBase        = 0x140 // u64
	SecretsSVSMSize        = 0x148 // u64: 0 is no SVSM
	SecretsSVSMCallingArea = 0x150 // u64
	SecretsSVSMMaxVersion  = 0x158 // u32
	SecretsSVSMGuestVMPL   = 0x15C // u8
	SecretsTSCFactor       = 0x160 // u32

	SecretsVersion4 = 4
)

// The CPUID page (firmware ABI, table "CPUID Page"; Linux, struct snp_cpuid_table): a count, and entries.
const (
	CPUIDPageCount     = 0 // u32
	CPUIDPageEntries   = 16
	CPUIDPageEntrySize = 48
	CPUIDPageMax       = 64

	CPUIDEntryEAXIn  = 0  // u32
	CPUIDEntryECXIn  = 4  // u32
	CPUIDEntryXCR0In = 8  // u64
	CPUIDEntryXSSIn  = 16 // u64
	CPUIDEntryEAX    = 24 // u32, and 4 further on EBX, ECX, EDX
)
