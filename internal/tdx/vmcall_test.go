package tdx_test

import (
	"encoding/binary"
	"errors"
	"testing"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

const (
	invalidOperand = 0x8000_0000_0000_0000
	alignError     = 0x8000_0000_0000_0002
	unsupported    = 0x8000_0000_0000_0003
)

// scratch is a device of eight ports or bytes that keeps what is written.
type scratch struct{ b [8]byte }

func (s *scratch) In(offset uint16) uint8     { return s.b[offset] }
func (s *scratch) Out(offset uint16, v uint8) { s.b[offset] = v }
func (s *scratch) Read(offset uint64, size int) uint64 {
	var b [16]byte
	copy(b[:], s.b[offset:])
	return binary.LittleEndian.Uint64(b[:]) & (1<<(8*size) - 1)
}
func (s *scratch) Write(offset uint64, size int, v uint64) {
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], v)
	copy(s.b[offset:], b[:size])
}

func TestVMCallIO(t *testing.T) {
	m := newMachine(t)
	if err := m.bus.MapPorts(0x300, 8, &scratch{}); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		size, write, port, data uint64
		status, value           uint64
	}{
		{4, 1, 0x300, 0x1_1234_5678, 0, 30},
		{4, 0, 0x300, 0, 0, 0x1234_5678},
		{2, 0, 0x301, 0, 0, 0x3456},
		{1, 0, 0x303, 0, 0, 0x12},
		{1, 0, 0x400, 0, 0, 0xFF},
		{8, 0, 0x300, 0, invalidOperand, 30},
		{3, 0, 0x300, 0, invalidOperand, 30},
		{0, 0, 0x300, 0, invalidOperand, 30},
		{1 << 32, 0, 0x300, 0, invalidOperand, 30},
		{1, 2, 0x300, 0, invalidOperand, 30},
	} {
		s, v := m.vmcall(30, regs{x86.R12: test.size, x86.R13: test.write, x86.R14: test.port, x86.R15: test.data})
		if s != test.status || v != test.value {
			t.Errorf("IO %+v: status %#x, value %#x", test, s, v)
		}
	}
}

func TestVMCallMMIO(t *testing.T) {
	m := newMachine(t)
	if err := m.bus.MapMemory(holeStart, 8, &scratch{}); err != nil {
		t.Fatal(err)
	}
	at := m.SharedBit() | holeStart
	for _, test := range []struct {
		size, write, gpa, data uint64
		status, value          uint64
	}{
		{8, 1, at, 0x1122334455667788, 0, 48},
		{8, 0, at, 0, 0, 0x1122334455667788},
		{4, 0, at + 4, 0, 0, 0x11223344},
		{1, 0, at + 1, 0, 0, 0x77},
		{4, 0, holeStart, 0, invalidOperand, 48},             // private
		{8, 0, m.SharedBit() - 4, 0, invalidOperand, 48},     // its first bytes are
		{8, 0, m.SharedBit()<<1 - 4, 0, invalidOperand, 48},  // its last bytes are
		{4, 0, m.SharedBit()<<1 | at, 0, invalidOperand, 48}, // no address
		{3, 0, at, 0, invalidOperand, 48},
		{4, 2, at, 0, invalidOperand, 48},
	} {
		s, v := m.vmcall(48, regs{x86.R12: test.size, x86.R13: test.write, x86.R14: test.gpa, x86.R15: test.data})
		if s != test.status || v != test.value {
			t.Errorf("MMIO %+v: status %#x, value %#x", test, s, v)
		}
	}
}

