package tdx_test

import (
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
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

// What the module shows in every TD because it wants it of the processor (verify_mask) and leaves no choice
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
		{1, 0, 2, 0x47FAA217&^0x31044D88 | 1<<31, 0},
		{1, 0, 3, 0x1FA9FBFF&^0xB8440000&^0x40120400 | 1<<9, 0},
		{7, 0, 1, 0x219424C3 &^ 0xDC2B9B18 &^ 0x00404006, 0},
		{7, 0, 2, 0x99000000 &^ 0x02417F65 &^ 0x643E8010 &^ (1 << 31), 0},
		{7, 0, 3, 0xFC080400 &^ 0x0005411C &^ 0x002298C3 &^ (1 << 19), 0},
		{7, 2, 3, 0x17, 0},
		{0xD, 1, 0, 0xF, 0},
		{0x8000_0001, 0, 2, 0x121, 0},
		{0x8000_0001, 0, 3, 0x2C100800, 0},
	} {
		if missing := test.always &^ m.cpuid(test.leaf, test.subleaf)[test.register]; missing != test.missing {
			t.Errorf("CPUID %#x.%d, register %d lacks %#x, known is %#x", test.leaf, test.subleaf, test.register, missing, test.missing)
		}
	}
}

// A processor may have what a TD does not show: state that XFAM lacks, and what the host does not allow.
func TestWhatNoTDShows(t *testing.T) {
	all := [4]uint32{^uint32(0), ^uint32(0), ^uint32(0), ^uint32(0)}
	m := newMachine(t, func(c *tdx.Config, _ *host.Config) {
		c.Features = func(uint32, uint32) [4]uint32 { return all }
	})
	for _, test := range []struct {
		leaf, subleaf uint32
		register      int
		hidden        []int
	}{
		{1, 0, 2, []int{3, 5, 6, 12, 18, 24, 28, 29}},                      // MONITOR, VMX, SMX, FMA, DCA, TSC-deadline, AVX, F16C
		{7, 0, 1, []int{4, 5, 11, 12, 15, 16, 17, 21, 26, 27, 28, 30, 31}}, // HLE, AVX2, RTM, RDT, AVX-512
		{7, 0, 2, []int{1, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14}},             // AVX-512, PKU, WAITPKG, CET, VAES, VPCLMULQDQ, TME
		{7, 0, 3, []int{2, 3, 5, 8, 18, 19, 20, 22, 23, 24, 25}},           // AVX-512, UINTR, PCONFIG, LBR, CET, AMX
	} {
		v := m.cpuid(test.leaf, test.subleaf)[test.register]
		for _, bit := range test.hidden {
			if v>>bit&1 != 0 {
				t.Errorf("CPUID %#x.%d, register %d shows bit %d", test.leaf, test.subleaf, test.register, bit)
			}
		}
	}
}

