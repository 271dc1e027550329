package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/mem"
	"github.com/tacit-vm/tacit/x86"
)

// Events that are no exit codes of the processor (GHCB, table 6).
const (
	eventMMIORead         = 0x8000_0001
	eventMMIOWrite        = 0x8000_0002
	eventNMIComplete      = 0x8000_0003
	eventAPResetHold      = 0x8000_0004
	eventAPJumpTable      = 0x8000_0005
	eventPSC              = 0x8000_0010
	eventGuestRequest     = 0x8000_0011
	eventExtendedRequest  = 0x8000_0012
	eventAPCreation       = 0x8000_0013
	eventFeatures         = 0x8000_FFFD
	eventTerminate        = 0x8000_FFFE
	eventUnsupportedEvent = 0x8000_FFFF
)

// An event is what a guest can ask for in the GHCB.
type event struct {
	name  string
	needs []int // fields that have to be valid (KVM, sev_es_validate_vmgexit); which others do, serve says
	serve func(*Platform, *x86.CPU, *request) (reply, error)
}

// events is filled in by init: its functions lead to it.
var events map[uint64]event

func init() {
	events = map[uint64]event{
		exitDR7Read:           {"DR7_READ", nil, readDR7},
		exitDR7Write:          {"DR7_WRITE", []int{offRAX}, writeDR7},
		exitRDTSC:             {"RDTSC", nil, readTSC},
		exitRDTSCP:            {"RDTSCP", nil, readTSC},
		exitRDPMC:             {"RDPMC", []int{offRCX}, readPMC},
		exitCPUID:             {"CPUID", []int{offRAX, offRCX}, cpuid},
		exitINVD:              {"INVD", nil, nothing},
		exitIOIO:              {"IOIO", nil, portIO},
		exitMSR:               {"MSR", []int{offRCX}, accessMSR},
		exitVMMCALL:           {"VMMCALL", []int{offRAX, offCPL}, hypercall},
		exitWBINVD:            {"WBINVD", nil, nothing},
		exitMONITOR:           {"MONITOR", []int{offRAX, offRCX, offRDX}, nothing},
		exitMWAIT:             {"MWAIT", []int{offRAX, offRCX}, nothing}, // KVM: as NOP
		eventMMIORead:         {"MMIO Read", []int{offScratch}, readMMIO},
		eventMMIOWrite:        {"MMIO Write", []int{offScratch}, writeMMIO},
		eventNMIComplete:      {"NMI Complete", nil, nothing},
		eventAPResetHold:      {"AP Reset Hold", nil, holdAP},
		eventAPJumpTable:      {"AP Jump Table", nil, jumpTable},
		eventPSC:              {"SNP Page State Change", []int{offScratch}, pageStateChange},
		eventGuestRequest:     {"SNP Guest Request", nil, guestRequest},
		eventExtendedRequest:  {"SNP Extended Guest Request", nil, guestRequest},
		eventAPCreation:       {"SNP AP Creation", nil, createAP},
		eventFeatures:         {"Hypervisor Feature Support", nil, hypervisorFeatures},
		eventTerminate:        {"Termination Request", nil, requestTermination},
		eventUnsupportedEvent: {"Unsupported Non-Automatic Exit", nil, unsupportedEvent},
	}
}

func nothing(*Platform, *x86.CPU, *request) (reply, error) { return success(0), nil }

// readDR7 and writeDR7 keep what the guest says is in DR7; nothing breaks there.
func readDR7(p *Platform, c *x86.CPU, q *request) (reply, error) {
	q.rax = p.vcpuOf(c).dr7
	return success(0), nil
}

func writeDR7(p *Platform, c *x86.CPU, q *request) (reply, error) {
	if q.rax>>32 != 0 {
		return generalProtection(), nil
	}
	p.vcpuOf(c).dr7 = q.rax | dr7Reset
	return success(0), nil
}

