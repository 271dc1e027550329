package tdx

import (
	"strings"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// vmcall is TDG.VP.VMCALL: the registers that RCX selects are passed to the host and back, no other one changes but
// RAX (module, tdg_vp_vmcall.c, tdh_vp_enter.c). RAX, RCX, RSP and, since the TD is made with NO_RBP_MOD as KVM does,
// RBP cannot be selected. XMM registers can, and the host leaves them alone.
func (m *Module) vmcall(c *x86.CPU) x86.Action {
	const never = 1<<x86.RAX | 1<<x86.RCX | 1<<x86.RSP | 1<<x86.RBP
	selected := c.R[x86.RCX]
	if selected&never != 0 || selected>>32 != 0 {
		return m.tdcallDone(c, abi.LeafVPVMCall.String(), abi.OperandInvalid.With(abi.OperandRCX))
	}
	var r callRegisters
	for i := range r {
		if selected>>i&1 != 0 {
			r[i] = c.R[i]
		}
	}
	m.exit(c, exitTDVMCALL)
	name := "hypercall"
	if r[x86.R10] != 0 {
		r[x86.R10] = m.host.Hypercall(c, r[x86.R10], [4]uint64{r[x86.R11], r[x86.R12], r[x86.R13], r[x86.R14]})
	} else {
		name = abi.VMCall(r[x86.R11]).String()
		m.overhear(c, &r)
		r[x86.R10] = uint64(m.subfunction(c, &r))
	}
	status := abi.VMCallStatus(r[x86.R10]).Name()
	if name == "hypercall" {
		status = ""
	}
	m.call(c, record.TDVMCALL, name, status)
	for i := range r {
		if selected>>i&1 != 0 {
			c.R[i] = r[i]
		}
	}
	c.R[x86.RAX] = uint64(abi.Success)
	return x86.Done
}

// callRegisters are the general-purpose registers as the host sees them: those not selected are 0, and what it puts
// there is lost.
type callRegisters [16]uint64

// overhear notes what a guest passes to its host and need not.
func (m *Module) overhear(c *x86.CPU, r *callRegisters) {
	call := abi.VMCall(r[x86.R11])
	needed := call.Operands(r[x86.R13]) | 1<<x86.R10 | 1<<x86.R11
	var spare [16]uint64
	for i, v := range r {
		if needed>>i&1 == 0 && v != 0 {
			spare[i] = v
			m.log.Tell(x86.RegisterName(i), call.String(), record.Address(c.RIP()))
		}
	}
	if m.listener != nil {
		m.listener.Heard(c, call, &spare)
	}
}

// subfunction asks the host what GHCI defines and returns the completion code. Operands are checked as KVM checks them.
func (m *Module) subfunction(c *x86.CPU, r *callRegisters) abi.VMCallStatus {
	switch abi.VMCall(r[x86.R11]) {
	case abi.VMCallHLT:
		m.host.Halt(c, r[x86.R12] != 0)
		return abi.VMCallSuccess
	case abi.VMCallIO:
		return m.callIO(c, r)
	case abi.VMCallMMIO:
		return m.callMMIO(c, r)
	case abi.VMCallRDMSR:
		value, ok := m.host.ReadMSR(c, uint32(r[x86.R12]))
		if !ok {
			return abi.VMCallInvalidOperand
		}
		r[x86.R11] = value
		return abi.VMCallSuccess
	case abi.VMCallWRMSR:
		if !m.host.WriteMSR(c, uint32(r[x86.R12]), r[x86.R13]) {
			return abi.VMCallInvalidOperand
		}
		return abi.VMCallSuccess
	case abi.VMCallCPUID:
		for i, v := range m.host.CPUID(c, uint32(r[x86.R12]), uint32(r[x86.R13])) {
			r[x86.R12+i] = uint64(v)
		}
		return abi.VMCallSuccess
	case abi.VMCallGetInfo: // 0 asks whether the calls of GHCI 1.0 are there, 1 which others
		if r[x86.R12] > 1 {
			return abi.VMCallInvalidOperand
		}
		r[x86.R11], r[x86.R12], r[x86.R13], r[x86.R14] = 0, 0, 0, 0
		return abi.VMCallSuccess
	case abi.VMCallMapGPA:
		return m.callMapGPA(c, r)
	case abi.VMCallGetQuote:
		if r[x86.R12]&m.sharedBit == 0 {
			return abi.VMCallInvalidOperand
		}
		if m.attester != nil {
			return m.attester.GetQuote(c, r[x86.R12]&^m.sharedBit, r[x86.R13])
		}
		return abi.VMCallSubfuncUnsupported
	case abi.VMCallReportFatalError:
		m.host.GiveUp(c, &FatalError{Code: uint32(r[x86.R12]), Message: fatalMessage(r)})
		return abi.VMCallSuccess
	}
	return abi.VMCallSubfuncUnsupported
}

// callIO is TDG.VP.VMCALL<Instruction.IO>.
func (m *Module) callIO(c *x86.CPU, r *callRegisters) abi.VMCallStatus {
	size, write, port := r[x86.R12], r[x86.R13], uint16(r[x86.R14])
	if size != 1 && size != 2 && size != 4 || write > abi.VMCallWrite {
		return abi.VMCallInvalidOperand
	}
	if write == abi.VMCallWrite {
		m.host.Out(c, port, int(size), uint32(r[x86.R15]))
	} else {
		r[x86.R11] = uint64(m.host.In(c, port, int(size)))
	}
	return abi.VMCallSuccess
}

// callMMIO is TDG.VP.VMCALL<#VE.RequestMMIO>. The address is shared, to its last byte.
func (m *Module) callMMIO(c *x86.CPU, r *callRegisters) abi.VMCallStatus {
	size, write, gpa := r[x86.R12], r[x86.R13], r[x86.R14]
	if size != 1 && size != 2 && size != 4 && size != 8 || write > abi.VMCallWrite {
		return abi.VMCallInvalidOperand
	}
	if gpa&m.sharedBit == 0 || (gpa+size-1)&m.sharedBit == 0 || gpa >= m.sharedBit<<1 {
		return abi.VMCallInvalidOperand
	}
	gpa &^= m.sharedBit
	if write == abi.VMCallWrite {
		m.host.Store(c, gpa, int(size), r[x86.R15])
	} else {
		r[x86.R11] = m.host.Load(c, gpa, int(size))
	}
	return abi.VMCallSuccess
}

// callMapGPA is TDG.VP.VMCALL<MapGPA>: R12 is the start with the shared bit as the pages are to have it, R13 the size
// in bytes. RETRY, and the address to go on at in R11, keeps one call short. (KVM, tdx_map_gpa)
func (m *Module) callMapGPA(c *x86.CPU, r *callRegisters) abi.VMCallStatus {
	gpa, size := r[x86.R12], r[x86.R13]
	r[x86.R11] = gpa
	to := physical.Private
	if gpa&m.sharedBit != 0 {
		to = physical.Shared
	}
	bit := gpa & m.sharedBit
	limit := bit + m.sharedBit // no range reaches from private addresses into shared ones
	switch {
	case gpa+size <= gpa, gpa+size > limit:
		return abi.VMCallInvalidOperand
	case (gpa|size)%mem.PageSize != 0:
		return abi.VMCallAlignError
	}
	start := gpa &^ bit
	next, ok := m.host.Convert(c, start, start+size, to)
	switch {
	case !ok:
		r[x86.R11] = next | bit
		return abi.VMCallInvalidOperand
	case next < start+size:
		r[x86.R11] = next | bit
		return abi.VMCallRetry
	}
	return abi.VMCallSuccess
}

// fatalMessage collects the 64 bytes of a message; what is not printable ends it.
func fatalMessage(r *callRegisters) string {
	var b strings.Builder
	for _, i := range []int{x86.R14, x86.R15, x86.RBX, x86.RDI, x86.RSI, x86.R8, x86.R9, x86.RDX} {
		for k := range 8 {
			ch := byte(r[i] >> (8 * k))
			if ch < ' ' || ch > '~' {
				return b.String()
			}
			b.WriteByte(ch)
		}
	}
	return b.String()
}
