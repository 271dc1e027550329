package snp_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
)

// Firmware's handler answers CPUID as the table does, with what depends on the processor, and nothing else.
func TestFirmwareServesCPUID(t *testing.T) {
	m := newMachine(t)
	m.cpu.R[x86.RAX], m.cpu.R[x86.RCX] = 0x8000_001F, 0
	if n, ok := m.ServeVC(m.cpu, 0x72, 0); !ok || n != 2 || m.cpu.R[x86.RAX] != 0x1A || m.cpu.R[x86.RBX] != 0x8000_0073 {
		t.Errorf("CPUID 0x8000001F: %d, %v, EAX %#x, EBX %#x", n, ok, m.cpu.R[x86.RAX], m.cpu.R[x86.RBX])
	}
	s := m.cpu.State()
	s.CR4 |= x86.CR4OSXSAVE
	m.cpu.SetState(&s)
	m.cpu.R[x86.RAX] = 1
	if _, ok := m.ServeVC(m.cpu, 0x72, 0); !ok || m.cpu.R[x86.RCX]>>27&1 != 1 {
		t.Errorf("CPUID 1 with OSXSAVE: %v, ECX %#x", ok, m.cpu.R[x86.RCX])
	}
	for _, code := range []uint64{0x7B, 0x7C, 0x400, 0x404} {
		if _, ok := m.ServeVC(m.cpu, code, 0); ok {
			t.Errorf("firmware handles #VC(%#x)", code)
		}
	}
}
