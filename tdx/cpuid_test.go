package tdx_test

import (
	"testing"

	"github.com/tacit-vm/tacit/x86"
)

// cpuid executes CPUID and returns EAX, EBX, ECX, EDX.
func (m *machine) cpuid(leaf, subleaf uint32) [4]uint32 {
	m.t.Helper()
	if o := m.run(regs{x86.RAX: uint64(leaf), x86.RCX: uint64(subleaf)}, 0x0F, 0xA2); o.vector != done {
		m.t.Fatalf("CPUID %#x.%d: %+v", leaf, subleaf, o)
	}
	r := &m.cpu.R
	return [4]uint32{uint32(r[x86.RAX]), uint32(r[x86.RBX]), uint32(r[x86.RCX]), uint32(r[x86.RDX])}
}

func TestCPUIDOfATD(t *testing.T) {
	m := newMachine(t)
	for _, test := range []struct {
		what          string
		leaf, subleaf uint32
		want          [4]uint32
	}{
		{"vendor", 0, 0, [4]uint32{0x23, 0x756E6547, 0x6C65746E, 0x49656E69}},
		{"signature", 0x21, 0, [4]uint32{0, 0x65746E49, 0x20202020, 0x5844546C}},
		{"1 GHz TSC", 0x15, 0, [4]uint32{1, 40, 25_000_000, 0}},
		{"performance monitoring", 0xA, 0, [4]uint32{}},
		{"beyond the base range", 0x24, 0, [4]uint32{}},
		{"beyond the extended range", 0x8000_0009, 0, [4]uint32{}},
		{"state components", 0xD, 0, [4]uint32{3, 576, 576, 0}},
		{"AVX state", 0xD, 2, [4]uint32{}},
		{"last extended leaf", 0x8000_0000, 0, [4]uint32{0x8000_0008, 0, 0, 0}},
		{"address widths", 0x8000_0008, 0, [4]uint32{52 | 48<<8, 0, 0, 0}},
		{"invariant TSC", 0x8000_0007, 0, [4]uint32{0, 0, 0, 1 << 8}},
	} {
		if got := m.cpuid(test.leaf, test.subleaf); got != test.want {
			t.Errorf("%s: CPUID %#x.%d is %#x, want %#x", test.what, test.leaf, test.subleaf, got, test.want)
		}
	}
	one := m.cpuid(1, 0)
	if one[2]>>31 != 1 || one[2]>>24&1 != 0 || one[2]>>27&1 != 0 {
		t.Errorf("leaf 1 ECX %#x: want the hypervisor bit, no TSC-deadline, OSXSAVE as CR4 has it", one[2])
	}
	m.run(regs{x86.RAX: 0x40660}, 0x0F, 0x22, 0xE0) // CR4.OSXSAVE
	if one := m.cpuid(1, 0); one[2]>>27&1 != 1 {
		t.Errorf("leaf 1 ECX %#x: want OSXSAVE", one[2])
	}
	if v := m.cpuid(0x8000_0001, 0); v[3]>>11&1 != 1 || v[3]>>20&1 != 1 || v[3]>>29&1 != 1 {
		t.Errorf("0x80000001 EDX %#x: want SYSCALL, NX, long mode", v[3])
	}
}

// What the module shows in every TD because it wants it of the processor (verify_mask) and lets nobody choose
// (auto_gen/cpuid_configurations.c): the processor has to have it. What it lacks is a departure from hardware that is
// to be known.
func TestWhatEveryTDShows(t *testing.T) {
	m := newMachine(t)
	for _, test := range []struct {
		leaf, subleaf uint32
		register      int
		always        uint32
		missing       uint32 // known departures
	}{
		// Missing: DTES64, DS-CPL, PDCM (2, 4, 15): debug store and its capabilities, which need performance
		// monitoring to be of use.
		{1, 0, 2, 0x47FAA217&^0x31044D88 | 1<<31, 1<<2 | 1<<4 | 1<<15},
		// Missing: VME, MTRR, MCA, DS (1, 12, 14, 21).
		{1, 0, 3, 0x1FA9FBFF&^0xB8440000&^0x40120400 | 1<<9, 1<<1 | 1<<12 | 1<<14 | 1<<21},
		{7, 0, 1, 0x219424C3 &^ 0xDC2B9B18 &^ 0x00404006, 0},
		// Missing: BUS_LOCK_DETECT, MOVDIRI, MOVDIR64B (24, 27, 28).
		{7, 0, 2, 0x99000000 &^ 0x02417F65 &^ 0x643E8010 &^ (1 << 31), 1<<24 | 1<<27 | 1<<28},
		// Missing: MD_CLEAR, L1D_FLUSH, CORE_CAPABILITIES (10, 28, 30).
		{7, 0, 3, 0xFC080400 &^ 0x0005411C &^ 0x002298C3 &^ (1 << 19), 1<<10 | 1<<28 | 1<<30},
		{7, 2, 3, 0x17, 0},
		// Missing: XSAVES (3).
		{0xD, 1, 0, 0xF, 1 << 3},
		{0x8000_0001, 0, 2, 0x121, 0},
		{0x8000_0001, 0, 3, 0x2C100800, 0},
	} {
		if missing := test.always &^ m.cpuid(test.leaf, test.subleaf)[test.register]; missing != test.missing {
			t.Errorf("CPUID %#x.%d, register %d lacks %#x, known is %#x", test.leaf, test.subleaf, test.register, missing, test.missing)
		}
	}
}
