package abi

// VectorVC is the exception #VC.
const VectorVC = 29

// An ExitCode is why a guest exits: the error code of #VC, and SW_EXITCODE in the GHCB, where there are events that are
// no exit codes of the processor.
type ExitCode uint64

// Exit codes (APM appendix C).
const (
	ExitDR7Read          ExitCode = 0x27
	ExitDR7Write         ExitCode = 0x37 // RAX
	ExitRDTSC            ExitCode = 0x6E // RAX, RDX are returned
	ExitRDPMC            ExitCode = 0x6F // RCX; RAX, RDX are returned
	ExitCPUID            ExitCode = 0x72 // RAX, RCX, and XCR0 for leaf 0xD; RAX, RBX, RCX, RDX are returned
	ExitINVD             ExitCode = 0x76
	ExitHLT              ExitCode = 0x78
	ExitIOIO             ExitCode = 0x7B // SW_EXITINFO1: see IOIn; RAX
	ExitMSR              ExitCode = 0x7C // SW_EXITINFO1: see MSRRead; RCX, RAX, RDX; RAX, RDX are returned
	ExitVMMCALL          ExitCode = 0x81 // RAX, CPL
	ExitRDTSCP           ExitCode = 0x87 // RAX, RCX, RDX are returned
	ExitWBINVD           ExitCode = 0x89
	ExitMONITOR          ExitCode = 0x8A
	ExitMWAIT            ExitCode = 0x8B
	ExitEFERWriteTrap    ExitCode = 0x8F
	ExitCR0WriteTrap     ExitCode = 0x90
	ExitCR4WriteTrap     ExitCode = 0x94
	ExitNPF              ExitCode = 0x400 // nested page fault: MMIO, where the guest gets to know of it
	ExitVMGEXIT          ExitCode = 0x403
	ExitPageNotValidated ExitCode = 0x404
)

// Events (GHCB, table 6).
const (
	EventMMIORead         ExitCode = 0x8000_0001 // SW_EXITINFO1 address, SW_EXITINFO2 bytes, SW_SCRATCH where to
	EventMMIOWrite        ExitCode = 0x8000_0002 // the same, and where from
	EventNMIComplete      ExitCode = 0x8000_0003
	EventAPResetHold      ExitCode = 0x8000_0004
	EventAPJumpTable      ExitCode = 0x8000_0005
	EventPSC              ExitCode = 0x8000_0010 // SW_SCRATCH: see PSCHeader
	EventGuestRequest     ExitCode = 0x8000_0011
	EventExtendedRequest  ExitCode = 0x8000_0012
	EventAPCreation       ExitCode = 0x8000_0013 // see APCreateOnInit
	EventFeatures         ExitCode = 0x8000_FFFD // SW_EXITINFO2 is returned: see FeatureSNP
	EventTerminate        ExitCode = 0x8000_FFFE // SW_EXITINFO1: see TerminateEvent
	EventUnsupportedEvent ExitCode = 0x8000_FFFF // SW_EXITINFO1 is the error code of #VC
)

// MSRRead and MSRWrite are SW_EXITINFO1 of ExitMSR.
const (
	MSRRead  = 0
	MSRWrite = 1
)

// SW_EXITINFO1 of EventAPCreation: what to do, the VMPL in bits 31:16, the APIC ID in bits 63:32. RAX is SEV_FEATURES as
// in the VMSA, whose address is SW_EXITINFO2.
const (
	APCreateOnInit = 0
	APCreate       = 1
	APDestroy      = 2
	APVMPL         = 16 // position
	APID           = 32 // position
)

var exitNames = [...]struct {
	code ExitCode
	name string
}{
	{ExitDR7Read, "DR7_READ"},
	{ExitDR7Write, "DR7_WRITE"},
	{ExitRDTSC, "RDTSC"},
	{ExitRDPMC, "RDPMC"},
	{ExitCPUID, "CPUID"},
	{ExitINVD, "INVD"},
	{ExitHLT, "HLT"},
	{ExitIOIO, "IOIO"},
	{ExitMSR, "MSR"},
	{ExitVMMCALL, "VMMCALL"},
	{ExitRDTSCP, "RDTSCP"},
	{ExitWBINVD, "WBINVD"},
	{ExitMONITOR, "MONITOR"},
	{ExitMWAIT, "MWAIT"},
	{ExitEFERWriteTrap, "EFER_WRITE_TRAP"},
	{ExitCR0WriteTrap, "CR0_WRITE_TRAP"},
	{ExitCR4WriteTrap, "CR4_WRITE_TRAP"},
	{ExitNPF, "NPF"},
	{ExitVMGEXIT, "VMGEXIT"},
	{ExitPageNotValidated, "PAGE_NOT_VALIDATED"},
	{EventMMIORead, "MMIO Read"},
	{EventMMIOWrite, "MMIO Write"},
	{EventNMIComplete, "NMI Complete"},
	{EventAPResetHold, "AP Reset Hold"},
	{EventAPJumpTable, "AP Jump Table"},
	{EventPSC, "SNP Page State Change"},
	{EventGuestRequest, "SNP Guest Request"},
	{EventExtendedRequest, "SNP Extended Guest Request"},
	{EventAPCreation, "SNP AP Creation"},
	{EventFeatures, "Hypervisor Feature Support"},
	{EventTerminate, "Termination Request"},
	{EventUnsupportedEvent, "Unsupported Non-Automatic Exit"},
}

// String returns the exit's name without VMEXIT_, that of an event, or the number.
func (e ExitCode) String() string {
	for i := range exitNames {
		if n := &exitNames[i]; n.code == e {
			return n.name
		}
	}
	return hex(uint64(e))
}
