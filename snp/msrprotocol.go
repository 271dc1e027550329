package snp

import (
	"github.com/tacit-vm/tacit/mem"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// The GHCB MSR protocol: requests and responses for a guest that has no GHCB yet (GHCB, "GHCB MSR Protocol"). The low
// 12 bits say which; where they are zero the rest is a GHCB's address.
const (
	msrInfo = 0xFFF

	msrSEVInfo          = 0x001
	msrSEVInfoRequest   = 0x002
	msrCPUIDRequest     = 0x004
	msrCPUID            = 0x005
	msrAPResetHold      = 0x006
	msrPreferredRequest = 0x010
	msrPreferred        = 0x011
	msrRegisterRequest  = 0x012
	msrRegister         = 0x013
	msrPSCRequest       = 0x014
	msrPSC              = 0x015
	msrFeaturesRequest  = 0x080
	msrFeatures         = 0x081
	msrTerminate        = 0x100
)

var msrRequestNames = map[uint64]string{
	msrSEVInfoRequest:   "MSR: SEV Information",
	msrCPUIDRequest:     "MSR: CPUID",
	msrAPResetHold:      "MSR: AP Reset Hold",
	msrPreferredRequest: "MSR: Preferred GHCB GPA",
	msrRegisterRequest:  "MSR: Register GHCB GPA",
	msrPSCRequest:       "MSR: SNP Page State Change",
	0x016:               "MSR: SNP Run VMPL",
	msrFeaturesRequest:  "MSR: Hypervisor Feature Support",
	msrTerminate:        "MSR: Termination",
}

const (
	// sevInfo is the response about SEV, and the MSR's value at reset: versions 2 at most and 1 at least, and where the
	// C-bit is.
	sevInfo = ghcbMax<<48 | ghcbMin<<32 | cBitPosition<<24 | msrSEVInfo
	ghcbMax = 2
	ghcbMin = 1

	// notRegistered is no page's address.
	notRegistered = ^uint64(0)

	gfnMask    = 1<<52 - mem.PageSize // a frame number in its place, bits 51:12
	noPrefered = gfnMask              // the host has no preference

	// pscError is the highest bit, which Linux takes for an error of any kind (GHCB_MSR_PSC_RESP_ERROR).
	pscError = 1 << 63
)

// features is what the host says it supports (GHCB, "Hypervisor Feature Support"): SEV-SNP. AP Creation, bit 1, is not
// there: machines have one processor.
const features = 1 << 0

// msrRequest answers a request in the GHCB MSR (KVM, sev_handle_vmgexit_msr_protocol). One that is not known leaves the
// register as it is.
func (p *Platform) msrRequest(c *x86.CPU, v *vcpu) x86.Action {
	name := msrRequestNames[v.ghcb&msrInfo]
	if name == "" {
		name = "MSR: undefined"
	}
	p.call(c, record.GHCB, name, "")
	request := v.ghcb
	switch request & msrInfo {
	case msrSEVInfoRequest:
		v.ghcb = sevInfo
	case msrCPUIDRequest:
		register := request >> 30 & 3
		v.ghcb = uint64(p.host.CPUID(c, uint32(request>>32), 0)[register])<<32 | register<<30 | msrCPUID
	case msrPreferredRequest:
		v.ghcb = noPrefered | msrPreferred
	case msrRegisterRequest:
		v.registered = request & gfnMask
		v.ghcb = v.registered | msrRegister
	case msrPSCRequest:
		v.ghcb = msrPSC | p.msrPageStateChange(c, request)
	case msrFeaturesRequest:
		v.ghcb = features<<12 | msrFeatures
	case msrAPResetHold:
		c.Stop(&x86.UnsupportedError{RIP: c.RIP(), What: "a processor that waits to be started (AP Reset Hold)"})
		return x86.Raised
	case msrTerminate:
		return p.terminate(c, uint8(request>>12&0xF), uint8(request>>16))
	}
	return x86.Done
}

// msrPageStateChange converts one page and returns the error in the response, 0 for none.
func (p *Platform) msrPageStateChange(c *x86.CPU, request uint64) uint64 {
	to, ok := pscPlane(request >> 52 & 0xF)
	if !ok {
		return pscError
	}
	start := request & gfnMask
	if next, ok := p.host.ChangePageState(c, start, start+mem.PageSize, record.Size4K, to); !ok || next != start+mem.PageSize {
		return pscError
	}
	return 0
}
