package vm

import "github.com/tacit-vm/tacit/record"

// costs is what virtual time went to.
func (m *Machine) costs() record.Costs {
	c := record.Costs{Total: record.SpentOn(m.tally(), m.cfg.Cost)}
	if m.toInit != nil {
		c.Init = new(record.SpentOn(*m.toInit, m.cfg.Cost))
	}
	return c
}
