package snp

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// vmgexit is VMGEXIT: what the guest wants is in the GHCB MSR, or in the page whose address is there.
func (p *Platform) vmgexit(c *x86.CPU) x86.Action {
	p.exit(c, abi.ExitVMGEXIT.String())
	v := p.vcpuOf(c)
	if request := v.ghcb; request&abi.CodeMask != 0 {
		action := p.msrRequest(c, v)
		if p.replier != nil && action == x86.Done {
			v.ghcb = p.replier.ReplyMSR(c, request, v.ghcb)
		}
		return action
	}
	if err := p.ghcbRequest(c, v); err != nil {
		c.Stop(err)
		return x86.Raised
	}
	return x86.Done
}

// terminate tells the host that the guest gives up. If the host does not mind, the guest is asked again.
func (p *Platform) terminate(c *x86.CPU, set, reason uint8) x86.Action {
	p.host.GiveUp(c, &Termination{Set: set, Reason: reason, RIP: c.RIP(), After: p.Unvalidated(c)})
	return x86.Again
}

// ghcbRequest serves a request in the GHCB (KVM, sev_handle_vmgexit). A GHCB that there cannot be is as if nothing had
// been asked.
func (p *Platform) ghcbRequest(c *x86.CPU, v *vcpu) error {
	gpa := v.ghcb
	if gpa == 0 || !p.isRAM(gpa, abi.GHCBSize) {
		p.call(c, record.GHCB, "no GHCB", "")
		return nil
	}
	switch {
	case gpa != v.registered:
		return &GHCBError{gpa, c.RIP(), "it is not the one that the guest has registered"}
	case p.rmp.At(gpa/abi.GHCBSize).owner() != shared:
		// KVM would read the shared memory after the page, which the guest does not see.
		return &GHCBError{gpa, c.RIP(), "the page is not shared (" + p.State(gpa) + "), so that the host cannot read it"}
	}
	q := &v.request
	if err := q.read(p, gpa); err != nil {
		return err
	}
	event, known := events[q.code]
	r, name := malformed(abi.InvalidEvent), "undefined"
	if known {
		name = q.code.String()
		r = malformed(abi.MissingInput)
	}
	switch {
	case q.usage() != 0:
		r = malformed(abi.InvalidUsage)
	case !q.has(abi.GHCBSWExitCode, abi.GHCBSWExitInfo1, abi.GHCBSWExitInfo2):
		r = malformed(abi.MissingInput)
	case known && q.has(event.needs...):
		var err error
		if r, err = event.serve(p, c, q); err != nil {
			return err
		}
	}
	p.call(c, record.GHCB, name, r.status())
	q.answer(r)
	if p.replier != nil {
		p.replier.ReplyGHCB(c, q.code, q.info1, &q.page)
	}
	p.writeShared(gpa, q.page[:]) // where the request has not taken the page away from under itself
	return nil
}
