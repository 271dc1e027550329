package abi

// A Code is the low 12 bits of the GHCB MSR (GHCB, "GHCB MSR Protocol"): a request that VMGEXIT passes to the host, or its
// response. Where they are zero the rest is a GHCB's address.
type Code uint64

// Requests and responses.
const (
	CodeSEVInfo          Code = 0x001 // see SEVInfoMax; what the register holds at reset
	CodeSEVInfoRequest   Code = 0x002
	CodeCPUIDRequest     Code = 0x004 // see CPUIDRequest
	CodeCPUID            Code = 0x005 // bits 63:32 are the register
	CodeAPResetHold      Code = 0x006
	CodeAPResetHoldDone  Code = 0x007
	CodePreferredRequest Code = 0x010
	CodePreferred        Code = 0x011 // bits 63:12: an address; all ones where the host has no preference
	CodeRegisterRequest  Code = 0x012 // bits 63:12: the address of a GHCB
	CodeRegister         Code = 0x013 // bits 63:12: the same, unless the host refuses
	CodePSCRequest       Code = 0x014 // see PSCRequest
	CodePSC              Code = 0x015 // bits 63:32 are an error, or 0
	CodeRunVMPLRequest   Code = 0x016
	CodeRunVMPL          Code = 0x017
	CodeFeaturesRequest  Code = 0x080
	CodeFeatures         Code = 0x081 // from bit 12 on: see FeatureSNP
	CodeTerminate        Code = 0x100 // see TerminateRequest

	CodeMask = 0xFFF
)

// Parts of requests and responses.
const (
	GFNMask = 1<<52 - 4096 // a page's address in a page state change, in its place: bits 51:12

	SEVInfoMax  = 48 // CodeSEVInfo: position of the latest version of the protocol that the host knows, 16 bits
	SEVInfoMin  = 32 // of the earliest, 16 bits
	SEVInfoCBit = 24 // of the number of the C-bit, 8 bits

	FeaturesPosition = 12 // CodeFeatures

	pscOperation    = 52 // CodePSCRequest, four bits
	cpuidLeaf       = 32 // CodeCPUIDRequest
	cpuidRegister   = 30
	terminateSet    = 12 // CodeTerminate, four bits
	terminateReason = 16 // eight bits
	responseError   = 32
)

// CPUIDRequest asks for one register of a leaf: 0 EAX, 1 EBX, 2 ECX, 3 EDX.
func CPUIDRequest(leaf uint32, register int) uint64 {
	return uint64(leaf)<<cpuidLeaf | uint64(register&3)<<cpuidRegister | uint64(CodeCPUIDRequest)
}

// CPUIDRequested takes such a request apart.
func CPUIDRequested(v uint64) (leaf uint32, register int) {
	return uint32(v >> cpuidLeaf), int(v >> cpuidRegister & 3)
}

// CPUIDResponse answers it.
func CPUIDResponse(value uint32, register int) uint64 {
	return uint64(value)<<cpuidLeaf | uint64(register&3)<<cpuidRegister | uint64(CodeCPUID)
}

// PSCRequest asks for a 4 KiB page to become private or shared.
func PSCRequest(gpa uint64, op PSCOperation) uint64 {
	return gpa&GFNMask | uint64(op)<<pscOperation | uint64(CodePSCRequest)
}

// PSCRequested takes such a request apart.
func PSCRequested(v uint64) (gpa uint64, op PSCOperation) {
	return v & GFNMask, PSCOperation(v >> pscOperation & 0xF)
}

// ResponseError is the error in a response to CodePSCRequest.
func ResponseError(v uint64) uint64 { return v >> responseError }

// TerminateRequest asks for the guest's end.
func TerminateRequest(set, reason uint8) uint64 {
	return uint64(set&0xF)<<terminateSet | uint64(reason)<<terminateReason | uint64(CodeTerminate)
}

// TerminateRequested takes such a request apart.
func TerminateRequested(v uint64) (set, reason uint8) {
	return uint8(v >> terminateSet & 0xF), uint8(v >> terminateReason)
}

// String returns a request's name, "MSR: undefined" where there is none. The names do not collide with those of exit
// codes.
func (c Code) String() string {
	switch c {
	case CodeSEVInfoRequest:
		return "MSR: SEV Information"
	case CodeCPUIDRequest:
		return "MSR: CPUID"
	case CodeAPResetHold:
		return "MSR: AP Reset Hold"
	case CodePreferredRequest:
		return "MSR: Preferred GHCB GPA"
	case CodeRegisterRequest:
		return "MSR: Register GHCB GPA"
	case CodePSCRequest:
		return "MSR: SNP Page State Change"
	case CodeRunVMPLRequest:
		return "MSR: SNP Run VMPL"
	case CodeFeaturesRequest:
		return "MSR: Hypervisor Feature Support"
	case CodeTerminate:
		return "MSR: Termination"
	}
	return "MSR: undefined"
}
