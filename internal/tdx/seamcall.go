package tdx

import (
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// This file is the host's side of the module: what a VMM does to a TD's memory, with the rules that hold whatever it
// does. Addresses are without shared bit, multiples of the page size. The processor is the one whose TD exit the host
// is in; it stamps the record, the host charges the time.

const (
	pagesIn2M = 512
	size2M    = pagesIn2M * mem.PageSize
)

// AddPage adds a private page, which is pending: TDH.MEM.SEPT.ADD where needed, then TDH.MEM.PAGE.AUG. Pages are 4
// KiB or 2 MiB in this version of the module, wholly RAM, and replace nothing.
func (m *Module) AddPage(c *x86.CPU, gpa uint64, size physical.PageSize) error {
	const call = "TDH.MEM.PAGE.AUG"
	if size > physical.Size2M || gpa%size.Bytes() != 0 || !m.isRAM(gpa, size.Bytes()) {
		return &StatusError{call, gpa, abi.OperandInvalid.With(abi.OperandRCX)}
	}
	page := gpa / mem.PageSize
	switch s := m.pages.At(page); {
	case size == physical.Size4K && s&small == 0 && s.private() != absent:
		return &StatusError{call, gpa, abi.EPTWalkFailed.With(abi.OperandRCX)} // a 2 MiB page is in the way
	case s.private() != absent, size == physical.Size2M && s&small != 0:
		return &StatusError{call, gpa, abi.EPTEntryStateIncorrect.With(abi.OperandRCX)}
	}
	if size == physical.Size4K {
		first := page &^ (pagesIn2M - 1)
		m.pages.Update(first, first+pagesIn2M, func(s pageState) pageState { return s | small })
	}
	m.pages.Update(page, page+size.Bytes()/mem.PageSize, func(s pageState) pageState { return s.with(pending) })
	m.log.Add(record.Added{Stamp: m.cfg.Stamp(c), GPA: record.Address(gpa), Bytes: size.Bytes(), Size: size})
	return nil
}

// RemovePages takes the private pages in [start, end) away, contents and all: TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK,
// TDH.MEM.PAGE.REMOVE. What is absent stays so. A 2 MiB page that reaches over the range is split first.
func (m *Module) RemovePages(c *x86.CPU, start, end uint64) error {
	if err := m.checkRange("TDH.MEM.PAGE.REMOVE", start, end); err != nil {
		return err
	}
	for _, edge := range []uint64{start, end} {
		if s := m.pages.At(edge / mem.PageSize); edge%size2M != 0 && s&small == 0 && s.private() != absent {
			m.setSmall(edge, true)
		}
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if !m.pages.Any(first, after, func(s pageState) bool { return s.private() != absent }) {
		return nil
	}
	m.pages.Update(first, after, func(s pageState) pageState { return s.with(absent) })
	m.cfg.Forget(physical.Private, start, end)
	return m.mem.Release(physical.Private, start, end)
}

// SplitPage makes 512 pages of the 2 MiB page at gpa: TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK, TDH.MEM.PAGE.DEMOTE. State
// and contents stay.
func (m *Module) SplitPage(_ *x86.CPU, gpa uint64) error {
	const call = "TDH.MEM.PAGE.DEMOTE"
	if gpa%size2M != 0 || !m.isRAM(gpa, size2M) {
		return &StatusError{call, gpa, abi.OperandInvalid.With(abi.OperandRCX)}
	}
	if s := m.pages.At(gpa / mem.PageSize); s&small != 0 || s.private() == absent {
		return &StatusError{call, gpa, abi.EPTEntryStateIncorrect.With(abi.OperandRCX)}
	}
	m.setSmall(gpa, true)
	return nil
}

// JoinPages makes one 2 MiB page of the 512 at gpa, which must be accepted: TDH.MEM.RANGE.BLOCK, TDH.MEM.TRACK,
// TDH.MEM.PAGE.PROMOTE.
func (m *Module) JoinPages(_ *x86.CPU, gpa uint64) error {
	const call = "TDH.MEM.PAGE.PROMOTE"
	if gpa%size2M != 0 || !m.isRAM(gpa, size2M) {
		return &StatusError{call, gpa, abi.OperandInvalid.With(abi.OperandRCX)}
	}
	first := gpa / mem.PageSize
	if m.pages.Any(first, first+pagesIn2M, func(s pageState) bool { return s&small == 0 || s.private() != accepted }) {
		return &StatusError{call, gpa, abi.EPTEntryStateIncorrect.With(abi.OperandRCX)}
	}
	m.setSmall(gpa, false)
	return nil
}

// setSmall sets the size of the 2 MiB page around gpa.
func (m *Module) setSmall(gpa uint64, is bool) {
	first := gpa / size2M * pagesIn2M
	m.pages.Update(first, first+pagesIn2M, func(s pageState) pageState {
		if is {
			return s | small
		}
		return s &^ small
	})
}

// Share maps [start, end) in the shared EPT, which is the host's own. The private pages there are another matter: an
// honest host removes them.
func (m *Module) Share(c *x86.CPU, start, end uint64) error {
	return m.setShared(c, start, end, physical.Shared)
}

// Unshare takes [start, end) out of the shared EPT, and the contents with it.
func (m *Module) Unshare(c *x86.CPU, start, end uint64) error {
	return m.setShared(c, start, end, physical.Private)
}

func (m *Module) setShared(c *x86.CPU, start, end uint64, to physical.Plane) error {
	if err := m.checkRange("mapping the shared page", start, end); err != nil {
		return err
	}
	var flag pageState
	plane := physical.Private
	if to == physical.Shared {
		flag, plane = shared, physical.Shared
	}
	first, after := start/mem.PageSize, end/mem.PageSize
	if !m.pages.Any(first, after, func(s pageState) bool { return s&shared != flag }) {
		return nil
	}
	m.pages.Update(first, after, func(s pageState) pageState { return s&^shared | flag })
	m.log.Convert(record.Converted{Stamp: m.cfg.Stamp(c), GPA: record.Address(start), Bytes: end - start, To: plane})
	if to == physical.Shared {
		return nil
	}
	m.cfg.Forget(physical.Shared, start, end)
	return m.mem.Release(physical.Shared, start, end)
}

// Shared says whether any page in [start, end) is mapped in the shared EPT.
func (m *Module) Shared(start, end uint64) bool {
	return m.pages.Any(start/mem.PageSize, end/mem.PageSize, func(s pageState) bool { return s&shared != 0 })
}

func (m *Module) checkRange(call string, start, end uint64) error {
	if start >= end || (start|end)%mem.PageSize != 0 || !m.isRAM(start, end-start) {
		return &StatusError{call, start, abi.OperandInvalid.With(abi.OperandRCX)}
	}
	return nil
}
