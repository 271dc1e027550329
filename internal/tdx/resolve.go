package tdx

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// physicalBits is the width of a physical address: CPUID 0x80000008 EAX[7:0] in every TD.
const physicalBits = 52

// ReservedBits implements [x86.Platform]. Bits above the shared one are reserved in a TD: where the processor would
// take them, the module turns the EPT violation into #PF with RSVD (module, td_ept_violation.c).
func (m *Module) ReservedBits() uint64 {
	return (1<<physicalBits - 1) &^ (m.sharedBit<<1 - 1)
}

// Unpaged implements [x86.Platform]: without shared bit an address is private.
func (m *Module) Unpaged() uint64 { return 0 }

// Resolve implements [x86.Platform]. An external access is refused where it meets anything but memory as it should be;
// it changes nothing, so that firmware and debuggers may try.
func (m *Module) Resolve(c *x86.CPU, gpa uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	if gpa&m.sharedBit != 0 {
		return m.resolveShared(c, gpa&^m.sharedBit, a)
	}
	return m.resolvePrivate(c, gpa, a)
}

// resolvePrivate answers for a private page: accepted ones are memory. Anywhere else the guest exits; the host adds a
// page to memory, which then is pending, so that the access exits again or raises #VE.
func (m *Module) resolvePrivate(c *x86.CPU, gpa uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	page := gpa &^ (mem.PageSize - 1)
	if !m.isRAM(page, mem.PageSize) {
		// KVM has no memory slot to serve a private fault from and leaves it to the VMM in user space
		// (kvm_mmu_faultin_pfn), which gives up.
		return m.violated(c, page, a, "no memory", "only shared addresses lead to devices")
	}
	s := m.pages.At(page / mem.PageSize)
	if s.private() == accepted {
		return m.translation(physical.Private, page), nil
	}
	was, why := s.String(), "it was touched before it was accepted"
	if was == "shared" {
		why = "it is shared: it has to be converted and accepted before it is private again"
	}
	if external(a.Kind) {
		return m.violated(c, page, a, was, why)
	}
	m.log.Refuse(record.Address(page))
	if s.private() == absent {
		if err := m.fault(c, page, physical.Private, func(s pageState) bool { return s.private() != absent }); err != nil {
			return x86.Translation{}, &x86.Refusal{Stop: err}
		}
	}
	if m.cfg.Attributes&abi.AttrSEPTVEDisable == 0 {
		return x86.Translation{}, m.eptViolation(c, page, a)
	}
	m.exit(c, exitEPTViolation)
	return m.violated(c, page, a, was, why)
}

// resolveShared answers for a shared page: memory that the host maps, or MMIO.
//
// No instruction is fetched from shared memory and no paging structure lies there: such an address counts as one with
// a reserved bit set. (No TD exit results: KVM's tdx_handle_ept_violation takes one for broken hardware. That it is
// this exception could not be looked up; a maintainer of the guest's code remembers #GP.)
func (m *Module) resolveShared(c *x86.CPU, gpa uint64, a x86.Access) (x86.Translation, *x86.Refusal) {
	switch a.Kind {
	case x86.Fetch, x86.Walk, x86.WalkWrite:
		return x86.Translation{}, &x86.Refusal{Exception: reservedBitFault(a)}
	}
	page := gpa &^ (mem.PageSize - 1)
	if v := m.cfg.VideoMemory; page >= v.Start && page < v.End {
		return m.translation(physical.Shared, page), nil
	}
	if !m.isRAM(page, mem.PageSize) {
		if external(a.Kind) {
			return x86.Translation{MMIO: true, GPA: page}, nil
		}
		// The host leaves #VE unsuppressed in the shared EPT where it has no memory (KVM,
		// vt_check_emulate_instruction).
		return x86.Translation{}, m.eptViolation(c, page|m.sharedBit, a)
	}
	if s := m.pages.At(page / mem.PageSize); s&shared == 0 {
		if external(a.Kind) {
			return m.violated(c, page, a, s.String(), "it is not shared")
		}
		if err := m.fault(c, page, physical.Shared, func(s pageState) bool { return s&shared != 0 }); err != nil {
			return x86.Translation{}, &x86.Refusal{Stop: err}
		}
	}
	return m.translation(physical.Shared, page), nil
}

