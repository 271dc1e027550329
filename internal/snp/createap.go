package snp

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// How a guest starts its other processors: it writes a VMSA, marks the page with RMPADJUST, and asks the host to run it
// (GHCB specification, SNP AP Creation; KVM, sev_snp_ap_creation).

// Processors is the rest of the machine, which runs them.
type Processors interface {
	// Start has a processor run that enter has put into its state, from now on, whatever it did before.
	Start(id int, enter func(c *x86.CPU) error) error

	// Stop ends what a processor does.
	Stop(id int)
}

// Offsets in a VMSA (APM vol. 2, table B-4).
const (
	vmsaES, vmsaGDTR, vmsaLDTR, vmsaIDTR, vmsaTR = 0x00, 0x60, 0x70, 0x80, 0x90

	vmsaVMPL, vmsaEFER                                     = 0xCA, 0xD0
	vmsaCR4, vmsaCR3, vmsaCR0, vmsaDR7, vmsaDR6            = 0x148, 0x150, 0x158, 0x160, 0x168
	vmsaRFLAGS, vmsaRIP, vmsaRSP, vmsaRAX, vmsaCR2         = 0x170, 0x178, 0x1D8, 0x1F8, 0x240
	vmsaPAT, vmsaRCX, vmsaSEVFeatures, vmsaXCR0, vmsaMXCSR = 0x268, 0x308, 0x3B0, 0x3E8, 0x408
	vmsaSize                                               = 0x670

	eferSVME = 1 << 12
	busyTSS  = 0x8B // attributes of a TSS of 32 or 64 bits
)

// sevFeatures is SEV_FEATURES of the guest's processors: SEV-SNP.
const sevFeatures = sevStatus >> 2

// createAP starts another processor with the VMSA at SW_EXITINFO2, or stops one. KVM looks at what the request says and not
// into the VMSA: what is wrong with that shows when the processor is to run.
func createAP(p *Platform, c *x86.CPU, q *request) (reply, error) {
	what := uint32(q.info1)
	if what != abi.APDestroy && !q.has(abi.GHCBRAX) {
		return malformed(abi.MissingInput), nil
	}
	id, ok := p.cfg.Topology.Index(uint32(q.info1 >> abi.APID))
	if !ok || p.cfg.Processors == nil {
		return malformed(abi.InvalidInput), nil
	}
	switch what {
	case abi.APDestroy:
		p.cfg.Processors.Stop(id)
		p.vcpus[id].vmsa = 0
		return success(0), nil
	case abi.APCreate, abi.APCreateOnInit:
	default: // of another VMPL, too
		return malformed(abi.InvalidInput), nil
	}
	const size2M = 2 << 20
	switch gpa := q.info2; {
	case q.rax != sevFeatures, gpa%mem.PageSize != 0, gpa%size2M == 0, !p.isRAM(gpa, mem.PageSize):
		return malformed(abi.InvalidInput), nil
	case what == abi.APCreateOnInit:
		p.vcpus[id].vmsa = 0
		p.cfg.Processors.Stop(id) // and no INIT comes, as KVM lets none through to a guest whose registers are its own
		return success(0), nil
	}
	if p.starter != nil {
		return success(0), p.starter.StartProcessor(c, id, q.info2, p.start)
	}
	return success(0), p.start(id, q.info2)
}

// RunFrom has the host run a processor from a page of its choice, whatever the guest has asked for: what VMRUN does not take is an
// error, and changes nothing.
func (p *Platform) RunFrom(id int, vmsa uint64) error {
	if p.cfg.Processors == nil || id < 0 || id >= len(p.vcpus) {
		return fmt.Errorf("there is no processor %d", id)
	}
	return p.start(id, vmsa)
}

// start has a processor run from a VMSA.
func (p *Platform) start(id int, vmsa uint64) error {
	return p.cfg.Processors.Start(id, func(c *x86.CPU) error { return p.enter(c, vmsa) })
}

