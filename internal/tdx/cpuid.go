package tdx

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const anySubleaf = ^uint32(0)

// A cpuidRow is a leaf that the module answers: the processor's value with the bits of fixed0 cleared and those of
// fixed1 set.
type cpuidRow struct {
	leaf, subleaf  uint32
	fixed0, fixed1 [4]uint32 // EAX, EBX, ECX, EDX
}

var (
	zeroes = [4]uint32{}
	ones   = [4]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}
)

// cpuidRows is cpuid_lookup of the module (auto_gen/cpuid_configurations.c, columns fixed0_or_dynamic and fixed1),
// with what tdh_mng_init.c makes of it for a TD with XFAM 3 and without PERFMON, PKS, Key Locker: leaves that are
// about those are all zero. Bits that are the host's to choose are as the processor has them, except for those that
// bring along registers or instructions which are not here (hostDenies*). Leaves that are not in the table raise #VE;
// so do 6, 0x1F and 0x80000006, which the module knows and does not answer.
var cpuidRows = []cpuidRow{
	{leaf: 0x0, subleaf: anySubleaf, fixed0: ones, fixed1: [4]uint32{lastBaseLeaf, 0x756E_6547, 0x6C65_746E, 0x4965_6E69}}, // "GenuineIntel"
	{leaf: 0x1, subleaf: anySubleaf,
		fixed0: [4]uint32{0xF000_C000, 0xFF00_00FF, 0x0801_0060 | xfamAVX1 | hostDenies1, 0x4012_0400},
		fixed1: [4]uint32{0, 0, 1<<31 | always1ECX, 1<<9 | always1EDX}},
	{leaf: 0x3, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x4, subleaf: 0, fixed0: [4]uint32{0x3C00, 0, 0, 0x4}},
	{leaf: 0x4, subleaf: 1, fixed0: [4]uint32{0x3C00, 0, 0, 0x4}},
	{leaf: 0x4, subleaf: 2, fixed0: [4]uint32{0x3C00, 0, 0, 0x4}},
	{leaf: 0x4, subleaf: 3, fixed0: [4]uint32{0x3C00, 0, 0, 0xFFFF_FFF8}},
	{leaf: 0x4, subleaf: 4, fixed0: ones},
	{leaf: 0x5, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x7, subleaf: 0, fixed0: [4]uint32{
		0,
		0x0040_4006 | xfam7EBX | hostDenies7EBX,
		0x643E_8010 | xfam7ECX | hostDenies7ECX | 1<<23 | 1<<31, // Key Locker, PKS
		0x0022_98C3 | xfam7EDX | hostDenies7EDX,
	}, fixed1: [4]uint32{0, 0, always7ECX, always7EDX}},
	{leaf: 0x7, subleaf: 1, fixed0: [4]uint32{0xFFFF_E2CF | xfam71EAX, ^uint32(0), ^uint32(0), ^uint32(0)}},
	{leaf: 0x7, subleaf: 2, fixed0: [4]uint32{^uint32(0), ^uint32(0), ^uint32(0), 0xFFFF_FFC0}},
	{leaf: 0x8, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0xA, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0xD, subleaf: 0, fixed0: [4]uint32{^uint32(xfam), 0, 0, ^uint32(0)}}, // EBX is dynamic: by XCR0
	{leaf: 0xD, subleaf: 1, fixed0: [4]uint32{0xFFFF_FFF0, 0, ^uint32(0), ^uint32(0)}},
	{leaf: 0xE, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x11, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x12, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x13, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x14, subleaf: 0, fixed0: ones},
	{leaf: 0x14, subleaf: 1, fixed0: ones},
	{leaf: 0x15, subleaf: anySubleaf, fixed0: ones, fixed1: [4]uint32{1, 0, tscUnit, 0}}, // EBX is the TSC frequency
	{leaf: 0x19, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x1C, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x1D, subleaf: 0, fixed0: ones},
	{leaf: 0x1D, subleaf: 1, fixed0: ones},
	{leaf: 0x1E, subleaf: anySubleaf},
	{leaf: 0x20, subleaf: anySubleaf, fixed0: ones},
	{leaf: abi.CPUIDLeaf, subleaf: 0, fixed0: ones, fixed1: [4]uint32{0, abi.SignatureEBX, abi.SignatureECX, abi.SignatureEDX}},
	{leaf: 0x22, subleaf: anySubleaf, fixed0: ones},
	{leaf: 0x23, subleaf: 0, fixed0: ones},
	{leaf: 0x23, subleaf: 1, fixed0: ones},
	{leaf: 0x23, subleaf: 2, fixed0: ones},
	{leaf: 0x23, subleaf: 3, fixed0: ones},
	{leaf: 0x8000_0000, subleaf: anySubleaf, fixed0: ones, fixed1: [4]uint32{lastExtendedLeaf, 0, 0, 0}},
	{leaf: 0x8000_0001, subleaf: anySubleaf,
		fixed0: [4]uint32{^uint32(0), ^uint32(0), 0xFFFF_FEDE, 0xD3EF_FFFF},
		fixed1: [4]uint32{0, 0, 0, 1 << 11}}, // SYSCALL: dynamic, 1 in 64-bit mode
	{leaf: 0x8000_0007, subleaf: anySubleaf, fixed0: ones, fixed1: [4]uint32{0, 0, 0, 1 << 8}}, // invariant TSC
	{leaf: 0x8000_0008, subleaf: anySubleaf,
		fixed0: [4]uint32{^uint32(0), 0xFFFF_FDFF, ^uint32(0), ^uint32(0)},
		fixed1: [4]uint32{physicalBits | 48<<8, 0, 0, 0}}, // the width of linear addresses follows from LA57
}

