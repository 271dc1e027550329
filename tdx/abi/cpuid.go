package abi

// CPUIDLeaf is the leaf whose subleaf 0 holds "IntelTDX    " in a TD, in EBX, EDX, ECX (module, td_cpuid.c). Linux looks
// at it without asking for the vendor or the last leaf first: a processor with fewer leaves answers with its last one.
const (
	CPUIDLeaf = 0x21

	SignatureEBX = 0x6574_6E49 // "Inte"
	SignatureEDX = 0x5844_546C // "lTDX"
	SignatureECX = 0x2020_2020 // "    "
)

// IsTD says whether EBX, ECX and EDX of CPUIDLeaf are those of a TD.
func IsTD(ebx, ecx, edx uint32) bool {
	return ebx == SignatureEBX && ecx == SignatureECX && edx == SignatureEDX
}
