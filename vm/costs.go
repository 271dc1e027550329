package vm

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/record"
)

// costs is what virtual time went to.
func (m *Machine) costs() record.Costs {
	c := record.Costs{Total: record.SpentOn(m.tally(), m.cfg.Cost)}
	if m.toInit != nil {
		c.Init = new(record.SpentOn(*m.toInit, m.cfg.Cost))
	}
	for id, p := range m.cpus {
		t := p.Tally()
		for _, l := range cost.Locks() {
			if w := t.Contended(l); w.Count > 0 {
				c.Contention = append(c.Contention, record.Contention{CPU: id, Lock: l.String(), Charged: record.Charged(w)})
			}
		}
	}
	return c
}