// Bits that need state components which XFAM does not have (module, xfam_mask_*): AVX, AVX-512, PT, PKRU, CET, user
// interrupts, LBR, AMX.
const (
	xfamAVX1  = 0x3000_1000
	xfam7EBX  = 0x0000_0020 | 0xDC23_0000 | 0x0200_0000
	xfam7ECX  = 0x0000_0600 | 0x0000_5842 | 0x0000_0008 | 0x0000_0080
	xfam7EDX  = 0x0080_010C | 0x0010_0000 | 0x0000_0020 | 0x0008_0000 | 0x0340_0000
	xfam71EAX = 0x0000_0030
)

// Bits that the host may allow (module, cpuid_configurable, allow_direct) and does not.
const (
	hostDenies1    = 1<<3 | 1<<18 | 1<<24         // MONITOR, DCA, TSC-deadline
	hostDenies7EBX = 1<<4 | 1<<11 | 1<<12 | 1<<15 // HLE, RTM, RDT-M, RDT-A
	hostDenies7ECX = 1<<5 | 1<<13                 // WAITPKG, TME
	hostDenies7EDX = 1 << 18                      // PCONFIG
)

// Bits that the module wants a processor to have (verify_mask) and shows in every TD, of features that the processor here does not
// have for others. The registers behind them answer as the module and the host have it.
const (
	always1ECX = 1<<2 | 1<<4 | 1<<15   // DTES64, DS-CPL, PDCM
	always1EDX = 1<<12 | 1<<14 | 1<<21 // MTRR, MCA, DS
	always7ECX = 1 << 24               // BUS_LOCK_DETECT
	always7EDX = 1<<10 | 1<<28 | 1<<30 // MD_CLEAR, L1D_FLUSH, CORE_CAPABILITIES
)

const (
	lastBaseLeaf     = 0x23
	lastExtendedLeaf = 0x8000_0008

	// CPUID(0xD), subleaves 2 to 18, are the state components of XFAM: none of them.
	lastStateSubleaf = 18
)

// clampLeaf turns a leaf beyond its range into the last one of the base range, except for those that are the
// hypervisor's (module, td_cpuid.c).
func clampLeaf(leaf uint32) uint32 {
	hypervisor := leaf >= 0x4000_0000 && leaf <= 0x4FFF_FFFF
	if !hypervisor && (leaf > lastExtendedLeaf || leaf > lastBaseLeaf && leaf < 0x8000_0000) {
		return lastBaseLeaf
	}
	return leaf
}

// cpuidRowOf returns the row of a leaf, nil where there is none.
func cpuidRowOf(leaf, subleaf uint32) *cpuidRow {
	for i := range cpuidRows {
		if r := &cpuidRows[i]; r.leaf == leaf && (r.subleaf == anySubleaf || r.subleaf == subleaf) {
			return r
		}
	}
	return nil
}

