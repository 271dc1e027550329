package x86

// Linear addresses of 57 bits, with page tables of five levels (SDM vol. 3, 5.5): the host's choice (Config.LA57), and the
// guest's by CR4.LA57, which it cannot change in long mode.

// canonical says whether linear addresses have va, as paging is now. What is canonical with 48 bits is with 57, so the first
// question answers nearly always.
func (c *CPU) canonical(va uint64) bool {
	return canonical48(va) || c.cr4&CR4LA57 != 0 && canonical57(va)
}

// CanonicalBase is canonical for registers that may be loaded before paging is changed: bases, MSRs, and what INVPCID and INVLPG are
// told. It goes by what the processor can do (Linux: arch/x86/kvm/x86.h, is_noncanonical_msr_address).
func (c *CPU) CanonicalBase(va uint64) bool {
	return canonical48(va) || c.la57 && canonical57(va)
}

func canonical48(va uint64) bool { return uint64(int64(va<<16)>>16) == va }
func canonical57(va uint64) bool { return uint64(int64(va<<7)>>7) == va }

// LA57 returns features, a function such as [Topology.Features], with linear addresses of 57 bits announced: in ECX of leaf 7
// and by their width in leaf 0x80000008.
func LA57(features func(leaf, subleaf uint32) [4]uint32) func(leaf, subleaf uint32) [4]uint32 {
	return func(leaf, subleaf uint32) [4]uint32 {
		v := features(leaf, subleaf)
		switch {
		case leaf == 7 && subleaf == 0:
			v[2] |= LeafLA57
		case leaf == 0x8000_0008:
			v[0] = v[0]&^(0xFF<<8) | 57<<8
		}
		return v
	}
}

// LeafLA57 is LA57 in ECX of leaf 7.
const LeafLA57 = 1 << 16
