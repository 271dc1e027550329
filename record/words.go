package record

import (
	"fmt"
	"strconv"
)

// Agent is who accepts memory.
type Agent uint8

const (
	// Running stands for what executes guest instructions at that moment: the firmware before the phase
	// StubEntry, the EFI application until KernelEntry, the kernel from then on.
	Running Agent = iota
	// Firmware is the UEFI firmware, also when it works on behalf of an application that called it.
	Firmware
	// Stub is the EFI application that the firmware started: the kernel's EFI stub, up to the kernel's first
	// instruction.
	Stub
	// Kernel is the operating system, and all that runs under it.
	Kernel

	agents
)

var agentNames = [agents]string{Running: "running", Firmware: "firmware", Stub: "stub", Kernel: "kernel"}

// Phase is a moment that a boot passes through at most once.
type Phase uint8

const (
	// FirmwareStart is the machine's first moment.
	FirmwareStart Phase = iota
	// StubEntry is the first instruction of the EFI application.
	StubEntry
	// ExitBootServices is the call that succeeded. Tries that did not are calls with another status.
	ExitBootServices
	// KernelEntry is the first instruction of the operating system after its EFI stub.
	KernelEntry
	// Init is the first instruction at privilege level 3.
	Init
	// Report is the guest's init reading /proc/meminfo.
	Report
	// End is the machine's last moment.
	End

	phases
)

var phaseNames = [phases]string{
	FirmwareStart:    "firmware-start",
	StubEntry:        "stub-entry",
	ExitBootServices: "exit-boot-services",
	KernelEntry:      "kernel-entry",
	Init:             "init",
	Report:           "report",
	End:              "end",
}

// Interface is a boundary that calls cross and at which they are counted.
type Interface uint8

const (
	// UEFI: boot services, runtime services and protocols that the firmware serves. Names are the specification's
	// ("GetMemoryMap", "LoadFile2.LoadFile"), statuses too ("EFI_BUFFER_TOO_SMALL"), EFI_SUCCESS included.
	UEFI Interface = iota
	// TDCALL: leaves of the TDX module. Names without the prefix TDG ("MEM.PAGE.ACCEPT"), statuses as the module's
	// tables have them ("TDX_SUCCESS", "TDX_PAGE_SIZE_MISMATCH").
	TDCALL
	// TDVMCALL: sub-functions of TDG.VP.VMCALL ("MapGPA"), statuses of the GHCI specification ("RETRY").
	TDVMCALL
	// HostExit: what left the guest for the host, by reason ("EPT_VIOLATION"); no status.
	HostExit
	// VE: virtualization exceptions injected, by reason ("CPUID"); no status.
	VE
	// VC: communication exceptions delivered, by exit code ("IOIO"); no status.
	VC
	// RMP: instructions by which an SEV-SNP guest works on the RMP ("PVALIDATE"), with their results ("SUCCESS").
	RMP
	// GHCB: what a guest asks of its host by the GHCB protocol, by page ("SNP Page State Change") or by MSR ("MSR:
	// CPUID"), with the status that the host returns.
	GHCB

	interfaces
)

var interfaceNames = [interfaces]string{
	UEFI: "uefi", TDCALL: "tdcall", TDVMCALL: "tdvmcall", HostExit: "host_exit", VE: "ve", VC: "vc", RMP: "rmp", GHCB: "ghcb",
}

func (a Agent) String() string     { return word(agentNames[:], a) }
func (p Phase) String() string     { return word(phaseNames[:], p) }
func (i Interface) String() string { return word(interfaceNames[:], i) }

// In JSON each of them is its word, and a word is read back.

func (a Agent) MarshalText() ([]byte, error)     { return []byte(a.String()), nil }
func (p Phase) MarshalText() ([]byte, error)     { return []byte(p.String()), nil }
func (i Interface) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

func (a *Agent) UnmarshalText(text []byte) error     { return unword(agentNames[:], text, a) }
func (p *Phase) UnmarshalText(text []byte) error     { return unword(phaseNames[:], text, p) }
func (i *Interface) UnmarshalText(text []byte) error { return unword(interfaceNames[:], text, i) }

func word[T ~uint8](names []string, v T) string {
	if int(v) < len(names) {
		return names[v]
	}
	return fmt.Sprintf("unknown(%d)", uint8(v))
}

func unword[T ~uint8](names []string, text []byte, v *T) error {
	for i, name := range names {
		if name == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("record: %q is none of %q", text, names)
}

// Address is a guest address. In JSON it is a string in hexadecimal, because JSON numbers do not hold 64 bits
// everywhere.
type Address uint64

func (a Address) String() string { return "0x" + strconv.FormatUint(uint64(a), 16) }

// MarshalText writes the address as 0x and hexadecimal digits.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText reads what MarshalText writes.
func (a *Address) UnmarshalText(text []byte) error {
	v, err := strconv.ParseUint(string(text), 0, 64)
	if err != nil {
		return fmt.Errorf("record: address %q: %w", text, err)
	}
	*a = Address(v)
	return nil
}
