package snp

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// What a guest does that a host could use. It changes nothing of what becomes of the guest.

// Findings returns what the guest has done so far.
func (p *Platform) Findings() confidential.Findings { return p.findings }

func (p *Platform) found(c *x86.CPU, page uint64) confidential.Found {
	return confidential.Found{Stamp: p.cfg.Stamp(c), CPU: c.ID(), GPA: page, RIP: c.RIP()}
}

// isTaken says whether the guest has validated any of a page and not given it back.
func (p *Platform) isTaken(page uint64, size physical.PageSize) bool {
	return p.rmp.Any(page/mem.PageSize, (page+size.Bytes())/mem.PageSize, func(s pageState) bool { return s&taken != 0 })
}

// giveBack notes that the guest does not count [start, end) as validated any more: by its own word.
func (p *Platform) giveBack(start, end uint64) {
	p.rmp.Update(start/mem.PageSize, end/mem.PageSize, func(s pageState) pageState { return s &^ taken })
}

// findValidation looks at a successful PVALIDATE of the guest's: again says that it had validated some of the page, and
// changed what CF told it.
func (p *Platform) findValidation(c *x86.CPU, page uint64, size physical.PageSize, again, changed bool) {
	if again {
		p.findings.Note(confidential.AcceptedAgain, p.found(c, page))
	}
	told := &p.vcpuOf(c).told
	if was, wentOn := told.Accepts(page); wentOn {
		at := p.found(c, was.Start)
		at.RIP = was.RIP
		p.findings.Note(confidential.WentOn, at)
	}
	if !changed {
		*told = confidential.Told{Start: page, End: page + size.Bytes(), RIP: c.RIP()}
	}
}
