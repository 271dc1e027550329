package snp

import (
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// vmgexit is VMGEXIT: what the guest wants is in the GHCB MSR, or in the page whose address is there.
func (p *Platform) vmgexit(c *x86.CPU) x86.Action {
	p.exit(c, exitName(exitVMGEXIT))
	v := p.vcpuOf(c)
	if v.ghcb&msrInfo != 0 {
		return p.msrRequest(c, v)
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
	if gpa == 0 || !p.isRAM(gpa, ghcbSize) {
		p.call(c, record.GHCB, "no GHCB", "")
		return nil
	}
	switch {
	case gpa != v.registered:
		return &GHCBError{gpa, c.RIP(), "it is not the one that the guest has registered"}
	case p.rmp.At(gpa/ghcbSize).owner() != shared:
		// KVM would read the shared memory behind the page, which the guest does not see.
		return &GHCBError{gpa, c.RIP(), "the page is not shared (" + p.State(gpa) + "), so that the host cannot read it"}
	}
	q := &v.request
	if err := q.read(p, gpa); err != nil {
		return err
	}
	event, known := events[q.code]
	r, name := malformed(errInvalidEvent), "undefined"
	if known {
		name = event.name
		r = malformed(errMissingInput)
	}
	switch {
	case q.usage() != 0:
		r = malformed(errInvalidUsage)
	case !q.has(offExitCode, offInfo1, offInfo2):
		r = malformed(errMissingInput)
	case known && q.has(event.needs...):
		var err error
		if r, err = event.serve(p, c, q); err != nil {
			return err
		}
	}
	p.call(c, record.GHCB, name, r.status())
	q.answer(r)
	p.writeShared(gpa, q.page[:]) // where the request has not taken the page away from under itself
	return nil
}
