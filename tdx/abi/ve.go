package abi

// VectorVE is the exception #VE.
const VectorVE = 20

// An ExitReason is a basic exit reason, why an instruction or an access raised #VE (SDM vol. 3, appendix C).
type ExitReason uint32

// Exit reasons that become #VE in a TD.
const (
	ReasonCPUID        ExitReason = 10
	ReasonHLT          ExitReason = 12
	ReasonINVD         ExitReason = 13
	ReasonVMCALL       ExitReason = 18
	ReasonCR           ExitReason = 28
	ReasonIO           ExitReason = 30 // qualification: IOPort and so on
	ReasonRDMSR        ExitReason = 31
	ReasonWRMSR        ExitReason = 32
	ReasonMWAIT        ExitReason = 36
	ReasonMONITOR      ExitReason = 39
	ReasonEPTViolation ExitReason = 48 // qualification: EPTRead and so on
	ReasonWBINVD       ExitReason = 54
	ReasonPCONFIG      ExitReason = 65
)

var reasonNames = [...]struct {
	reason ExitReason
	name   string
}{
	{ReasonCPUID, "CPUID"},
	{ReasonHLT, "HLT"},
	{ReasonINVD, "INVD"},
	{ReasonVMCALL, "VMCALL"},
	{ReasonCR, "CR_ACCESS"},
	{ReasonIO, "IO_INSTRUCTION"},
	{ReasonRDMSR, "MSR_READ"},
	{ReasonWRMSR, "MSR_WRITE"},
	{ReasonMWAIT, "MWAIT"},
	{ReasonMONITOR, "MONITOR"},
	{ReasonEPTViolation, "EPT_VIOLATION"},
	{ReasonWBINVD, "WBINVD"},
	{ReasonPCONFIG, "PCONFIG"},
}

// String returns the reason's name in the SDM, or its number.
func (r ExitReason) String() string {
	for i := range reasonNames {
		if n := &reasonNames[i]; n.reason == r {
			return n.name
		}
	}
	return hex(uint64(r), 1)
}

// Exit qualification for I/O instructions (SDM vol. 3, table 28-5).
const (
	IOSize   = 7 // bytes less one
	IOIn     = 1 << 3
	IOString = 1 << 4
	IORep    = 1 << 5
	IOImm    = 1 << 6
	IOPort   = 16 // position of the port
)

// Exit qualification for EPT violations (SDM vol. 3, table 28-7).
const (
	EPTRead     = 1 << 0
	EPTWrite    = 1 << 1
	EPTFetch    = 1 << 2
	EPTGLAValid = 1 << 7
	EPTGLA      = 1 << 8 // the access was to the translation of the linear address, not to a paging structure
)

// A VEInfo is what TDG.VP.VEINFO.GET tells of the last #VE (ABI, VE_INFO).
type VEInfo struct {
	Reason            ExitReason
	Qualification     uint64
	GLA               uint64 // guest linear address, of an EPT violation
	GPA               uint64 // guest-physical address, with its shared bit
	InstructionLength uint32 // in bytes; not for an EPT violation
	InstructionInfo   uint32
}

// VEInfoOf takes the registers apart that TDG.VP.VEINFO.GET returns.
func VEInfoOf(rcx, rdx, r8, r9, r10 uint64) VEInfo {
	return VEInfo{
		Reason: ExitReason(rcx), Qualification: rdx, GLA: r8, GPA: r9,
		InstructionLength: uint32(r10), InstructionInfo: uint32(r10 >> 32),
	}
}

// Registers returns v as TDG.VP.VEINFO.GET does.
func (v VEInfo) Registers() (rcx, rdx, r8, r9, r10 uint64) {
	return uint64(v.Reason), v.Qualification, v.GLA, v.GPA, uint64(v.InstructionLength) | uint64(v.InstructionInfo)<<32
}
