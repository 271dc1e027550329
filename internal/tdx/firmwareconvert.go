package tdx

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// ConvertRange makes [r.Start, r.End), which firmware has accepted, shared or private as OVMF does for devices
// (OvmfPkg/IoMmuDxe): by MapGPA, and what becomes private is accepted. The contents are lost. A host that does not do it is a
// *StatusError. Time is charged to c.
func (m *Module) ConvertRange(c *x86.CPU, r accept.Range, to physical.Plane) error {
	call := abi.VMCallMapGPA.String()
	for at := r.Start; at < r.End; {
		m.exit(c, exitTDVMCALL)
		next, ok := m.host.Convert(c, at, r.End, to)
		if ok = ok && next > at && next <= r.End; !ok {
			m.call(c, record.TDVMCALL, call, abi.VMCallInvalidOperand.Name())
			return &StatusError{call, at, abi.OperandInvalid}
		}
		m.call(c, record.TDVMCALL, call, abi.VMCallSuccess.Name())
		at = next
	}
	if to == physical.Private {
		return m.AcceptRange(c, r)
	}
	return nil
}
