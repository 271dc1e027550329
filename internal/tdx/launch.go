package tdx

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// AddLaunched adds pages that the TD finds accepted at its start, with contents: TDH.MEM.PAGE.ADD. Whole pages of RAM in
// [start, end), where none are; where content is shorter, zeros follow. Nothing is measured.
func (m *Module) AddLaunched(c *x86.CPU, start, end uint64, content []byte) error {
	const call = "TDH.MEM.PAGE.ADD"
	if err := m.checkRange(call, start, end); err != nil {
		return err
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if uint64(len(content)) > end-start || m.pages.Any(first, after, func(s pageState) bool { return s.private() != absent }) {
		return &StatusError{call, start, abi.EPTEntryStateIncorrect.With(abi.OperandRCX)}
	}
	for gpa := start &^ (size2M - 1); gpa < end; gpa += size2M {
		m.setSmall(gpa, true)
	}
	m.pages.Update(first, after, func(s pageState) pageState { return s.with(accepted) })
	m.log.Add(record.Added{Stamp: m.cfg.Stamp(c), GPA: record.Address(start), Bytes: end - start, Size: physical.Size4K})
	return m.mem.Write(physical.Private, start, content)
}

// Segments and control registers of a processor that has not run yet (Intel TDX Module 1.5 Base Architecture Specification, 11.4,
// initial state of guest registers): protected mode with flat segments, without paging.
const (
	launchCode  = 0xC09B
	launchData  = 0xC093
	launchLDT   = 0x0082
	launchTSS   = 0x008B
	launchLimit = 0xFFFF_FFFF
	launchRIP   = 0xFFFF_FFF0
)

// Launch puts a processor into the state in which it begins: TDH.VP.INIT, which hands rcx over.
func (m *Module) Launch(c *x86.CPU, rcx uint64) {
	c.INIT()
	s := c.State()
	data := x86.Segment{Limit: launchLimit, Attr: launchData}
	s.Seg = [6]x86.Segment{data, {Limit: launchLimit, Attr: launchCode}, data, data, data, data}
	s.LDTR, s.TR = x86.Segment{Attr: launchLDT}, x86.Segment{Limit: 0xFFFF, Attr: launchTSS}
	s.RIP = launchRIP
	s.CR0, s.CR4 = x86.CR0PE|x86.CR0ET|x86.CR0NE, x86.CR4MCE
	s.EFER = x86.EFERSCE | x86.EFERLME | x86.EFERNXE
	s.GPR = [16]uint64{x86.RBX: uint64(m.cfg.GPAW), x86.RCX: rcx, x86.RDX: s.GPR[x86.RDX], x86.RSI: uint64(c.ID()), x86.R8: rcx}
	c.SetState(&s)
}
