package snp

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

const (
	// sevInfo is the response about SEV, and the MSR's value at reset: versions 2 at most and 1 at least, and where the
	// C-bit is.
	sevInfo = ghcbMax<<abi.SEVInfoMax | ghcbMin<<abi.SEVInfoMin | cBitPosition<<abi.SEVInfoCBit | uint64(abi.CodeSEVInfo)
	ghcbMax = abi.ProtocolVersion2
	ghcbMin = abi.ProtocolVersion1

	// notRegistered is no page's address.
	notRegistered = ^uint64(0)

	noPreferred = ^uint64(abi.CodeMask) // the host has no preference (KVM, GHCB_MSR_PREF_GPA_NONE)

	// pscError is the highest bit, which Linux takes for an error of any kind (GHCB_MSR_PSC_RESP_ERROR).
	pscError = 1 << 63
)

// features is what the host says it supports (KVM, GHCB_HV_FT_SUPPORTED).
const features = abi.FeatureSNP | abi.FeatureAPCreation

// msrRequest answers a request in the GHCB MSR (KVM, sev_handle_vmgexit_msr_protocol). One that is not known leaves the
// register as it is.
func (p *Platform) msrRequest(c *x86.CPU, v *vcpu) x86.Action {
	request := v.ghcb
	code := abi.Code(request & abi.CodeMask)
	p.call(c, record.GHCB, code.String(), "")
	switch code {
	case abi.CodeSEVInfoRequest:
		v.ghcb = sevInfo
	case abi.CodeCPUIDRequest:
		leaf, register := abi.CPUIDRequested(request)
		v.ghcb = abi.CPUIDResponse(p.host.CPUID(c, leaf, 0)[register], register)
	case abi.CodePreferredRequest:
		v.ghcb = noPreferred | uint64(abi.CodePreferred)
	case abi.CodeRegisterRequest:
		v.registered = request &^ abi.CodeMask
		v.ghcb = v.registered | uint64(abi.CodeRegister)
	case abi.CodePSCRequest:
		v.ghcb = uint64(abi.CodePSC) | p.msrPageStateChange(c, request)
	case abi.CodeFeaturesRequest:
		v.ghcb = features<<abi.FeaturesPosition | uint64(abi.CodeFeatures)
	case abi.CodeAPResetHold:
		if err := p.hold(c); err != nil {
			c.Stop(err)
			return x86.Raised
		}
	case abi.CodeTerminate:
		set, reason := abi.TerminateRequested(request)
		return p.terminate(c, set, reason)
	}
	return x86.Done
}

// msrPageStateChange converts one page and returns the error in the response, 0 for none.
func (p *Platform) msrPageStateChange(c *x86.CPU, request uint64) uint64 {
	start, operation := abi.PSCRequested(request)
	to, ok := pscPlane(operation)
	if !ok {
		return pscError
	}
	if next, ok := p.host.ChangePageState(c, start, start+mem.PageSize, physical.Size4K, to); !ok || next != start+mem.PageSize {
		return pscError
	}
	return 0
}
