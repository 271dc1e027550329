package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// An event is what a guest can ask for in the GHCB.
type event struct {
	needs []int // fields that have to be valid (KVM, sev_es_validate_vmgexit); which others do, serve says
	serve func(*Platform, *x86.CPU, *request) (reply, error)
}

// events is filled in by init: its functions lead to it.
var events map[abi.ExitCode]event

func init() {
	events = map[abi.ExitCode]event{
		abi.ExitDR7Read:           {nil, readDR7},
		abi.ExitDR7Write:          {[]int{abi.GHCBRAX}, writeDR7},
		abi.ExitRDTSC:             {nil, readTSC},
		abi.ExitRDTSCP:            {nil, readTSC},
		abi.ExitRDPMC:             {[]int{abi.GHCBRCX}, readPMC},
		abi.ExitCPUID:             {[]int{abi.GHCBRAX, abi.GHCBRCX}, cpuid},
		abi.ExitINVD:              {nil, nothing},
		abi.ExitIOIO:              {nil, portIO},
		abi.ExitMSR:               {[]int{abi.GHCBRCX}, accessMSR},
		abi.ExitVMMCALL:           {[]int{abi.GHCBRAX, abi.GHCBCPL}, hypercall},
		abi.ExitWBINVD:            {nil, nothing},
		abi.ExitMONITOR:           {[]int{abi.GHCBRAX, abi.GHCBRCX, abi.GHCBRDX}, nothing},
		abi.ExitMWAIT:             {[]int{abi.GHCBRAX, abi.GHCBRCX}, nothing}, // KVM: as NOP
		abi.EventMMIORead:         {[]int{abi.GHCBSWScratch}, readMMIO},
		abi.EventMMIOWrite:        {[]int{abi.GHCBSWScratch}, writeMMIO},
		abi.EventNMIComplete:      {nil, completeNMI},
		abi.EventAPResetHold:      {nil, holdAP},
		abi.EventAPJumpTable:      {nil, jumpTable},
		abi.EventPSC:              {[]int{abi.GHCBSWScratch}, pageStateChange},
		abi.EventGuestRequest:     {nil, guestRequest},
		abi.EventExtendedRequest:  {nil, guestRequest},
		abi.EventAPCreation:       {nil, createAP},
		abi.EventFeatures:         {nil, hypervisorFeatures},
		abi.EventTerminate:        {nil, requestTermination},
		abi.EventUnsupportedEvent: {nil, unsupportedEvent},
	}
}

// completeNMI lets the next NMI come: KVM does not see a guest's IRET, and the guest tells it (svm/sev.c, sev_handle_vmgexit).
func completeNMI(_ *Platform, c *x86.CPU, _ *request) (reply, error) {
	c.UnblockNMI()
	return success(0), nil
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
	if q.code == abi.ExitRDTSCP {
		q.rcx, _ = c.MSR(x86.MSRTSCAux)
	}
	return success(0), nil
}

// readPMC: there are no performance counters.
func readPMC(*Platform, *x86.CPU, *request) (reply, error) { return generalProtection(), nil }

func cpuid(p *Platform, c *x86.CPU, q *request) (reply, error) {
	leaf, subleaf := uint32(q.rax), uint32(q.rcx)
	if leaf == 0xD && !q.has(abi.GHCBXCR0) {
		return malformed(abi.MissingInput), nil
	}
	v := p.host.CPUID(c, leaf, subleaf)
	q.rax, q.rbx, q.rcx, q.rdx = uint64(v[0]), uint64(v[1]), uint64(v[2]), uint64(v[3])
	return success(0), nil
}

func accessMSR(p *Platform, c *x86.CPU, q *request) (reply, error) {
	index := uint32(q.rcx)
	if q.info1 == abi.MSRRead {
		v, ok := p.host.ReadMSR(c, index)
		if !ok {
			return generalProtection(), nil
		}
		q.rax, q.rdx = v&0xFFFF_FFFF, v>>32
		return success(0), nil
	}
	if !q.has(abi.GHCBRAX, abi.GHCBRDX) {
		return malformed(abi.MissingInput), nil
	}
	if !p.host.WriteMSR(c, index, q.rax&0xFFFF_FFFF|q.rdx<<32) {
		return generalProtection(), nil
	}
	return success(0), nil
}

// hypercall is VMMCALL. KVM takes none from user programs (-KVM_EPERM).
func hypercall(p *Platform, c *x86.CPU, q *request) (reply, error) {
	const eperm = ^uint64(0)
	if q.page[abi.GHCBCPL] != 0 {
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
	return malformed(abi.InvalidInput), nil
}

func hypervisorFeatures(*Platform, *x86.CPU, *request) (reply, error) {
	return success(features), nil
}

// holdAP has a processor wait until the guest starts it anew, by AP Creation: its state is a VMSA's then, and this request never
// returns. KVM lets a start-up interrupt end it, too, which no SEV-SNP guest sends.
func holdAP(p *Platform, c *x86.CPU, _ *request) (reply, error) { return success(0), p.hold(c) }

func (p *Platform) hold(c *x86.CPU) error {
	if p.cfg.Processors == nil {
		return &x86.UnsupportedError{RIP: c.RIP(), What: "a processor that waits to be started (AP Reset Hold), where there is no other"}
	}
	p.vcpus[c.ID()].vmsa = 0 // which is in use no more
	p.cfg.Processors.Stop(c.ID())
	return nil
}

func requestTermination(p *Platform, c *x86.CPU, q *request) (reply, error) {
	set, reason := abi.TerminateEvent(q.info1)
	p.terminate(c, set, reason)
	return success(0), nil
}

func unsupportedEvent(_ *Platform, c *x86.CPU, q *request) (reply, error) {
	why := fmt.Sprintf("the guest says that it cannot handle #VC with %s", abi.ExitCode(q.info1))
	return reply{}, &GHCBError{q.gpa, c.RIP(), why}
}
