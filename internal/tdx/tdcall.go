package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// tdcall serves TDCALL: RAX is the leaf and the version, and becomes the status (module, td_call). Each leaf changes
// the registers that the specification names as its outputs and no other.
//
// MR.VERIFYREPORT answers as an undefined leaf does, as in the module where the processor has no SEAMVERIFYREPORT.
func (m *Module) tdcall(c *x86.CPU) x86.Action {
	if !c.Is64() {
		return m.raiseGP(c) // at CPL 0; elsewhere it has been raised already
	}
	rax := c.R[x86.RAX]
	leaf, version := abi.Leaf(rax&abi.LeafMask), rax>>abi.LeafVersion&0xFF
	name := leaf.String()
	if rax>>24 != 0 || version > 0 && leaf != abi.LeafVMRead {
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRAX))
	}
	switch leaf {
	case abi.LeafVPVMCall:
		return m.vmcall(c)
	case abi.LeafMemPageAccept:
		return m.pageAccept(c)
	case abi.LeafVPInfo:
		return m.tdcallDone(c, name, m.vpInfo(c))
	case abi.LeafVPVEInfoGet:
		return m.tdcallDone(c, name, m.veInfoGet(c))
	case abi.LeafVPCPUIDVESet:
		return m.tdcallDone(c, name, m.cpuidVESet(c))
	case abi.LeafVMRead:
		return m.tdcallDone(c, name, m.vmRead(c, version))
	case abi.LeafVMWrite:
		return m.tdcallDone(c, name, m.vmWrite(c))
	case abi.LeafVPRead:
		return m.tdcallDone(c, name, m.vpRead(c))
	case abi.LeafVPWrite:
		return m.tdcallDone(c, name, m.vpWrite(c))
	case abi.LeafSysRead:
		return m.tdcallDone(c, name, m.sysRead(c))
	case abi.LeafSysReadAll:
		return m.sysReadAll(c)
	case abi.LeafServTDRead, abi.LeafServTDWrite:
		return m.servTD(c, leaf)
	case abi.LeafMemPageAttrRead:
		return m.pageAttrRead(c)
	case abi.LeafMemPageAttrWrite:
		return m.pageAttrWrite(c)
	case abi.LeafMRRTMRExtend:
		return m.rtmrExtend(c)
	case abi.LeafMRReport:
		return m.mrReport(c)
	case abi.LeafVPEnter:
		return m.tdcallDone(c, name, m.vpEnter(c))
	case abi.LeafVPInvEPT:
		return m.tdcallDone(c, name, m.vpInvEPT(c))
	case abi.LeafVPInvVPID: // whatever RCX says: it names an L2 VM
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRCX))
	}
	return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRAX))
}

// tdcallDone ends a leaf that did not leave for the host.
func (m *Module) tdcallDone(c *x86.CPU, name string, s abi.Status) x86.Action {
	c.R[x86.RAX] = uint64(s)
	c.Charge(cost.ModuleCall, 1)
	m.call(c, record.TDCALL, name, s.Name())
	return x86.Done
}

// vpInfo is TDG.VP.INFO (module, tdg_vp_info.c).
func (m *Module) vpInfo(c *x86.CPU) abi.Status {
	c.R[x86.RCX] = uint64(m.cfg.GPAW)
	c.R[x86.RDX] = m.cfg.Attributes
	c.R[x86.R8] = uint64(m.cfg.CPUs) | uint64(m.cfg.CPUs)<<abi.InfoMaxVCPUs // NUM_VCPUS, MAX_VCPUS
	c.R[x86.R9] = uint64(c.ID())
	c.R[x86.R10] = abi.InfoSysRead
	c.R[x86.R11] = 0
	return abi.Success
}

// veInfoGet is TDG.VP.VEINFO.GET; reading makes room for the next #VE (module, tdg_vp_veinfo_get.c).
func (m *Module) veInfoGet(c *x86.CPU) abi.Status {
	v := &m.vpOf(c).ve
	if !v.valid {
		c.R[x86.RCX], c.R[x86.RDX], c.R[x86.R8], c.R[x86.R9], c.R[x86.R10] = 0, 0, 0, 0, 0
		return abi.NoValidVEInfo
	}
	c.R[x86.RCX], c.R[x86.RDX], c.R[x86.R8], c.R[x86.R9], c.R[x86.R10] = v.Registers()
	v.valid = false
	c.HoldNMI(false)
	return abi.Success
}

// cpuidVESet is TDG.VP.CPUIDVE.SET: CPUID raises #VE always, for the privilege levels that RCX says.
func (m *Module) cpuidVESet(c *x86.CPU) abi.Status {
	flags := c.R[x86.RCX]
	if flags&^3 != 0 {
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	v := m.vpOf(c)
	v.cpuidSupervisorVE, v.cpuidUserVE = uint8(flags&1), uint8(flags>>1)
	return abi.Success
}

// servTD is TDG.SERVTD.RD or WR, by which a TD that migrates another reaches its metadata. The handle in RCX is the other's TDR and
// a slot, of which there is one, less this TD's own name, which is 0. No TD is bound to another here, which is an exit that
// nothing comes back from (module, tdg_servtd_rd_wr.c: TDX_CROSS_TD_TRAP; KVM, tdx_handle_exit).
func (m *Module) servTD(c *x86.CPU, leaf abi.Leaf) x86.Action {
	const slots, slot = 1, 1<<12 - 1
	if leaf == abi.LeafServTDRead {
		c.R[x86.RDX] = uint64(abi.NoField)
	}
	c.R[x86.R8] = 0
	if c.R[x86.RCX]&slot >= slots {
		return m.tdcallDone(c, leaf.String(), abi.OperandInvalid.With(abi.OperandRCX))
	}
	m.exit(c, exitCrossTD)
	c.Stop(&confidential.Violation{
		Architecture: architecture, CPU: c.ID(), GPA: c.R[x86.RCX] &^ slot & (1<<physicalBits - 1), Instruction: "TDG." + leaf.String(), RIP: c.RIP(),
		State: "no TDR", Why: "no TD has this one as its service TD",
	})
	return x86.Raised
}

// vpEnter is TDG.VP.ENTER, of a TD that has no L2 VM: RDX is checked first, a private address of 256 bytes, then RCX, which
// names one (module, tdg_vp_enter.c).
func (m *Module) vpEnter(c *x86.CPU) abi.Status {
	const registers = 256
	if gpa := c.R[x86.RDX]; gpa%registers != 0 || gpa >= m.sharedBit {
		return abi.OperandInvalid.With(abi.OperandRDX)
	}
	return abi.OperandInvalid.With(abi.OperandRCX)
}

// vpInvEPT is TDG.VP.INVEPT, of a TD that has no L2 VM: no VM is one that there is, and none is flushed (module,
// tdg_vp_invept.c).
func (m *Module) vpInvEPT(c *x86.CPU) abi.Status {
	if c.R[x86.RCX] != 0 {
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	return abi.Success
}
