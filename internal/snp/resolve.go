package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// ReservedBits implements [x86.Platform]: physical addresses are 52 bits wide, of which the C-bit is the topmost.
func (p *Platform) ReservedBits() uint64 { return 0 }

// Unpaged implements [x86.Platform]: where there is no C-bit to set, all memory is private (APM 15.34.5).
func (p *Platform) Unpaged() uint64 { return CBit }

// Resolve implements [x86.Platform]. Instructions are fetched from private memory and paging structures lie there,
// whatever the C-bit says (APM 15.34.8, table 15-30; 15.36.10).
func (p *Platform) Resolve(c *x86.CPU, gpa uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	page := gpa &^ (CBit | mem.PageSize - 1)
	switch a.Kind {
	case x86.Fetch, x86.Walk, x86.WalkWrite:
		return p.resolvePrivate(c, page, a)
	}
	if gpa&CBit != 0 {
		return p.resolvePrivate(c, page, a)
	}
	return p.resolveShared(c, page, a)
}

// resolvePrivate answers for a private access (APM table 15-39): a page that is not assigned to the guest is a nested
// page fault, on which the host assigns one; one that is assigned and not validated raises #VC.
func (p *Platform) resolvePrivate(c *x86.CPU, page uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	if !p.isRAM(page, mem.PageSize) {
		// KVM exits to user space with a private fault where nothing can be private (kvm_mmu_faultin_pfn), and QEMU
		// gives up (kvm_convert_memory).
		return p.violated(c, page, a, physical.Private, "no memory", "a private address must be memory; devices are reached without C-bit")
	}
	s := p.rmp.At(page / mem.PageSize)
	if s.owner() == validated {
		return p.resolveValidated(c, page, s, a)
	}
	was := s.String()
	if !external(a.Kind) {
		p.log.Refuse(record.Address(page))
	}
	if !s.private() {
		if external(a.Kind) {
			return p.violated(c, page, a, physical.Private, was, "it was touched before it was validated")
		}
		if err := p.fault(c, page, physical.Private, physical.Size2M, pageState.private); err != nil {
			return x86.Translation{}, &x86.Refusal{Stop: err}
		}
		if s = p.rmp.At(page / mem.PageSize); s.owner() == validated { // a host of several processors may have been slow
			return p.resolveValidated(c, page, s, a)
		}
	}
	why := "it was touched before it was validated"
	if was == shared.String() {
		why = "it was shared; it has to be converted and validated before it is private again"
	}
	t, r := p.violated(c, page, a, physical.Private, was, why)
	if external(a.Kind) {
		return t, r
	}
	p.vcpuOf(c).unvalidated = r.Stop.(*confidential.Violation)
	c.WatchReturn()
	return t, &x86.Refusal{Exception: p.notValidated(c, a.GVA)}
}

// notValidated returns the #VC of a page that the guest has not validated (APM 15.36.10): CR2 has the address.
func (p *Platform) notValidated(c *x86.CPU, gva uint64) *x86.Exception {
	e := p.vc(c, abi.ExitPageNotValidated)
	e.CR2, e.HasCR2 = gva, true
	return e
}

// resolveShared answers for a shared access: memory that the host maps, or MMIO. A page that is assigned to the guest
// reads as what it looks like without the guest's key: the RMP is not asked about reads. A write is an RMP violation
// (APM table 15-39). KVM hands that to user space, since it means to hold the page as private, and QEMU makes it
// shared: the private page is gone.
func (p *Platform) resolveShared(c *x86.CPU, page uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	if v := p.cfg.VideoMemory; page >= v.Start && page < v.End {
		return p.translation(physical.Shared, page), nil
	}
	if !p.isRAM(page, mem.PageSize) {
		if external(a.Kind) {
			return x86.Translation{MMIO: true, GPA: page}, nil
		}
		// KVM maps an MMIO page with a reserved bit when it is first touched. Only such a fault is the guest's to
		// handle (APM 15.35.4); that first exit of each page, which the guest does not see, is left out.
		return x86.Translation{}, &x86.Refusal{Exception: p.vc(c, abi.ExitNPF)}
	}
	s := p.rmp.At(page / mem.PageSize)
	switch {
	case s.owner() == shared:
	case external(a.Kind):
		return p.violated(c, page, a, physical.Shared, s.String(), "what is not the guest's processor reaches shared memory only")
	case s.private() && !a.Kind.Writes():
		t := p.translation(physical.Shared, page)
		p.fill(t.Frame)
		t.ReadOnly = true
		return t, nil
	default:
		if err := p.fault(c, page, physical.Shared, physical.Size2M, func(s pageState) bool { return s.owner() == shared }); err != nil {
			return x86.Translation{}, &x86.Refusal{Stop: err}
		}
		s = p.rmp.At(page / mem.PageSize)
	}
	p.touch(physical.Shared, page, s)
	return p.translation(physical.Shared, page), nil
}

// fault exits to the host with a nested page fault and checks that the guest can go on after it.
func (p *Platform) fault(c *x86.CPU, page uint64, pl physical.Plane, size physical.PageSize, resolved func(pageState) bool) error {
	p.exit(c, abi.ExitNPF.String())
	if err := p.host.Fault(c, page, pl, size); err != nil {
		return &confidential.HostError{Fault: nestedFault, GPA: page, Plane: pl, Err: err}
	}
	if !resolved(p.rmp.At(page / mem.PageSize)) {
		return &confidential.HostError{Fault: nestedFault, GPA: page, Plane: pl}
	}
	return nil
}

func (p *Platform) translation(pl physical.Plane, page uint64) x86.Translation {
	f := mem.FrameOf(pl, page)
	return x86.Translation{Host: p.mem.Page(f), Frame: f, GPA: page}
}

func (p *Platform) violated(
	c *x86.CPU, page uint64, a x86.Access, plane physical.Plane, state, why string,
) (x86.Translation, *x86.Refusal) {
	v := &confidential.Violation{
		Architecture: architecture, CPU: c.ID(), GPA: page, Plane: plane.String(), GVA: a.GVA, Access: a.Kind, RIP: c.RIP(), State: state, Why: why,
	}
	return x86.Translation{}, &x86.Refusal{Stop: v}
}

func external(k x86.AccessKind) bool { return k == x86.ExternalRead || k == x86.ExternalWrite }

// The architecture's words in what [confidential] says.
const (
	architecture = "SEV-SNP"
	nestedFault  = "a nested page fault"
)

// ResolveDevice implements [x86.Platform]: the IOMMU checks the RMP, and what is assigned to a guest is no device's (APM
// 15.36.7).
func (p *Platform) ResolveDevice(gpa uint64, write bool) (x86.Translation, error) {
	page := gpa &^ (mem.PageSize - 1)
	state := "no memory"
	if p.isRAM(page, mem.PageSize) {
		s := p.rmp.At(page / mem.PageSize)
		if s.owner() == shared {
			p.touch(physical.Shared, page, s)
			return p.translation(physical.Shared, page), nil
		}
		state = s.String()
	}
	return x86.Translation{}, &confidential.DeviceError{Architecture: architecture, GPA: page, Write: write, State: state}
}
