package tdx

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/x86"
)

// A field of TD-scope metadata is known by its class and code; the other bits of an identifier are its size and how
// to iterate (ABI, "Metadata field identifier"; module, md_field_id_t).
type fieldKey struct {
	nonArch bool
	class   uint8
	code    uint32
}

// Bits of an identifier.
const (
	fieldCode     = 0xFF_FFFF
	fieldReserved = 0xFF<<24 | 7<<47 | 1<<55 | 1<<62
	fieldLast     = 0xF<<34 | 0x1FF<<38 // LAST_ELEMENT_IN_FIELD, LAST_FIELD_IN_SEQUENCE: 0 for one element
	fieldClass    = 56                  // position of six bits
	fieldNonArch  = 1 << 63
)

// Fields (module, auto_gen/tdr_tdcs_fields_lookup.c).
var (
	fieldNumVCPUs      = fieldKey{true, 0x10, 0x01}
	fieldAttributes    = fieldKey{false, 0x11, 0x00}
	fieldXFAM          = fieldKey{false, 0x11, 0x01}
	fieldMaxVCPUs      = fieldKey{false, 0x11, 0x02}
	fieldGPAW          = fieldKey{false, 0x11, 0x03}
	fieldTSCFrequency  = fieldKey{false, 0x11, 0x0C}
	fieldNotifyEnables = fieldKey{true, 0x11, 0x10}
	fieldConfigFlags   = fieldKey{false, 0x11, 0x16}
	fieldTDCtls        = fieldKey{false, 0x11, 0x17}
)

const (
	classMeasurement = 0x13
	codeRTMR         = 0x40 // and three more, 8 codes apart, of six elements
	codeBehindRTMR   = codeRTMR + rtmrs*8

	configGPAW52     = 1 << 0 // CONFIG_FLAGS
	configNoRBPMod   = 1 << 2 // TDG.VP.VMCALL leaves RBP alone
	pendingVEDisable = 1 << 0 // TD_CTLS
	notifyWritable   = 1 << 0 // NOTIFY_ENABLES: zero-step attack notification
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
		return configNoRBPMod | boolBit(m.cfg.GPAW == 52)*configGPAW52, true
	case fieldTDCtls:
		return boolBit(m.cfg.Attributes&AttrSEPTVEDisable != 0) * pendingVEDisable, true
	}
	if !k.nonArch && k.class == classMeasurement && k.code >= codeRTMR && k.code < codeBehindRTMR && k.code%8 < 6 {
		d := &m.rtmr[(k.code-codeRTMR)/8]
		return binary.LittleEndian.Uint64(d[k.code%8*8:]), true
	}
	return 0, false
}

// field takes an identifier apart.
func field(id uint64) (fieldKey, bool) {
	k := fieldKey{id&fieldNonArch != 0, uint8(id >> fieldClass & 0x3F), uint32(id & fieldCode)}
	return k, id&(fieldReserved|fieldLast) == 0
}

// vmRead is TDG.VM.RD: RDX is the field, R8 becomes its value (module, tdg_vm_rd_wr.c). Version 1, which returns the
// next field's identifier for iterating over all of them, is refused as a version that is not supported.
func (m *Module) vmRead(c *x86.CPU, version uint64) Status {
	c.R[x86.R8] = 0
	switch {
	case version > 0:
		return OperandInvalid.with(operandRAX)
	case c.R[x86.RCX] != 0: // the TD itself
		return OperandInvalid.with(operandRCX)
	}
	k, ok := field(c.R[x86.RDX])
	if !ok {
		return MetadataFieldIDIncorrect
	}
	v, ok := m.readField(k)
	if !ok {
		return MetadataFieldIDIncorrect
	}
	c.R[x86.R8] = v
	return Success
}

// vmWrite is TDG.VM.WR: RDX is the field, R8 the value and R9 the mask of bits to write; R8 becomes what was there.
// Only NOTIFY_ENABLES can be changed. TD_CTLS can be written as it is: without CONFIG_FLAGS.FLEXIBLE_PENDING_VE,
// PENDING_VE_DISABLE is fixed when the TD is made.
func (m *Module) vmWrite(c *x86.CPU) Status {
	value, mask := c.R[x86.R8], c.R[x86.R9]
	c.R[x86.R8] = 0
	if c.R[x86.RCX] != 0 {
		return OperandInvalid.with(operandRCX)
	}
	k, ok := field(c.R[x86.RDX])
	if !ok {
		return MetadataFieldIDIncorrect
	}
	old, ok := m.readField(k)
	if !ok {
		return MetadataFieldIDIncorrect
	}
	var writable uint64
	switch k {
	case fieldNotifyEnables:
		writable = notifyWritable
	case fieldTDCtls:
		writable = pendingVEDisable
	}
	switch {
	case mask&writable == 0:
		return MetadataNotWritable
	case (old^value)&mask&^writable != 0:
		return MetadataValueNotValid
	case k == fieldTDCtls && (old^value)&mask != 0:
		return MetadataValueNotValid
	}
	if k == fieldNotifyEnables {
		m.notify = old&^mask | value&mask
	}
	c.R[x86.R8] = old
	return Success
}

func boolBit(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}
