package device

import "testing"

// Linux resets in one write by ACPI's RESET_REG, and in two by reboot=pci (reboot.c, BOOT_CF9_SAFE).
func TestResetRegister(t *testing.T) {
	resets := 0
	r := newResetRegister(func() { resets++ })
	r.Out(0, ResetValue)
	if resets != 1 {
		t.Errorf("RESET_VALUE: %d resets", resets)
	}
	r.Out(0, ResetValue)
	if resets != 1 {
		t.Error("reset without RST_CPU going from 0 to 1")
	}

	resets = 0
	r = newResetRegister(func() { resets++ })
	r.Out(0, 0xFB)
	if got := r.In(0); resets != 0 || got != 0x0A {
		t.Errorf("all bits but RST_CPU: %d resets, reads %#02x", resets, got)
	}
	before := r.In(0) &^ 0x0E
	r.Out(0, before|2)
	r.Out(0, before|0x0E)
	if resets != 1 {
		t.Errorf("full reset: %d resets", resets)
	}
}