func TestVMCallMSRAndCPUID(t *testing.T) {
	m := newMachine(t)
	if s, v := m.vmcall(31, regs{x86.R12: 0x1B}); s != 0 || v != 0xFEE00D00 {
		t.Errorf("IA32_APIC_BASE: status %#x, %#x", s, v)
	}
	if s, _ := m.vmcall(31, regs{x86.R12: 0x1234}); s != invalidOperand {
		t.Errorf("a register that is not there: %#x", s)
	}
	if s, _ := m.vmcall(32, regs{x86.R12: 0x2FF, x86.R13: 0xC06}); s != 0 {
		t.Errorf("writing IA32_MTRR_DEF_TYPE: %#x", s)
	}
	if s, v := m.vmcall(31, regs{x86.R12: 0x2FF}); s != 0 || v != 0xC06 {
		t.Errorf("IA32_MTRR_DEF_TYPE: status %#x, %#x", s, v)
	}
	if s, _ := m.vmcall(32, regs{x86.R12: 0x1B, x86.R13: 0}); s != invalidOperand {
		t.Errorf("writing IA32_APIC_BASE: %#x", s)
	}
	if s, _ := m.vmcall(10, regs{x86.R12: 0x4000_0000}); s != 0 {
		t.Errorf("CPUID: %#x", s)
	}
	if r := &m.cpu.R; r[x86.R12] < 0x4000_0000 || r[x86.R13] != 0x4B4D564B || r[x86.R14] != 0x564B4D56 || r[x86.R15] != 0x4D {
		t.Errorf("CPUID: %#x %#x %#x %#x", r[x86.R12], r[x86.R13], r[x86.R14], r[x86.R15])
	}
}

func TestMapGPA(t *testing.T) {
	m := newMachine(t)
	s := m.SharedBit()
	for _, test := range []struct {
		what         string
		gpa, size    uint64
		status, next uint64
	}{
		{"one page", s | unit, 4096, 0, s | unit},
		{"and back", unit, 4096, 0, unit},
		{"nothing", s | unit, 0, invalidOperand, s | unit},
		{"round the end of the address space", s | unit, ^uint64(0), invalidOperand, s | unit},
		{"not aligned", s | unit | 8, 4096, alignError, s | unit | 8},
		{"not whole pages", s | unit, 4095, alignError, s | unit},
		{"from private into shared", s - 4096, 8192, invalidOperand, s - 4096},
		{"beyond the shared bit", s<<1 | unit, 4096, invalidOperand, s<<1 | unit},
		{"to the end of addresses and beyond", s<<1 - 4096, 8192, invalidOperand, s<<1 - 4096},
		{"no memory", s | holeStart, 4096, invalidOperand, s | holeStart},
		{"into the hole", s | (holeStart - 4096), 8192, invalidOperand, s | (holeStart - 4096)},
	} {
		if got, next := m.vmcall(0x10001, regs{x86.R12: test.gpa, x86.R13: test.size}); got != test.status || next != max(test.next, 0) && got != 0 {
			t.Errorf("%s: status %#x, R11 %#x; want %#x, %#x", test.what, got, next, test.status, test.next)
		}
	}
}

func TestMapGPARetriesAfter64MiB(t *testing.T) {
	m := newMachine(t)
	// All of the upper memory is 64 MiB; 4 KiB less is one call.
	if s, _ := m.vmcall(0x10001, regs{x86.R12: m.SharedBit() | holeEnd, x86.R13: 64 << 20}); s != 0 {
		t.Errorf("64 MiB: status %#x", s)
	}
	big := newBigMachine(t)
	gpa, end := big.SharedBit()|holeEnd, big.SharedBit()|holeEnd+200<<20
	calls := 0
	for gpa < end {
		s, next := big.vmcall(0x10001, regs{x86.R12: gpa, x86.R13: end - gpa})
		if calls++; s == 0 {
			break
		}
		if s != 1 || next != gpa+64<<20 {
			t.Fatalf("call %d: status %#x, R11 %#x", calls, s, next)
		}
		gpa = next
	}
	if calls != 4 {
		t.Errorf("200 MiB took %d calls", calls)
	}
	if big.Shared(holeEnd, holeEnd+4096) != true || big.State(holeEnd+200<<20-4096) != "shared" || big.State(holeEnd+200<<20) == "shared" {
		t.Error("what was converted is not what was asked for")
	}
}

// newBigMachine has 200 MiB and a bit above the hole.
func newBigMachine(t *testing.T) *machine {
	m, err := mem.New(holeEnd + 256<<20)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	return newMachine(t, func(c *tdx.Config, h *host.Config) {
		c.Memory = m
		c.RAM[1].End = m.Size()
		h.RAM = c.RAM
	})
}

