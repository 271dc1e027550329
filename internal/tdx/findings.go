package tdx

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// What a TD does that a host could use. It changes nothing of what becomes of it.

// Findings returns what the TD has done so far.
func (m *Module) Findings() confidential.Findings { return m.findings }

func (m *Module) found(c *x86.CPU, page uint64) confidential.Found {
	return confidential.Found{Stamp: m.cfg.Stamp(c), CPU: c.ID(), GPA: page, RIP: c.RIP()}
}

// isTaken says whether the guest has accepted any of a page and not given it back.
func (m *Module) isTaken(page uint64, size physical.PageSize) bool {
	return m.pages.Any(page/mem.PageSize, (page+size.Bytes())/mem.PageSize, func(s pageState) bool { return s&taken != 0 })
}

// giveBack notes that the guest does not count [start, end) as accepted any more: by its own word.
func (m *Module) giveBack(start, end uint64) {
	m.pages.Update(start/mem.PageSize, end/mem.PageSize, func(s pageState) pageState { return s &^ taken })
}

// findAcceptance looks at a TDG.MEM.PAGE.ACCEPT of the guest's: again says that it had accepted some of the page. That
// it is accepted still counts, too, unless it asks for the wrong size only.
func (m *Module) findAcceptance(c *x86.CPU, page uint64, size physical.PageSize, again bool, s abi.Status) {
	told := s.Code() == abi.PageAlreadyAccepted
	if !told && s != abi.Success {
		return
	}
	if again {
		m.findings.Note(confidential.AcceptedAgain, m.found(c, page))
	}
	v := m.vpOf(c)
	if was, wentOn := v.told.Accepts(page); wentOn {
		at := m.found(c, was.Start)
		at.RIP = was.RIP
		m.findings.Note(confidential.WentOn, at)
	}
	if told {
		v.told = confidential.Told{Start: page, End: page + size.Bytes(), RIP: c.RIP()}
	}
}
