package tdx

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// readTD returns the value of an element of a field of the TD's that a guest may read. Measurements and names are zero here, but
// for the RTMRs: nothing is measured into the TD, no service TD is bound to it, and the host has given it no identity.
func (m *Module) readTD(f field, element uint32) uint64 {
	switch f.id {
	case idNumVCPUs, idMaxVCPUs:
		return uint64(m.cfg.CPUs)
	case idAttributes:
		return m.cfg.Attributes
	case idXFAM:
		return xfam
	case idGPAW:
		return boolBit(m.cfg.GPAW == 52)
	case idTSCFrequency:
		return m.cfg.TSCHz / tscUnit
	case idNotifyEnables:
		return m.notify
	case idConfigFlags:
		return abi.ConfigNoRBPMod | boolBit(m.cfg.GPAW == 52)*abi.ConfigGPAW52
	case idTDCtls:
		return boolBit(m.cfg.Attributes&abi.AttrSEPTVEDisable != 0) * abi.PendingVEDisable
	case idRTMR:
		const each = sha512.Size384 / 8
		return binary.LittleEndian.Uint64(m.rtmr[element/each][element%each*8:])
	}
	return 0
}

// vmRead is TDG.VM.RD: RDX is the field, R8 becomes its value (module, tdg_vm_rd_wr.c). Of a field that there is and that
// is not the guest's to read, the status says so. In version 1 RDX becomes the next field that there is.
func (m *Module) vmRead(c *x86.CPU, version uint64) abi.Status {
	id := abi.Field(c.R[x86.RDX])
	c.R[x86.R8] = 0
	if version > 0 {
		c.R[x86.RDX] = uint64(abi.NoField)
	}
	switch {
	case version > 1:
		return abi.OperandInvalid.With(abi.OperandRAX)
	case c.R[x86.RCX] != 0: // the TD itself
		return abi.OperandInvalid.With(abi.OperandRCX)
	case version == 1 && id.IsNone():
		c.R[x86.RDX] = uint64(tdFields.from(0))
		return abi.MetadataFirstFieldID
	}
	id = id.In(abi.ContextTD)
	f, element, s := lookUpTD(id)
	switch {
	case s != abi.Success:
		return s
	case !f.readable:
		return abi.MetadataNotReadable
	}
	c.R[x86.R8] = m.readTD(f, element)
	if version > 0 {
		c.R[x86.RDX] = uint64(tdFields.after(id))
	}
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
	f, element, s := lookUpTD(abi.Field(c.R[x86.RDX]))
	if s != abi.Success {
		return s
	}
	// What is the module's own business has no value here, and no bit of it can be written, which is asked first
	// (md_td_write_element).
	old := m.readTD(f, element)
	var writable uint64
	switch f.id {
	case idNotifyEnables:
		writable = abi.NotifyZeroStep
	case idTDCtls:
		writable = abi.PendingVEDisable
	}
	switch {
	case mask&writable == 0:
		return abi.MetadataNotWritable
	case (old^value)&mask&^writable != 0:
		return abi.MetadataValueNotValid
	case f.id == idTDCtls && (old^value)&mask != 0:
		return abi.MetadataValueNotValid
	}
	if f.id == idNotifyEnables {
		m.notify = old&^mask | value&mask
	}
	c.R[x86.R8] = old
	return abi.Success
}

// vpRead is TDG.VP.RD: RDX is the field and becomes the next that there is, R8 its value (module, tdg_vp_rd_wr.c).
func (m *Module) vpRead(c *x86.CPU) abi.Status {
	id := abi.Field(c.R[x86.RDX])
	c.R[x86.RDX], c.R[x86.R8] = uint64(abi.NoField), 0
	switch {
	case c.R[x86.RCX] != 0:
		return abi.OperandInvalid.With(abi.OperandRCX)
	case id.IsNone():
		c.R[x86.RDX] = uint64(vpFields.from(0))
		return abi.MetadataFirstFieldID
	}
	id = id.In(abi.ContextVP)
	f, element, s := lookUpVP(id)
	switch {
	case s != abi.Success:
		return s
	case !f.readable:
		return abi.MetadataNotReadable
	}
	c.R[x86.RDX], c.R[x86.R8] = uint64(vpFields.after(id)), m.readVP(c, f, element)
	return abi.Success
}

// vpWrite is TDG.VP.WR: RDX is the field, R8 the value and R9 the mask of bits to write; R8 becomes what was there (module,
// md_vp_write_element in metadata_vp.c).
func (m *Module) vpWrite(c *x86.CPU) abi.Status {
	value, mask := c.R[x86.R8], c.R[x86.R9]
	c.R[x86.R8] = 0
	if c.R[x86.RCX] != 0 {
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	f, element, s := lookUpVP(abi.Field(c.R[x86.RDX]))
	if s != abi.Success {
		return s
	}
	old, writable := m.readVP(c, f, element), writableVP(f)
	switch {
	case mask&writable == 0:
		return abi.MetadataNotWritable
	case (old^value)&mask&^writable != 0:
		return abi.MetadataValueNotValid
	}
	m.writeVP(c, f, element, old&^(mask&writable)|value&mask&writable)
	c.R[x86.R8] = old
	return abi.Success
}

func boolBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
