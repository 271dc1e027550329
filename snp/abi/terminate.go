package abi

// Sets of reasons for termination.
const (
	TerminateGHCB  = 0 // the GHCB specification's own
	TerminateLinux = 1 // Linux's
)

// Reasons (GHCB, "Termination Request"; Linux, arch/x86/include/asm/sev-common.h).
const (
	TerminateGeneral     = 0 // set TerminateGHCB
	TerminateProtocol    = 1
	TerminateUnsupported = 2

	TerminateRegister  = 0 // set TerminateLinux
	TerminatePSC       = 1
	TerminatePVALIDATE = 2
	TerminateNotVMPL0  = 3
	TerminateCPUID     = 4
	TerminateCPUIDHV   = 5
	TerminateSecrets   = 6
)

var terminationReasons = [2][]string{
	{"general", "GHCB protocol error", "SEV-SNP features not supported"},
	{
		"GHCB registration failed", "page state change failed", "PVALIDATE failed", "not at VMPL0",
		"CPUID validation failed", "CPUID from the hypervisor failed", "secrets page", "no SVSM", "SVSM at VMPL0",
		"SVSM calling area", "Secure TSC", "remapping the SVSM calling area", "Secure AVIC",
	},
}

// TerminationReason returns what a reason means, "" where that is not known.
func TerminationReason(set, reason uint8) string {
	if int(set) < len(terminationReasons) && int(reason) < len(terminationReasons[set]) {
		return terminationReasons[set][reason]
	}
	return ""
}

// TerminateEvent takes SW_EXITINFO1 of EventTerminate apart.
func TerminateEvent(info1 uint64) (set, reason uint8) { return uint8(info1 & 0xF), uint8(info1 >> 4) }
