package uop

// An InstructionKind names an instruction that a platform can intercept.
type InstructionKind uint8

// Instructions that a platform can intercept. In 64-bit mode.
const (
	InsnIO       InstructionKind = iota // IN, OUT, INS, OUTS
	InsnHLT                             // HLT
	InsnCPUID                           // CPUID
	InsnRDMSR                           // RDMSR
	InsnWRMSR                           // WRMSR
	InsnINVD                            // INVD
	InsnWBINVD                          // WBINVD, WBNOINVD
	InsnMONITOR                         // MONITOR
	InsnMWAIT                           // MWAIT
	InsnVMCALL                          // VMCALL (Intel's hypercall)
	InsnVMMCALL                         // VMMCALL (AMD's hypercall)
	InsnTDCALL                          // TDCALL
	InsnSEAMCALL                        // SEAMCALL and other VMX instructions
	InsnPVALIDATE
	InsnRMPADJUST
	InsnVMGEXIT
	InsnRDTSC
	InsnRDTSCP
	InsnRDPMC
	InsnDR // MOV to or from a debug register
	InsnXSETBV
	InsnPCONFIG
	insnKinds
)

// An InstructionSet is a set of instruction kinds.
type InstructionSet uint32

// Instructions returns the set of the given kinds.
func Instructions(kinds ...InstructionKind) InstructionSet {
	var s InstructionSet
	for _, k := range kinds {
		s |= 1 << k
	}
	return s
}

// Has says whether k is in the set.
func (s InstructionSet) Has(k InstructionKind) bool { return s>>k&1 != 0 }
