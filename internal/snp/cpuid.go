package snp

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A leaf is what CPUID answers for one leaf, or one subleaf of it: a row of the table that a guest finds in memory
// (SEV-SNP Firmware ABI, 56860, table "CPUID_FUNCTION"). Which XCR0 and XSS it holds for matters for leaf 0xD only.
type leaf struct {
	eax, ecx  uint32
	xcr0, xss uint64
	value     [4]uint32 // EAX, EBX, ECX, EDX
}

// The processor is a Genoa (family 25, model 17) as far as the interpreter goes. What it lacks of one it does not
// announce; what it does not suffer from it announces: older ones make a kernel work around flaws that this processor does not have.
const (
	amdSignature = 0x00A1_0F10

	maxBaseLeaf     = 0xD
	maxExtendedLeaf = 0x8000_0021
	maxKVMLeaf      = 0x4000_0001

	// KVM's features (Documentation/virt/kvm/x86/cpuid.rst): its clock, which Linux needs to know the TSC's frequency:
	// CPUID 0x15 counts on Intel only.
	kvmClockSource2      = 1 << 3
	kvmClockSourceStable = 1 << 24

	// Bits of leaf 1 EDX, leaf 7 EBX and EDX that mean something else, or nothing, on AMD.
	leaf1IntelEDX = 1 << 27      // self snoop
	leaf7IntelEBX = 1<<6 | 1<<13 // how x87 keeps its pointers: AMD says nothing of it here
	leaf7AMDEDX   = 1 << 4       // fast short REP MOVSB is the one that remains
	leaf7IntelECX = 3 << 27      // MOVDIRI, MOVDIR64B: a Genoa has neither
	xsaves        = 1 << 3       // of leaf 0xD.1 EAX: IA32_XSS is not served

	// leaf1MTRR: the host has memory type range registers. Kernels before 6.3 set up the PAT only where there are, and
	// need it to encrypt memory in place.
	leaf1MTRR = 1 << 12

	// Bits of leaf 1 EDX that are in 0x80000001 EDX as well (APM vol. 3, E.4.2).
	extendedCopiesEDX = 0x0183_F3FF

	// 0x80000008 EBX (APM vol. 3, E.4.8): IBPB, IBRS, STIBP, STIBP is best left on, no speculative store bypass, no
	// branch type confusion.
	extended8EBX = 1<<12 | 1<<14 | 1<<15 | 1<<17 | 1<<26 | 1<<29

	// 0x8000001F (APM 15.34.1): SEV, SEV-ES, SEV-SNP; the C-bit, one bit fewer of physical address, and that changing
	// the C-bit needs no cache flush.
	sevEAX = abi.CPUIDSEV | abi.CPUIDSEVES | abi.CPUIDSEVSNP
	sevEBX = cBitPosition | 1<<abi.CPUIDReduction | abi.CPUIDCoherencySFWNo

	// 0x80000021 (APM vol. 3, E.4.18; Linux, arch/x86/include/asm/cpufeatures.h): no nested data breakpoints, LFENCE
	// serializes, null selectors clear the base, AutoIBRS; SRSO_NO. ECX: TSA_SQ_NO, TSA_L1_NO, TSA_FILL_NO.
	extended21EAX = 1<<0 | 1<<2 | 1<<6 | 1<<8 | 1<<29
	extended21ECX = 1<<1 | 1<<2 | 1<<7
)

// caches are those of Genoa, in leaf 0x8000001D (APM vol. 3, E.4.15): 32 KiB of data and of instructions, 1 MiB, and 32 MiB
// that the processors of a package share.
var caches = [...]x86.Cache{
	{Type: 1, Level: 1, Ways: 8, Sets: 64},
	{Type: 2, Level: 1, Ways: 8, Sets: 64},
	{Type: 3, Level: 2, Ways: 8, Sets: 2048},
	{Type: 3, Level: 3, Ways: 16, Sets: 32768, Package: true},
}

// topologyExtensions is in ECX of 0x80000001: there are leaves 0x8000001D and 0x8000001E.
const topologyExtensions = 1 << 22