// fault exits to the host and checks that the guest can go on after it.
func (m *Module) fault(c *x86.CPU, page uint64, p physical.Plane, resolved func(pageState) bool) error {
	m.exit(c, exitEPTViolation)
	if err := m.host.Fault(c, page, p, physical.Size2M); err != nil {
		return &confidential.HostError{Fault: eptFault, GPA: page, Plane: p, Err: err}
	}
	if !resolved(m.pages.At(page / mem.PageSize)) {
		return &confidential.HostError{Fault: eptFault, GPA: page, Plane: p}
	}
	return nil
}

func (m *Module) translation(p physical.Plane, page uint64) x86.Translation {
	f := mem.FrameOf(p, page)
	return x86.Translation{Host: m.mem.Page(f), Frame: f, GPA: page}
}

// violated ends the machine. KVM logs "Guest access before accepting" and ends the VM (tdx_handle_ept_violation).
func (m *Module) violated(c *x86.CPU, page uint64, a x86.Access, state, why string) (x86.Translation, *x86.Refusal) {
	v := &confidential.Violation{Architecture: architecture, CPU: c.ID(), GPA: page, GVA: a.GVA, Access: a.Kind, RIP: c.RIP(), State: state, Why: why}
	return x86.Translation{}, &x86.Refusal{Stop: v}
}

func external(k x86.AccessKind) bool { return k == x86.ExternalRead || k == x86.ExternalWrite }

// eptViolation returns the #VE for an access to page, with its shared bit, that the EPT does not allow. The guest is
// told the exact address, except of an entry in a paging structure, and no instruction length: Linux decodes the
// instruction instead.
func (m *Module) eptViolation(c *x86.CPU, page uint64, a x86.Access) *x86.Refusal {
	ve := abi.VEInfo{Reason: abi.ReasonEPTViolation, GLA: a.GVA, GPA: page, Qualification: abi.EPTGLAValid | abi.EPTGLA}
	switch a.Kind {
	case x86.Write:
		ve.Qualification |= abi.EPTWrite
	case x86.Fetch:
		ve.Qualification |= abi.EPTFetch
	case x86.Walk:
		ve.Qualification = abi.EPTGLAValid | abi.EPTRead
	case x86.WalkWrite:
		ve.Qualification = abi.EPTGLAValid | abi.EPTRead | abi.EPTWrite
	default:
		ve.Qualification |= abi.EPTRead
	}
	if ve.Qualification&abi.EPTGLA != 0 {
		ve.GPA |= a.GVA & (mem.PageSize - 1)
	}
	return &x86.Refusal{Exception: m.inject(c, ve)}
}

// Page-fault error code bits (SDM vol. 3, 4.7).
const (
	faultPresent = 1 << 0
	faultWrite   = 1 << 1
	faultUser    = 1 << 2
	faultRSVD    = 1 << 3
	faultFetch   = 1 << 4

	vectorPF = 14
)

func reservedBitFault(a x86.Access) *x86.Exception {
	e := &x86.Exception{Vector: vectorPF, Code: faultPresent | faultRSVD, HasCode: true, CR2: a.GVA}
	switch a.Kind {
	case x86.Fetch:
		e.Code |= faultFetch
	case x86.WalkWrite:
		e.Code |= faultWrite
	}
	if a.User {
		e.Code |= faultUser
	}
	return e
}

// The architecture's words in what [confidential] says.
const (
	architecture = "TDX"
	eptFault     = "an EPT violation"
)

// ResolveDevice implements [x86.Platform]. A device that is not trusted has no key of a TD's and reaches shared memory
// only: an address with shared bit is the host's to map, and means the same to the IOMMU without it (TDX module base
// architecture, "I/O").
func (m *Module) ResolveDevice(gpa uint64, write bool) (x86.Translation, error) {
	page := gpa &^ m.sharedBit &^ (mem.PageSize - 1)
	state := "no memory"
	if m.isRAM(page, mem.PageSize) {
		s := m.pages.At(page / mem.PageSize)
		if s&shared != 0 {
			return m.translation(physical.Shared, page), nil
		}
		state = s.String()
	}
	return x86.Translation{}, &confidential.DeviceError{Architecture: architecture, GPA: page, Write: write, State: state}
}
