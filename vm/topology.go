package vm

import (
	"cmp"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A Topology says how the processors are parts of cores, packages and NUMA nodes. Each node has an equal share of the memory.
type Topology = x86.Topology

// MaxCPUs is how many processors a machine can have: their APIC IDs go from 0 to 254 at most. With 256 one would have ID 255,
// which means all, or gaps would be needed; Linux takes those above where KVM announces extended destination IDs, which here
// it does not.
const MaxCPUs = x86.MaxAPICID + 1

// nodeUnit is what a node's memory is a multiple of, in bytes: a section of Linux, which has one node.
const nodeUnit = 128 << 20

// topology returns what c asks for, with what it leaves out.
func (c *Config) topology() Topology {
	if c.Topology != (Topology{}) {
		return c.Topology
	}
	return x86.Flat(cmp.Or(c.CPUs, 1))
}

func (c *Config) checkTopology() error {
	switch {
	case c.CPUs > MaxCPUs:
		return fmt.Errorf("%d processors: want 1 to %d; APIC IDs above %d need KVM's extended destination IDs, which are not announced", c.CPUs, MaxCPUs, x86.MaxAPICID)
	case c.CPUs < 0:
		return fmt.Errorf("%d processors: want 1 to %d", c.CPUs, MaxCPUs)
	}
	t := c.topology()
	if err := t.Check(); err != nil {
		return err
	}
	switch memory := cmp.Or(c.Memory, defaultMemory); {
	case c.CPUs != 0 && c.CPUs != t.CPUs():
		return fmt.Errorf("%d processors, and the topology %v has %d", c.CPUs, t, t.CPUs())
	case uint64(t.Nodes) > memory/nodeUnit:
		return fmt.Errorf("%d nodes of %s of memory: want %s in each", t.Nodes, record.FormatBytes(memory), record.FormatBytes(nodeUnit))
	case c.Platform == TDX && t.Sparse():
		return fmt.Errorf("topology %v: there would be gaps between APIC IDs, and those of a TD are its processors' indices (CPUID of leaf 1 is the TDX module's)", t)
	}
	return nil
}

// nodes are the NUMA nodes as ACPI tells of them; none where there is one.
func (m *Machine) nodes() []acpi.Node {
	n := m.cfg.Topology.Nodes
	if n == 1 {
		return nil
	}
	nodes := make([]acpi.Node, n)
	share := m.cfg.Memory / uint64(n) / nodeUnit * nodeUnit
	ram := append([]accept.Range(nil), m.ram...)
	for i := range nodes {
		for left := share; len(ram) > 0 && (left > 0 || i == n-1); {
			r := accept.Range{Start: ram[0].Start, End: ram[0].End}
			if i < n-1 {
				r.End = min(r.End, r.Start+left)
			}
			nodes[i].Memory = append(nodes[i].Memory, r)
			left -= min(left, r.Len())
			if ram[0].Start = r.End; ram[0].Len() == 0 {
				ram = ram[1:]
			}
		}
	}
	return nodes
}