func TestVMCallOthers(t *testing.T) {
	m := newMachine(t)
	for sub, want := range map[uint64]uint64{
		0x10004: unsupported, 0x10005: unsupported, 0: unsupported, 11: unsupported, ^uint64(0): unsupported, 0x10000: 0,
	} {
		if s, _ := m.vmcall(sub, regs{x86.R12: 0}); s != want {
			t.Errorf("sub-function %#x: %#x, want %#x", sub, s, want)
		}
	}
	if s, _ := m.vmcall(0x10000, regs{x86.R12: 2}); s != invalidOperand {
		t.Errorf("GetTdVmCallInfo 2: %#x", s)
	}
	if s, _ := m.vmcall(0x10002, regs{x86.R12: unit, x86.R13: 4096}); s != invalidOperand {
		t.Errorf("GetQuote in private memory: %#x", s)
	}
	if s, _ := m.vmcall(0x10002, regs{x86.R12: m.SharedBit() | unit, x86.R13: 4096}); s != unsupported {
		t.Errorf("GetQuote: %#x", s)
	}
	if s, _ := m.vmcall(5, regs{x86.R10: 1}); int64(s) != -1000 {
		t.Errorf("a hypercall: %d, want -ENOSYS of KVM", int64(s))
	}
}

func TestVMCallRegisterMask(t *testing.T) {
	m := newMachine(t)
	for _, mask := range []uint64{1, 2, 1 << 4, 1 << 5, 1 << 32, 1 << 63} {
		if s := abi.Status(m.tdcall(regs{x86.RAX: 0, x86.RCX: vmcallMask | mask})); s != operandRCX {
			t.Errorf("mask %#x: %v", mask, s)
		}
	}
	// The host sees no register that is not selected, and writes none.
	if s := m.tdcall(regs{x86.RAX: 0, x86.RCX: 1 << x86.R10, x86.R10: 0, x86.R11: 31, x86.R12: 0x1B}); s != 0 {
		t.Fatalf("RAX %#x", s)
	}
	if r := &m.cpu.R; r[x86.R10] != unsupported || r[x86.R11] != 31 || r[x86.R12] != 0x1B {
		t.Errorf("R10 %#x, R11 %#x, R12 %#x", r[x86.R10], r[x86.R11], r[x86.R12])
	}
	if s := m.tdcall(regs{x86.RAX: 0, x86.RCX: vmcallMask &^ (1 << x86.R11), x86.R10: 0, x86.R11: 0x77}); s != 0 || m.cpu.R[x86.R11] != 0x77 {
		t.Errorf("RAX %#x, R11 %#x", s, m.cpu.R[x86.R11])
	}
}

func TestReportFatalError(t *testing.T) {
	m := newMachine(t)
	text := "TD misconfiguration: SEPT_VE_DISABLE must be set.\x00junk after it"
	r := regs{x86.RAX: 0, x86.RCX: vmcallMask, x86.R10: 0, x86.R11: 0x10003, x86.R12: 0}
	for i, reg := range []int{x86.R14, x86.R15, x86.RBX, x86.RDI, x86.RSI, x86.R8, x86.R9, x86.RDX} {
		var b [8]byte
		copy(b[:], text[min(8*i, len(text)):])
		r[reg] = binary.LittleEndian.Uint64(b[:])
	}
	o := m.run(r, 0x66, 0x0F, 0x01, 0xCC)
	var e *tdx.FatalError
	if !errors.As(o.err, &e) || e.Code != 0 || e.Message != text[:49] {
		t.Errorf("outcome %+v", o)
	}
}

// A halted guest waits for its timer; that it has interrupts disabled, as Linux has when it is idle, does not keep it
// from waking up.
func TestVMCallHLT(t *testing.T) {
	m := newMachine(t)
	m.vmcall(32, regs{x86.R12: 0x80F, x86.R13: 0x1FF}) // enable the APIC
	m.vmcall(32, regs{x86.R12: 0x832, x86.R13: 0xEC})  // one-shot timer
	m.vmcall(32, regs{x86.R12: 0x83E, x86.R13: 0xB})   // divide by one
	armed := m.cpu.Now()
	m.vmcall(32, regs{x86.R12: 0x838, x86.R13: 1000}) // 40 µs
	if s, _ := m.vmcall(12, regs{x86.R12: 0}); s != 0 {
		t.Errorf("status %#x", s)
	}
	if waited := m.cpu.Now() - armed; waited < 40_000 {
		t.Errorf("the guest went on after %d ns", waited)
	}
}