// A configuration that cannot be is refused.
func TestConfigurationIsChecked(t *testing.T) {
	m := newMachine(t)
	good := tdx.Config{
		Memory: m.mem, RAM: m.ram, CPUs: 1, Host: m.host, Features: x86.Features, Forget: func(physical.Plane, uint64, uint64) {},
	}
	if _, err := tdx.New(good); err != nil {
		t.Fatal(err)
	}
	for what, spoil := range map[string]func(c *tdx.Config){
		"no memory":      func(c *tdx.Config) { c.Memory = nil },
		"no host":        func(c *tdx.Config) { c.Host = nil },
		"no features":    func(c *tdx.Config) { c.Features = nil },
		"no forgetting":  func(c *tdx.Config) { c.Forget = nil },
		"no processor":   func(c *tdx.Config) { c.CPUs = 0 },
		"GPAW":           func(c *tdx.Config) { c.GPAW = 47 },
		"TSC too slow":   func(c *tdx.Config) { c.TSCHz = 75_000_000 },
		"TSC between":    func(c *tdx.Config) { c.TSCHz = 1_000_000_001 },
		"attributes":     func(c *tdx.Config) { c.Attributes = 1 << 63 },
		"RAM beyond all": func(c *tdx.Config) { c.RAM = []accept.Range{{Start: 0, End: memorySize + 0x1000}} },
		"RAM that overlaps": func(c *tdx.Config) {
			c.RAM = []accept.Range{{Start: 0, End: 0x2000}, {Start: 0x1000, End: 0x3000}}
		},
	} {
		c := good
		spoil(&c)
		if _, err := tdx.New(c); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
}

// Leaves about things that a TD has not, which the module answers with zeroes instead of #VE.
func TestLeavesThatTheModuleAnswers(t *testing.T) {
	m := newMachine(t)
	for leaf, subleaves := range map[uint32]uint32{0x4: 5, 0x1D: 2, 0x22: 3, 0x23: 4} {
		for subleaf := range subleaves {
			if v := m.cpuid(leaf, subleaf); v[0]|v[1]|v[2]|v[3] != 0 && leaf != 4 {
				t.Errorf("CPUID %#x.%d is %#x", leaf, subleaf, v)
			}
		}
	}
	for leaf, subleaf := range map[uint32]uint32{0x4: 5, 0x1D: 2, 0x23: 4} {
		if o := m.run(regs{x86.RAX: uint64(leaf), x86.RCX: uint64(subleaf)}, 0x0F, 0xA2); o.vector != vectorVE {
			t.Errorf("CPUID %#x.%d: %+v, want #VE", leaf, subleaf, o)
		}
		m.veInfo()
	}
}

// The registers behind bits that are always 1: what the module's table and the host say of them (auto_gen/msr_config_lookup.c).
func TestRegistersBehindFixedBits(t *testing.T) {
	const native, ve, gp = done, x86.VectorVE, x86.VectorGP
	for _, test := range []struct {
		what        string
		index       uint64
		read, write int
		value       uint64
	}{
		{"IA32_DS_AREA", 0x600, native, native, 0x1000},
		{"IA32_DS_AREA, not canonical", 0x600, native, gp, 1 << 60},
		{"IA32_FLUSH_CMD", 0x10B, gp, native, 1},
		{"IA32_FLUSH_CMD, reserved bits", 0x10B, gp, gp, 2},
		{"IA32_PERF_CAPABILITIES without PERFMON", 0x345, native, gp, 0},
		{"IA32_PEBS_ENABLE without PERFMON", 0x3F1, gp, gp, 0},
		{"IA32_MTRRCAP", 0xFE, ve, ve, 0},
		{"IA32_MCG_CAP", 0x179, ve, ve, 0},
		{"IA32_CORE_CAPABILITIES", 0xCF, ve, ve, 0},
		{"IA32_XSS", 0xDA0, native, native, 0},
		{"IA32_DEBUGCTL.BUS_LOCK_DETECT", 0x1D9, native, native, 1 << 2},
	} {
		if o := newMachine(t).run(regs{x86.RCX: test.index}, 0x0F, 0x32); o.vector != test.read {
			t.Errorf("RDMSR of %s: %+v, want %d", test.what, o, test.read)
		}
		if o := newMachine(t).run(regs{x86.RCX: test.index, x86.RAX: test.value & 0xFFFF_FFFF, x86.RDX: test.value >> 32}, 0x0F, 0x30); o.vector != test.write {
			t.Errorf("WRMSR of %s: %+v, want %d", test.what, o, test.write)
		}
	}
	m := newMachine(t)
	m.run(regs{x86.RCX: 0x600, x86.RAX: 0x5000}, 0x0F, 0x30)
	if m.run(regs{x86.RCX: 0x600}, 0x0F, 0x32); m.cpu.R[x86.RAX] != 0x5000 {
		t.Errorf("IA32_DS_AREA holds %#x", m.cpu.R[x86.RAX])
	}
}
