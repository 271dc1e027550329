package tdx

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A field of TD-scope metadata is known by its class and code; the other bits of an identifier are its size and how
// to iterate ([abi.Field]).
type fieldKey struct {
	nonArch bool
	class   uint8
	code    uint32
}

// Fields (module, auto_gen/tdr_tdcs_fields_lookup.c).
var (
	fieldNumVCPUs      = fieldKey{true, 0x10, 0x01}
	fieldAttributes    = fieldKey{false, 0x11, 0x00}
	fieldXFAM          = fieldKey{false, 0x11, 0x01}
	fieldMaxVCPUs      = fieldKey{false, 0x11, 0x02}
	fieldGPAW          = fieldKey{false, 0x11, 0x03}
	fieldTSCFrequency  = fieldKey{false, 0x11, 0x0C}
	fieldNotifyEnables = keyOf(abi.FieldNotifyEnables)
	fieldConfigFlags   = keyOf(abi.FieldConfigFlags)
	fieldTDCtls        = keyOf(abi.FieldTDCtls)
)

const (
	classMeasurement = 0x13
	codeRTMR         = 0x40 // and three more, 8 codes apart, of six elements
	codeBehindRTMR   = codeRTMR + rtmrs*8
)

// readField returns the value of a TD-scope field that a guest may read.
func (m *Module) readField(k fieldKey) (uint64, bool) {
	switch k {
	case fieldNumVCPUs:
		return uint64(m.cfg.CPUs), true
	case fieldAttributes:
		return m.cfg.Attributes, true
	case fieldXFAM:
		return xfam, true
	case fieldMaxVCPUs:
		return uint64(m.cfg.CPUs), true
	case fieldGPAW:
		return boolBit(m.cfg.GPAW == 52), true
	case fieldTSCFrequency:
		return m.cfg.TSCHz / tscUnit, true
	case fieldNotifyEnables:
		return m.notify, true
	case fieldConfigFlags:
		return abi.ConfigNoRBPMod | boolBit(m.cfg.GPAW == 52)*abi.ConfigGPAW52, true
	case fieldTDCtls:
		return boolBit(m.cfg.Attributes&abi.AttrSEPTVEDisable != 0) * abi.PendingVEDisable, true
	}
	if !k.nonArch && k.class == classMeasurement && k.code >= codeRTMR && k.code < codeBehindRTMR && k.code%8 < 6 {
		d := &m.rtmr[(k.code-codeRTMR)/8]
		return binary.LittleEndian.Uint64(d[k.code%8*8:]), true
	}
	return 0, false
}

func keyOf(f abi.Field) fieldKey { return fieldKey{f.NonArch(), f.Class(), f.Code()} }

// field takes an identifier apart.
func field(id uint64) (fieldKey, bool) { return keyOf(abi.Field(id)), abi.Field(id).Single() }

// vmRead is TDG.VM.RD: RDX is the field, R8 becomes its value (module, tdg_vm_rd_wr.c). Version 1, which returns the
// next field's identifier for iterating over all of them, is refused as a version that is not supported.
func (m *Module) vmRead(c *x86.CPU, version uint64) abi.Status {
	c.R[x86.R8] = 0
	switch {
	case version > 0:
		return abi.OperandInvalid.With(abi.OperandRAX)
	case c.R[x86.RCX] != 0: // the TD itself
		return abi.OperandInvalid.With(abi.OperandRCX)
	}
	k, ok := field(c.R[x86.RDX])
	if !ok {
		return abi.MetadataFieldIDIncorrect
	}
	v, ok := m.readField(k)
	if !ok {
		return abi.MetadataFieldIDIncorrect
	}
	c.R[x86.R8] = v
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
	k, ok := field(c.R[x86.RDX])
	if !ok {
		return abi.MetadataFieldIDIncorrect
	}
	old, ok := m.readField(k)
	if !ok {
		return abi.MetadataFieldIDIncorrect
	}
	var writable uint64
	switch k {
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
	case k == fieldTDCtls && (old^value)&mask != 0:
		return abi.MetadataValueNotValid
	}
	if k == fieldNotifyEnables {
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