// cpuidTable makes the table of a guest.
func cpuidTable(features func(leaf, subleaf uint32) [4]uint32, topology x86.Topology) []leaf {
	const ebx, ecx, edx = 0x6874_7541, 0x444D_4163, 0x6974_6E65 // "AuthenticAMD"
	inPackage := topology.Cores * topology.Threads
	one, seven, state, state1 := features(1, 0), features(7, 0), features(0xD, 0), features(0xD, 1)
	state1[0] &^= xsaves
	one[0] = amdSignature
	one[1] = one[1] | uint32(inPackage)<<16
	one[2] |= x86.LeafDeadline
	one[3] = one[3]&^leaf1IntelEDX | leaf1MTRR
	if inPackage > 1 {
		one[3] |= 1 << 28 // HTT: more than one
	}
	extended := features(0x8000_0001, 0)
	table := []leaf{
		{eax: 0, value: [4]uint32{maxBaseLeaf, ebx, ecx, edx}},
		{eax: 1, value: one},
		{eax: 6, value: [4]uint32{1 << 2}}, // ARAT: the local APIC's timer always runs
		{eax: 7, value: [4]uint32{0, seven[1] &^ leaf7IntelEBX, seven[2] &^ leaf7IntelECX, seven[3] & leaf7AMDEDX}},
		{eax: 0xB, value: topology.Level(0)},
		{eax: 0xB, ecx: 1, value: topology.Level(1)},
		{eax: 0xD, xcr0: 3, value: state},
		{eax: 0xD, ecx: 1, xcr0: 3, value: state1},
		{eax: 0x4000_0000, value: [4]uint32{maxKVMLeaf, 0x4B4D_564B, 0x564B_4D56, 0x4D}}, // "KVMKVMKVM"
		{eax: 0x4000_0001, value: [4]uint32{kvmClockSource2 | kvmClockSourceStable}},
		{eax: 0x8000_0000, value: [4]uint32{maxExtendedLeaf, ebx, ecx, edx}},
		{eax: 0x8000_0001, value: [4]uint32{amdSignature, 0, extended[2] | topologyExtensions, extended[3] | one[3]&extendedCopiesEDX}},
	}
	for i, words := range brand() {
		table = append(table, leaf{eax: 0x8000_0002 + uint32(i), value: words})
	}
	for i, k := range caches {
		table = append(table, leaf{eax: 0x8000_001D, ecx: uint32(i), value: k.Leaf(topology)})
	}
	return append(table,
		// First-level caches of 32 KiB, 8 ways, lines of 64 bytes; one second-level cache of 1 MiB, 8 ways.
		leaf{eax: 0x8000_0005, value: [4]uint32{2: 32<<24 | 8<<16 | 1<<8 | 64, 3: 32<<24 | 8<<16 | 1<<8 | 64}},
		leaf{eax: 0x8000_0006, value: [4]uint32{2: 1024<<16 | 6<<12 | 1<<8 | 64}},
		leaf{eax: 0x8000_0007, value: features(0x8000_0007, 0)},
		leaf{eax: 0x8000_0008, value: [4]uint32{features(0x8000_0008, 0)[0], extended8EBX, topology.Level(1)[0]<<12 | uint32(inPackage-1)}},
		leaf{eax: 0x8000_001E},
		leaf{eax: abi.CPUIDLeaf, value: [4]uint32{sevEAX, sevEBX}},
		leaf{eax: maxExtendedLeaf, value: [4]uint32{0: extended21EAX, 2: extended21ECX}},
	)
}

// brand is the processor's name, in three leaves.
func brand() (leaves [3][4]uint32) {
	const name = "AMD EPYC (Genoa), as tacit knows it"
	for i := range len(name) {
		leaves[i/16][i%16/4] |= uint32(name[i]) << (i % 4 * 8)
	}
	return leaves
}

// CPUID implements [x86.Platform]: what the hypervisor says, to whom the guest's #VC handler turns for what its table
// cannot know: which processor it is on. The processor itself never asks: CPUID always raises #VC. Leaves and subleaves
// that the table does not have are zero.
func (p *Platform) CPUID(c *x86.CPU, eax, ecx uint32) [4]uint32 {
	var v [4]uint32
	for i := range p.table {
		if l := &p.table[i]; l.eax == eax && (l.ecx == ecx || !hasSubleaves(eax)) {
			v = l.value
			break
		}
	}
	t := p.cfg.Topology
	t.Place(&v, eax, c.ID())
	switch eax {
	case 0xB:
		v[2] |= ecx & 0xFF
	case 0x8000_001E: // extended APIC ID; threads a core, and which core; which package, of one node (APM vol. 3, E.4.16)
		v[0] = t.APICID(c.ID())
		v[1] = uint32(t.Threads-1)<<8 | uint32(c.ID()/t.Threads%t.Cores)&0xFF
		v[2] = uint32(c.ID() / t.Threads / t.Cores)
	}
	return v
}

func hasSubleaves(eax uint32) bool { return eax == 7 || eax == 0xB || eax == 0xD || eax == 0x8000_001D }
