package tdx

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// ServeVE does what firmware's own #VE handler does while firmware's interrupt table is in force, which is until the
// kernel has one: boot loaders rely on it. rip is where the exception was raised; the processor's registers are the
// interrupted program's, except RIP and RSP. It returns how long the instruction is that it did, 0 where it has to be
// executed again, and false for what it does not do: on hardware, too, firmware gives up there (EDK2,
// OvmfPkg/Library/CcExitLib/CcExitVeHandler.c).
func (m *Module) ServeVE(c *x86.CPU, rip uint64) (length uint64, ok bool) {
	v := m.vpOf(c)
	if !v.ve.valid {
		return 0, false // no exception of the module's: the program has INT 20 in it
	}
	ve := v.ve.VEInfo
	v.ve = veInfo{}
	m.exit(c, exitTDVMCALL)
	switch ve.Reason {
	case abi.ReasonIO, abi.ReasonRDMSR, abi.ReasonWRMSR:
		e, ok := confidential.DecodeExit(c, rip)
		if !ok {
			return 0, false
		}
		if e.Kind == confidential.IOExit {
			return confidential.ServeIO(c, m.host, e)
		}
		return confidential.ServeMSR(c, m.host, e)
	case abi.ReasonCPUID:
		answer := m.host.CPUID(c, uint32(c.R[x86.RAX]), uint32(c.R[x86.RCX]))
		for i, r := range [...]int{x86.RAX, x86.RBX, x86.RCX, x86.RDX} {
			c.R[r] = uint64(answer[i])
		}
	case abi.ReasonHLT:
		m.host.Halt(c, false)
	case abi.ReasonEPTViolation:
		return m.serveMMIO(c, &ve, rip)
	case abi.ReasonVMCALL, abi.ReasonMWAIT, abi.ReasonMONITOR, abi.ReasonWBINVD, abi.ReasonINVD: // nothing, and nobody says so
	default:
		return 0, false
	}
	return uint64(ve.InstructionLength), true
}

// serveMMIO asks the host for what a device's address holds, or has it put there. Firmware does so only where the instruction
// leads to the shared address that the module has told: the host may not have it look elsewhere.
func (m *Module) serveMMIO(c *x86.CPU, ve *abi.VEInfo, rip uint64) (length uint64, ok bool) {
	return confidential.ServeMMIO(c, m.host, rip, func(va uint64, write bool) (uint64, bool) {
		gpa, err := c.Translate(va, write)
		return gpa &^ m.sharedBit, err == nil && gpa&m.sharedBit != 0 && gpa == ve.GPA
	})
}
