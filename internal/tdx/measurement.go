package tdx

import (
	"crypto/sha512"
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A digest is a measurement: SHA-384.
type digest [sha512.Size384]byte

// rtmrs is the number of run-time extendable measurement registers.
const rtmrs = 4

// xfam is the TD's extended features: x87 and SSE (ABI, XFAM; bits as in XCR0).
const xfam = 3

// rtmrExtend is TDG.MR.RTMR.EXTEND: the register RDX becomes the hash of itself and the 48 bytes at the private
// address RCX (module, tdg_mr_rtmr_extend.c).
func (m *Module) rtmrExtend(c *x86.CPU) x86.Action {
	name := abi.LeafMRRTMRExtend.String()
	gpa, index := c.R[x86.RCX], c.R[x86.RDX]
	if gpa%64 != 0 || gpa >= m.sharedBit {
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRCX))
	}
	var data [2 * sha512.Size384]byte
	if !m.readGuest(c, gpa, data[sha512.Size384:]) {
		return x86.Raised
	}
	if index >= rtmrs {
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRDX))
	}
	copy(data[:], m.rtmr[index][:])
	m.rtmr[index] = sha512.Sum384(data[:])
	return m.tdcallDone(c, name, abi.Success)
}

// TDREPORT_STRUCT (ABI; module, tdx_api_defs.h): offsets of what is not zero.
const (
	reportSize     = 1024
	reportDataSize = 64

	reportType       = 0 // REPORTTYPE: TEE type, subtype, version
	reportTEETDX     = 0x81
	reportTCBHash    = 32  // SHA-384 of TEE_TCB_INFO
	reportInfoHash   = 80  // SHA-384 of TDINFO
	reportData       = 128 // what the caller passes
	reportTCBInfo    = 256
	reportTDInfo     = 512
	tdInfoAttributes = reportTDInfo
	tdInfoXFAM       = reportTDInfo + 8
	tdInfoRTMR       = reportTDInfo + 208
)

// mrReport is TDG.MR.REPORT: it writes a TDREPORT_STRUCT to RCX for the 64 bytes at RDX (module, tdg_mr_report.c).
//
// The report is true and proves nothing: no processor's secret key is here, so that its MAC is zero and neither a
// quoting enclave nor TDG.MR.VERIFYREPORT would take it. MRTD is zero, because no page is measured into this TD, and
// so is what describes the module.
func (m *Module) mrReport(c *x86.CPU) x86.Action {
	name := abi.LeafMRReport.String()
	to, from := c.R[x86.RCX], c.R[x86.RDX]
	switch {
	case to%reportSize != 0:
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRCX))
	case from%reportDataSize != 0, from >= m.sharedBit<<1:
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRDX))
	}
	var r [reportSize]byte
	if !m.readGuest(c, from, r[reportData:reportData+reportDataSize]) {
		return x86.Raised
	}
	switch {
	case c.R[x86.R8] != 0: // subtype
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandR8))
	case to >= m.sharedBit<<1:
		return m.tdcallDone(c, name, abi.OperandInvalid.With(abi.OperandRCX))
	}
	r[reportType] = reportTEETDX
	binary.LittleEndian.PutUint64(r[tdInfoAttributes:], m.cfg.Attributes)
	binary.LittleEndian.PutUint64(r[tdInfoXFAM:], xfam)
	for i := range m.rtmr {
		copy(r[tdInfoRTMR+i*len(m.rtmr[i]):], m.rtmr[i][:])
	}
	tcb, info := sha512.Sum384(r[reportTCBInfo:reportTDInfo]), sha512.Sum384(r[reportTDInfo:])
	copy(r[reportTCBHash:], tcb[:])
	copy(r[reportInfoHash:], info[:])
	if !m.writeGuest(c, to, r[:]) {
		return x86.Raised
	}
	return m.tdcallDone(c, name, abi.Success)
}

// readGuest reads what lies at gpa, with its shared bit, within one page, by the guest's rights. Where it may not it
// raises what the guest would, or ends the run, and returns false.
func (m *Module) readGuest(c *x86.CPU, gpa uint64, p []byte) bool {
	t, r := m.Resolve(c, gpa, x86.Access{Kind: x86.Read})
	if c.Refused(r) {
		return false
	}
	return !stopped(c, m.mem.Read(t.Frame.Plane(), t.GPA|gpa&0xFFF, p))
}

// writeGuest is readGuest for writing.
func (m *Module) writeGuest(c *x86.CPU, gpa uint64, p []byte) bool {
	t, r := m.Resolve(c, gpa, x86.Access{Kind: x86.Write})
	if c.Refused(r) {
		return false
	}
	return !stopped(c, m.mem.Write(t.Frame.Plane(), t.GPA|gpa&0xFFF, p))
}

func stopped(c *x86.CPU, err error) bool {
	if err != nil {
		c.Stop(err)
	}
	return err != nil
}
