package tdx

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// readField returns the value of an element of a field that a guest may read. Measurements and names are zero here, but
// for the RTMRs: nothing is measured into the TD, no service TD is bound to it, and the host has given it no identity.
func (m *Module) readField(f field, element uint32) uint64 {
	switch f {
	case fieldNumVCPUs, fieldMaxVCPUs:
		return uint64(m.cfg.CPUs)
	case fieldAttributes:
		return m.cfg.Attributes
	case fieldXFAM:
		return xfam
	case fieldGPAW:
		return boolBit(m.cfg.GPAW == 52)
	case fieldTSCFrequency:
		return m.cfg.TSCHz / tscUnit
	case fieldNotifyEnables:
		return m.notify
	case fieldConfigFlags:
		return abi.ConfigNoRBPMod | boolBit(m.cfg.GPAW == 52)*abi.ConfigGPAW52
	case fieldTDCtls:
		return boolBit(m.cfg.Attributes&abi.AttrSEPTVEDisable != 0) * abi.PendingVEDisable
	case fieldRTMR:
		const each = sha512.Size384 / 8
		return binary.LittleEndian.Uint64(m.rtmr[element/each][element%each*8:])
	}
	return 0
}

// vmRead is TDG.VM.RD: RDX is the field, R8 becomes its value (module, tdg_vm_rd_wr.c). Of a field that there is and that
// is not the guest's to read, the status says so. Version 1, which returns the next field's identifier for iterating over
// all of them, is refused as a version that is not supported.
func (m *Module) vmRead(c *x86.CPU, version uint64) abi.Status {
	c.R[x86.R8] = 0
	switch {
	case version > 0:
		return abi.OperandInvalid.With(abi.OperandRAX)
	case c.R[x86.RCX] != 0: // the TD itself
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	f, element, s := lookUp(abi.Field(c.R[x86.RDX]))
	switch {
	case s != abi.Success:
		return s
	case !f.readable:
		return abi.MetadataNotReadable
	}
	c.R[x86.R8] = m.readField(f, element)
	return abi.Success
}

// vmWrite is TDG.VM.WR: RDX is the field, R8 the value and R9 the mask of bits to write; R8 becomes what was there.
// Only NOTIFY_ENABLES can be changed. TD_CTLS can be written as it is: without CONFIG_FLAGS.FLEXIBLE_PENDING_VE,
// PENDING_VE_DISABLE is fixed when the TD is made.
func (m *Module) vmWrite(c *x86.CPU) abi.Status {
	value, mask := c.R[x86.R8], c.R[x86.R9]
	c.R[x86.R8] = 0
	if c.R[x86.RCX] != 0 {
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	f, element, s := lookUp(abi.Field(c.R[x86.RDX]))
	if s != abi.Success {
		return s
	}
	// What is the module's own business has no value here, and no bit of it can be written, which is asked first
	// (md_td_write_element).
	old := m.readField(f, element)
	var writable uint64
	switch f {
	case fieldNotifyEnables:
		writable = abi.NotifyZeroStep
	case fieldTDCtls:
		writable = abi.PendingVEDisable
	}
	switch {
	case mask&writable == 0:
		return abi.MetadataNotWritable
	case (old^value)&mask&^writable != 0:
		return abi.MetadataValueNotValid
	case f == fieldTDCtls && (old^value)&mask != 0:
		return abi.MetadataValueNotValid
	}
	if f == fieldNotifyEnables {
		m.notify = old&^mask | value&mask
	}
	c.R[x86.R8] = old
	return abi.Success
}

func boolBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