// enter puts a processor into the state that a VMSA holds, as VMRUN does (APM vol. 2, 15.36.12): the page has to be the
// guest's, and marked as a VMSA.
func (p *Platform) enter(c *x86.CPU, gpa uint64) error {
	if s := p.rmp.At(gpa / mem.PageSize); s.owner() != validated || s&vmsa == 0 {
		return fmt.Errorf("processor %d cannot run: the page of its VMSA, at guest-physical address %#x, is %v, and not marked as one with RMPADJUST", c.ID(), gpa, s)
	}
	if by, busy := p.runsFrom(gpa); busy && by != c.ID() { // it leaves the one that it ran from
		return fmt.Errorf("processor %d cannot run: processor %d runs from its VMSA, at guest-physical address %#x", c.ID(), by, gpa)
	}
	b := make([]byte, vmsaSize)
	if err := c.ReadPhysical(gpa|CBit, b); err != nil {
		return fmt.Errorf("the VMSA of processor %d: %w", c.ID(), err)
	}
	le := binary.LittleEndian
	if efer := le.Uint64(b[vmsaEFER:]); efer&eferSVME == 0 || b[vmsaVMPL] != 0 || le.Uint64(b[vmsaSEVFeatures:]) != sevFeatures {
		return fmt.Errorf("processor %d cannot run: its VMSA has EFER %#x, VMPL %d, SEV_FEATURES %#x", c.ID(), efer, b[vmsaVMPL], le.Uint64(b[vmsaSEVFeatures:]))
	}
	s := c.State()
	for i := range s.Seg {
		s.Seg[i] = vmsaSegment(b[vmsaES+16*i:])
	}
	s.LDTR, s.TR = vmsaSegment(b[vmsaLDTR:]), vmsaSegment(b[vmsaTR:])
	s.GDTR, s.IDTR = vmsaTable(b[vmsaGDTR:]), vmsaTable(b[vmsaIDTR:])
	// AMD's processors turn long mode on whatever TR holds, and Linux leaves the 16-bit TSS of a reset there. Intel's refuse
	// (SDM vol. 3, 10.8.5), and so does package x86.
	s.TR.Attr |= busyTSS
	s.EFER = le.Uint64(b[vmsaEFER:]) &^ eferSVME
	s.CR0, s.CR2, s.CR3, s.CR4 = le.Uint64(b[vmsaCR0:]), le.Uint64(b[vmsaCR2:]), le.Uint64(b[vmsaCR3:]), le.Uint64(b[vmsaCR4:])
	s.DR[6], s.DR[7] = le.Uint64(b[vmsaDR6:]), le.Uint64(b[vmsaDR7:])
	s.RFLAGS, s.RIP = le.Uint64(b[vmsaRFLAGS:]), le.Uint64(b[vmsaRIP:])
	s.GPR = [16]uint64{x86.RAX: le.Uint64(b[vmsaRAX:]), x86.RSP: le.Uint64(b[vmsaRSP:])}
	for i := x86.RCX; i < 16; i++ { // in the order of their numbers, with a gap for RSP
		if i != x86.RSP {
			s.GPR[i] = le.Uint64(b[vmsaRCX+8*(i-1):])
		}
	}
	s.XCR0, s.MXCSR = le.Uint64(b[vmsaXCR0:]), le.Uint32(b[vmsaMXCSR:])
	s.CPL = 0
	c.INIT()
	c.SetState(&s)
	c.SetMSR(x86.MSRPAT, le.Uint64(b[vmsaPAT:]))
	p.vcpus[c.ID()] = vcpu{ghcb: sevInfo, registered: notRegistered, dr7: dr7Reset, vmsa: gpa/mem.PageSize + 1}
	p.forget(gpa, gpa+mem.PageSize)
	return nil
}

// runsFrom says which processor runs from the VMSA in a page. The RMP has it in use then: no other can run from it, and
// neither reads nor writes of the guest's reach it, nor PVALIDATE and RMPADJUST (APM 15.36.12; Linux d2062cc1b1c3,
// "unrecoverable #NPF/RMP faults as the VMSA page is marked busy/in-use when the vCPU is running"). Here that is from the start
// of a processor until it is stopped, whatever it does meanwhile.
func (p *Platform) runsFrom(gpa uint64) (cpu int, busy bool) {
	cpu = slices.IndexFunc(p.vcpus, func(v vcpu) bool { return v.vmsa == gpa/mem.PageSize+1 })
	return cpu, cpu >= 0
}

// IdleVMSAs returns how many pages are marked as a VMSA that no processor runs from. A hypervisor can run a processor from each.
func (p *Platform) IdleVMSAs() (n uint64) {
	for s := range pageState(pageStates) {
		if s&vmsa != 0 {
			n += p.rmp.Count(s)
		}
	}
	for _, v := range p.vcpus {
		if v.vmsa != 0 && p.rmp.At(v.vmsa-1)&vmsa != 0 {
			n--
		}
	}
	return n
}

// inUse says why a page cannot be reached, where it is a VMSA that a processor runs from.
func (p *Platform) inUse(page uint64, s pageState) (why string, busy bool) {
	if s&vmsa == 0 {
		return "", false
	}
	cpu, busy := p.runsFrom(page)
	return fmt.Sprintf("it is the VMSA that processor %d runs from", cpu), busy
}

// vmsaSegment reads a segment register: its attributes are those of a descriptor without the limit's four bits.
func vmsaSegment(b []byte) x86.Segment {
	le := binary.LittleEndian
	a := le.Uint16(b[2:])
	return x86.Segment{Selector: le.Uint16(b), Attr: a&0xFF | a&0xF00<<4, Limit: le.Uint32(b[4:]), Base: le.Uint64(b[8:])}
}

func vmsaTable(b []byte) x86.Table {
	le := binary.LittleEndian
	return x86.Table{Limit: uint16(le.Uint32(b[4:])), Base: le.Uint64(b[8:])}
}