// virtualLeaf says whether the module answers a leaf.
func virtualLeaf(leaf, subleaf uint32) bool {
	return cpuidRowOf(leaf, subleaf) != nil || leaf == 0xD && subleaf <= lastStateSubleaf
}

// cpuidOrder are the module's leaves in the order of its table, those it does not answer among them: CPUID_CONTROL has a field for
// each (auto_gen/cpuid_configurations.c, cpuid_lookup).
var cpuidOrder = [...][2]uint32{
	{0x1, anySubleaf}, {0x4, 0}, {0x4, 1}, {0x4, 2}, {0x4, 3}, {0x7, 0}, {0x7, 1}, {0xA, anySubleaf}, {0x1C, anySubleaf},
	{0x8000_0008, anySubleaf}, {0x0, anySubleaf}, {0x3, anySubleaf}, {0x4, 4}, {0x6, anySubleaf}, {0x7, 2}, {0x8, anySubleaf},
	{0xD, 0}, {0xD, 1}, {0xD, 2}, {0xD, 3}, {0xD, 4}, {0xD, 5}, {0xD, 6}, {0xD, 7}, {0xD, 8}, {0xD, 9}, {0xD, 10}, {0xD, 11},
	{0xD, 12}, {0xD, 13}, {0xD, 14}, {0xD, 15}, {0xD, 16}, {0xD, 17}, {0xD, 18}, {0xE, anySubleaf}, {0x11, anySubleaf},
	{0x12, anySubleaf}, {0x13, anySubleaf}, {0x14, 0}, {0x14, 1}, {0x15, anySubleaf}, {0x19, anySubleaf}, {0x1D, 0}, {0x1D, 1},
	{0x1E, anySubleaf}, {0x1F, 0}, {0x1F, 1}, {0x1F, 2}, {0x1F, 3}, {0x1F, 4}, {0x1F, 5}, {0x20, anySubleaf}, {abi.CPUIDLeaf, 0},
	{0x8000_0000, anySubleaf}, {0x8000_0001, anySubleaf}, {0x8000_0006, anySubleaf}, {0x8000_0007, anySubleaf}, {0x22, anySubleaf},
	{0x23, 0}, {0x23, 1}, {0x23, 2}, {0x23, 3}, {0x5, anySubleaf},
}

// CPUID_CONTROL of a leaf: whether it raises #VE at CPL 0, and elsewhere.
const (
	cpuidControlSupervisor = 1 << 0
	cpuidControlUser       = 1 << 1
)

// wantsVE says whether the guest wants #VE of a leaf that the module answers, at a privilege level (module, td_cpuid.c).
func (v *vp) wantsVE(leaf, subleaf uint32, cpl int) bool {
	all, one := v.cpuidSupervisorVE, uint8(cpuidControlSupervisor)
	if cpl != 0 {
		all, one = v.cpuidUserVE, cpuidControlUser
	}
	for i, of := range cpuidOrder {
		if of[0] == leaf && (of[1] == anySubleaf || of[1] == subleaf) {
			return all != 0 || v.cpuidControl[i]&one != 0
		}
	}
	return false
}

// CPUID implements [x86.Platform]: what a leaf holds that [Module.Intercept] has let through.
func (m *Module) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 {
	leaf = clampLeaf(leaf)
	r := cpuidRowOf(leaf, subleaf)
	if r == nil {
		return zeroes
	}
	v := m.cfg.Features(leaf, subleaf)
	for i := range v {
		v[i] = v[i]&^r.fixed0[i] | r.fixed1[i]
	}
	switch leaf {
	case 0x1:
		v[1] = v[1]&^(0xFF<<24) | uint32(c.ID())<<24 // INITIAL_APIC_ID
		if c.State().CR4&x86.CR4OSXSAVE != 0 {
			v[2] |= 1 << 27
		}
	case 0x8000_0008:
		if m.la57 {
			v[0] = v[0]&^(0xFF<<8) | 57<<8
		}
	case 0x15:
		v[1] = uint32(m.cfg.TSCHz / tscUnit)
	}
	return v
}
