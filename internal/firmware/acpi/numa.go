package acpi

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/accept"
)

// A Node is a NUMA node.
type Node struct {
	Memory []accept.Range // guest-physical
}

const maxNodes = 256

// Affinity structures of the SRAT (ACPI 6.5, tables 5.60 and 5.62).
const (
	sratMemory = 1
	sratX2APIC = 2

	sratMemorySize, sratX2APICSize = 40, 24
)

// Distances of the SLIT (ACPI 6.5, 5.2.17): 10 is a node's own memory, and another's is twice as far.
const (
	distanceLocal  = 10
	distanceRemote = 20
)

// srat says which processors and which memory a node has (ACPI 6.5, 5.2.16).
func (m *Machine) srat() []byte {
	const revision = 3
	le := binary.LittleEndian
	b := le.AppendUint32(nil, 1) // reserved, for compatibility
	b = le.AppendUint64(b, 0)
	each := m.CPUs / len(m.Nodes)
	for cpu := range m.CPUs {
		b = append(b, sratX2APIC, sratX2APICSize, 0, 0)
		b = le.AppendUint32(b, uint32(cpu/each))
		b = le.AppendUint32(b, m.apicID(cpu))
		b = le.AppendUint32(b, enabled)
		b = le.AppendUint64(b, 0) // clock domain, reserved
	}
	for node, n := range m.Nodes {
		for _, r := range n.Memory {
			b = append(b, sratMemory, sratMemorySize)
			b = le.AppendUint32(b, uint32(node))
			b = le.AppendUint16(b, 0)
			b = le.AppendUint64(b, r.Start)
			b = le.AppendUint64(b, r.Len())
			b = le.AppendUint32(b, 0)
			b = le.AppendUint32(b, enabled)
			b = le.AppendUint64(b, 0)
		}
	}
	return table("SRAT", revision, b)
}

// slit says how far nodes are from one another.
func (m *Machine) slit() []byte {
	b := binary.LittleEndian.AppendUint64(nil, uint64(len(m.Nodes)))
	for from := range m.Nodes {
		for to := range m.Nodes {
			distance := byte(distanceRemote)
			if from == to {
				distance = distanceLocal
			}
			b = append(b, distance)
		}
	}
	return table("SLIT", 1, b)
}
