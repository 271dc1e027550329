package x86

import (
	"fmt"
	"math/bits"
)

// A Topology says how a machine's logical processors, its CPUs, are parts of cores, cores of packages, and packages of NUMA
// nodes. Processors are numbered through: first the threads of a core, then the cores of a package, then packages.
type Topology struct {
	Sockets int // packages
	Cores   int // in each package
	Threads int // in each core
	Nodes   int // NUMA nodes; each has the same number of packages
}

// Flat is the topology of n processors that are the cores of one package.
func Flat(n int) Topology { return Topology{Sockets: 1, Cores: n, Threads: 1, Nodes: 1} }

// MaxAPICID is the highest APIC ID that a processor can have. Without interrupt remapping Linux takes higher ones only where
// KVM announces extended destination IDs (arch/x86/kernel/apic/apic.c, try_to_enable_x2apic), and 255 means all.
const MaxAPICID = 254

// Check says what is wrong with t.
func (t Topology) Check() error {
	const most = 256
	switch {
	case t.Sockets < 1, t.Cores < 1, t.Threads < 1, t.Nodes < 1, t.Sockets > most, t.Cores > most, t.Threads > most:
		return fmt.Errorf("topology %v: want 1 to %d of each", t, most)
	case t.Sockets%t.Nodes != 0:
		return fmt.Errorf("topology %v: %d packages cannot be divided among %d nodes", t, t.Sockets, t.Nodes)
	}
	if last := t.APICID(t.CPUs() - 1); last > MaxAPICID {
		return fmt.Errorf("topology %v: its last processor has APIC ID %d, and those above %d need KVM's extended destination IDs, which are not announced", t, last, MaxAPICID)
	}
	return nil
}

func (t Topology) String() string {
	return fmt.Sprintf("sockets=%d,cores=%d,threads=%d,nodes=%d", t.Sockets, t.Cores, t.Threads, t.Nodes)
}

// CPUs is the number of processors.
func (t Topology) CPUs() int { return t.Sockets * t.perPackage() }

func (t Topology) perPackage() int { return t.Cores * t.Threads }

// Sparse says whether there are gaps between APIC IDs: where a package has no power of two of cores, or a core of threads.
func (t Topology) Sparse() bool { return int(t.APICID(t.CPUs()-1)) != t.CPUs()-1 }

// threadBits and packageBits are how many bits of an APIC ID number threads within a core, and within a package (SDM vol. 3,
// 9.9.1).
func (t Topology) threadBits() int  { return order(t.Threads) }
func (t Topology) packageBits() int { return t.threadBits() + order(t.Cores) }

// order is how many bits it takes to number n things.
func order(n int) int { return bits.Len(uint(max(n, 1) - 1)) }

// APICID is the APIC ID of the CPU with that index. It is the index itself but for gaps. The zero Topology has no gaps.
func (t Topology) APICID(index int) uint32 {
	threads, cores := max(t.Threads, 1), max(t.Cores, 1)
	thread, core, socket := index%threads, index/threads%cores, index/threads/cores
	return uint32(socket<<t.packageBits() | core<<t.threadBits() | thread)
}

// Index finds the CPU with an APIC ID.
func (t Topology) Index(id uint32) (index int, ok bool) {
	thread, core := int(id)&(1<<t.threadBits()-1), int(id)&(1<<t.packageBits()-1)>>t.threadBits()
	socket := int(id >> t.packageBits())
	return (socket*t.Cores+core)*t.Threads + thread, thread < t.Threads && core < t.Cores && socket < t.Sockets
}

// Node is the NUMA node of the CPU with that index.
func (t Topology) Node(index int) int { return index / (t.CPUs() / t.Nodes) }

// htt is in EDX of leaf 1: a package has several logical processors.
const htt = 1 << 28

// Features returns what the processors have to say in a leaf of CPUID: what the function of that name says, and how they are
// parts of one another, as Intel's tell it (SDM vol. 2, CPUID; vol. 3, 9.9). Which of them is asked is missing, in leaves 1,
// 0xB and 0x1F: [Topology.Place].
func (t Topology) Features(leaf, subleaf uint32) [4]uint32 {
	v := Features(leaf, subleaf)
	switch leaf {
	case 1:
		v[1] |= uint32(min(t.perPackage(), 255)) << 16
		if t.perPackage() > 1 {
			v[3] |= htt
		}
	case 4:
		return t.cache(subleaf)
	case 0xB, 0x1F:
		return t.Level(subleaf)
	}
	return v
}

// Level is leaf 0xB, which Intel's and AMD's processors have alike, and leaf 0x1F: a level of the topology, 0 threads and 1
// cores.
func (t Topology) Level(subleaf uint32) [4]uint32 {
	const thread, core = 1 << 8, 2 << 8
	switch subleaf {
	case 0:
		return [4]uint32{uint32(t.threadBits()), uint32(t.Threads), thread}
	case 1:
		return [4]uint32{uint32(t.packageBits()), uint32(t.perPackage()), core | 1}
	}
	return [4]uint32{2: subleaf & 0xFF}
}

// Place adds to a leaf's value which CPU is asked.
func (t Topology) Place(v *[4]uint32, leaf uint32, index int) {
	switch id := t.APICID(index); leaf {
	case 1:
		v[1] |= id << 24
	case 0xB, 0x1F:
		v[3] = id
	}
}

// A Cache is one that CPUID tells of, in leaf 4 or AMD's 0x8000001D, whose formats are the same.
type Cache struct {
	Type, Level uint32 // type: 1 data, 2 instructions, 3 both
	Ways, Sets  uint32
	Package     bool // all processors of a package share it; otherwise, those of a core
}

// caches are those of the model: 48 KiB and 32 KiB, 2 MiB, and 60 MiB a package.
var caches = [...]Cache{
	{Type: 1, Level: 1, Ways: 12, Sets: 64},
	{Type: 2, Level: 1, Ways: 8, Sets: 64},
	{Type: 3, Level: 2, Ways: 16, Sets: 2048},
	{Type: 3, Level: 3, Ways: 15, Sets: 65536, Package: true},
}

// cache is leaf 4.
func (t Topology) cache(subleaf uint32) [4]uint32 {
	if subleaf >= uint32(len(caches)) {
		return [4]uint32{}
	}
	k := caches[subleaf]
	v := k.Leaf(t)
	v[0] |= uint32(min(1<<order(t.Cores), 64)-1) << 26 // IDs of cores in a package
	return v
}

// Leaf is what CPUID says of the cache: its lines have 64 bytes.
func (k Cache) Leaf(t Topology) [4]uint32 {
	shared := 1 << t.threadBits()
	if k.Package {
		shared = 1 << t.packageBits()
	}
	const selfInitializing, line = 1 << 8, 64
	return [4]uint32{k.Type | k.Level<<5 | selfInitializing | uint32(shared-1)<<14, line - 1 | (k.Ways-1)<<22, k.Sets - 1}
}
