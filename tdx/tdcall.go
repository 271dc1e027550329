package tdx

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/x86"
)

// TDCALL leaves (ABI, "TDCALL instruction leaf numbers").
const (
	leafVPVMCall      = 0
	leafVPInfo        = 1
	leafMRRTMRExtend  = 2
	leafVPVEInfoGet   = 3
	leafMRReport      = 4
	leafVPCPUIDVESet  = 5
	leafMemPageAccept = 6
	leafVMRead        = 7
	leafVMWrite       = 8
)

var leafNames = [...]string{
	leafVPVMCall: "VP.VMCALL", leafVPInfo: "VP.INFO", leafMRRTMRExtend: "MR.RTMR.EXTEND", leafVPVEInfoGet: "VP.VEINFO.GET",
	leafMRReport: "MR.REPORT", leafVPCPUIDVESet: "VP.CPUIDVE.SET", leafMemPageAccept: "MEM.PAGE.ACCEPT", leafVMRead: "VM.RD", leafVMWrite: "VM.WR",
}

// tdcall serves TDCALL: RAX is the leaf and the version, and becomes the status (module, td_call). Each leaf changes
// the registers that the specification names as its outputs and no other.
//
// What the module has beyond the leaves above (TD partitioning, service TDs, SYS.RD, VP.RD, VERIFYREPORT, page
// attributes) answers as an undefined leaf does. The processor executes nothing but 64-bit code at CPL 0, where
// TDCALL would be #GP.
func (m *Module) tdcall(c *x86.CPU) x86.Action {
	rax := c.R[x86.RAX]
	leaf, version := rax&0xFFFF, rax>>16&0xFF
	name := "undefined"
	if leaf < uint64(len(leafNames)) {
		name = leafNames[leaf]
	}
	if rax>>24 != 0 || version > 0 && leaf != leafVMRead || leaf >= uint64(len(leafNames)) {
		return m.tdcallDone(c, name, OperandInvalid.with(operandRAX))
	}
	switch leaf {
	case leafVPVMCall:
		return m.vmcall(c)
	case leafMemPageAccept:
		return m.pageAccept(c)
	case leafVPInfo:
		return m.tdcallDone(c, name, m.vpInfo(c))
	case leafVPVEInfoGet:
		return m.tdcallDone(c, name, m.veInfoGet(c))
	case leafVPCPUIDVESet:
		return m.tdcallDone(c, name, m.cpuidVESet(c))
	case leafVMRead:
		return m.tdcallDone(c, name, m.vmRead(c, version))
	case leafVMWrite:
		return m.tdcallDone(c, name, m.vmWrite(c))
	case leafMRRTMRExtend:
		return m.rtmrExtend(c)
	}
	return m.mrReport(c)
}

// tdcallDone ends a leaf that did not leave for the host.
func (m *Module) tdcallDone(c *x86.CPU, name string, s Status) x86.Action {
	c.R[x86.RAX] = uint64(s)
	m.charge(c, cost.ModuleCall)
	m.call(c, record.TDCALL, name, s.Name())
	return x86.Done
}

// vpInfo is TDG.VP.INFO (module, tdg_vp_info.c).
func (m *Module) vpInfo(c *x86.CPU) Status {
	c.R[x86.RCX] = uint64(m.cfg.GPAW)
	c.R[x86.RDX] = m.cfg.Attributes
	c.R[x86.R8] = uint64(m.cfg.CPUs) | uint64(m.cfg.CPUs)<<32 // NUM_VCPUS, MAX_VCPUS
	c.R[x86.R9] = uint64(c.ID())
	c.R[x86.R10] = 0 // bit 0 would say that there is TDG.SYS.RD
	c.R[x86.R11] = 0
	return Success
}

// veInfoGet is TDG.VP.VEINFO.GET; reading makes room for the next #VE (module, tdg_vp_veinfo_get.c).
func (m *Module) veInfoGet(c *x86.CPU) Status {
	v := &m.vpOf(c).ve
	if !v.valid {
		c.R[x86.RCX], c.R[x86.RDX], c.R[x86.R8], c.R[x86.R9], c.R[x86.R10] = 0, 0, 0, 0, 0
		return NoValidVEInfo
	}
	c.R[x86.RCX] = uint64(v.reason)
	c.R[x86.RDX] = v.qualification
	c.R[x86.R8] = v.gla
	c.R[x86.R9] = v.gpa
	c.R[x86.R10] = uint64(v.length) | uint64(v.info)<<32
	v.valid = false
	return Success
}

// cpuidVESet is TDG.VP.CPUIDVE.SET: CPUID raises #VE always, for the privilege levels that RCX says.
func (m *Module) cpuidVESet(c *x86.CPU) Status {
	flags := c.R[x86.RCX]
	if flags&^3 != 0 {
		return OperandInvalid.with(operandRCX)
	}
	v := m.vpOf(c)
	v.cpuidSupervisorVE, v.cpuidUserVE = flags&1 != 0, flags&2 != 0
	return Success
}