func readTSC(_ *Platform, c *x86.CPU, q *request) (reply, error) {
	tsc, _ := c.MSR(x86.MSRTSC)
	q.rax, q.rdx = tsc&0xFFFF_FFFF, tsc>>32
	if q.code == exitRDTSCP {
		q.rcx, _ = c.MSR(x86.MSRTSCAux)
	}
	return success(0), nil
}

// readPMC: there are no performance counters.
func readPMC(*Platform, *x86.CPU, *request) (reply, error) { return generalProtection(), nil }

func cpuid(p *Platform, c *x86.CPU, q *request) (reply, error) {
	leaf, subleaf := uint32(q.rax), uint32(q.rcx)
	if leaf == 0xD && !q.has(offXCR0) {
		return malformed(errMissingInput), nil
	}
	v := p.host.CPUID(c, leaf, subleaf)
	q.rax, q.rbx, q.rcx, q.rdx = uint64(v[0]), uint64(v[1]), uint64(v[2]), uint64(v[3])
	return success(0), nil
}

func accessMSR(p *Platform, c *x86.CPU, q *request) (reply, error) {
	index := uint32(q.rcx)
	if q.info1 == 0 {
		v, ok := p.host.ReadMSR(c, index)
		if !ok {
			return generalProtection(), nil
		}
		q.rax, q.rdx = v&0xFFFF_FFFF, v>>32
		return success(0), nil
	}
	if !q.has(offRAX, offRDX) {
		return malformed(errMissingInput), nil
	}
	if !p.host.WriteMSR(c, index, q.rax&0xFFFF_FFFF|q.rdx<<32) {
		return generalProtection(), nil
	}
	return success(0), nil
}

// hypercall is VMMCALL. KVM takes none from user programs (-KVM_EPERM).
func hypercall(p *Platform, c *x86.CPU, q *request) (reply, error) {
	const eperm = ^uint64(0)
	if q.page[offCPL] != 0 {
		q.rax = eperm
		return success(0), nil
	}
	q.rax = p.host.Hypercall(c, q.rax, [4]uint64{q.rbx, q.rcx, q.rdx, q.rsi})
	return success(0), nil
}

func jumpTable(p *Platform, _ *x86.CPU, q *request) (reply, error) {
	switch q.info1 {
	case 0:
		p.jumpTable = q.info2
		return success(0), nil
	case 1:
		return success(p.jumpTable), nil
	}
	return malformed(errInvalidInput), nil
}

// guestRequest is a message to the secure processor, of which there is none: its answer is SEV_RET_UNSUPPORTED (Linux,
// include/uapi/linux/psp-sev.h). Linux's sev-guest driver returns EIO for it, tells the code, and asks no more.
func guestRequest(_ *Platform, _ *x86.CPU, q *request) (reply, error) {
	const unsupported = 21
	if (q.info1|q.info2)%mem.PageSize != 0 || q.info1 == q.info2 {
		return malformed(errMissingInput), nil
	}
	return success(unsupported), nil
}

func hypervisorFeatures(*Platform, *x86.CPU, *request) (reply, error) {
	return success(features), nil
}

// createAP would start another processor with the VMSA at SW_EXITINFO2.
func createAP(p *Platform, c *x86.CPU, q *request) (reply, error) {
	if q.info1>>32 >= uint64(p.cfg.CPUs) {
		return malformed(errInvalidInput), nil
	}
	return reply{}, &x86.UnsupportedError{RIP: c.RIP(), What: "starting another processor (SNP AP Creation)"}
}

func holdAP(_ *Platform, c *x86.CPU, _ *request) (reply, error) {
	return reply{}, &x86.UnsupportedError{RIP: c.RIP(), What: "a processor that waits to be started (AP Reset Hold)"}
}

func requestTermination(p *Platform, c *x86.CPU, q *request) (reply, error) {
	p.terminate(c, uint8(q.info1&0xF), uint8(q.info1>>4))
	return success(0), nil
}

func unsupportedEvent(_ *Platform, c *x86.CPU, q *request) (reply, error) {
	why := fmt.Sprintf("the guest says that it cannot handle #VC with %s", exitName(q.info1))
	return reply{}, &GHCBError{q.gpa, c.RIP(), why}
}
