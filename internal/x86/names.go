package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Slots of CPU.R: the general-purpose registers by the numbers that instructions use, and the bases of FS and GS.
const (
	RAX    = uop.RAX
	RCX    = uop.RCX
	RDX    = uop.RDX
	RBX    = uop.RBX
	RSP    = uop.RSP
	RBP    = uop.RBP
	RSI    = uop.RSI
	RDI    = uop.RDI
	R8     = uop.R8
	R9     = uop.R9
	R10    = uop.R10
	R11    = uop.R11
	R12    = uop.R12
	R13    = uop.R13
	R14    = uop.R14
	R15    = uop.R15
	FSBase = uop.FSBase
	GSBase = uop.GSBase
)

var gprNames = [...]string{"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI", "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15"}

// RegisterName returns the name of a general-purpose register of 64 bits, by its number from 0 to 15.
func RegisterName(number int) string { return gprNames[number] }

// An InstructionKind names an instruction that a platform can intercept, an InstructionSet is a set of them.
type (
	InstructionKind = uop.InstructionKind
	InstructionSet  = uop.InstructionSet
)

// Instructions that a platform can intercept.
const (
	InsnIO        = uop.InsnIO
	InsnHLT       = uop.InsnHLT
	InsnCPUID     = uop.InsnCPUID
	InsnRDMSR     = uop.InsnRDMSR
	InsnWRMSR     = uop.InsnWRMSR
	InsnINVD      = uop.InsnINVD
	InsnWBINVD    = uop.InsnWBINVD
	InsnMONITOR   = uop.InsnMONITOR
	InsnMWAIT     = uop.InsnMWAIT
	InsnVMCALL    = uop.InsnVMCALL
	InsnVMMCALL   = uop.InsnVMMCALL
	InsnTDCALL    = uop.InsnTDCALL
	InsnSEAMCALL  = uop.InsnSEAMCALL
	InsnPVALIDATE = uop.InsnPVALIDATE
	InsnRMPADJUST = uop.InsnRMPADJUST
	InsnVMGEXIT   = uop.InsnVMGEXIT
	InsnRDTSC     = uop.InsnRDTSC
	InsnRDTSCP    = uop.InsnRDTSCP
	InsnRDPMC     = uop.InsnRDPMC
	InsnDR        = uop.InsnDR
	InsnXSETBV    = uop.InsnXSETBV
	InsnPCONFIG   = uop.InsnPCONFIG
)

// Instructions returns the set of the given kinds.
func Instructions(kinds ...InstructionKind) InstructionSet { return uop.Instructions(kinds...) }
