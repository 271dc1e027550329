package device

import "testing"

// ACPICA powers off through the sleep registers so (hwesleep.c, acpi_hw_extended_sleep): clear WAK_STS, write SLP_TYP
// and SLP_EN, wait for WAK_STS.
func TestSleepRegister(t *testing.T) {
	off := 0
	s := NewSleepRegister(func() { off++ })
	sleep := func(sleepType uint8) {
		s.Out(sleepStatus, wakeStatus)
		s.Out(sleepControl, sleepType<<sleepTypeShift|sleepEnable)
	}

	s.Out(sleepControl, SleepTypeS5<<sleepTypeShift)
	if off != 0 {
		t.Error("power-off without SLP_EN")
	}
	for sleepType := range uint8(8) {
		if sleepType == SleepTypeS5 {
			continue
		}
		sleep(sleepType)
		if got := s.In(sleepStatus); got != wakeStatus {
			t.Errorf("status %#02x after sleep type %d: the guest waits for ever", got, sleepType)
		}
	}
	s.Out(sleepStatus, ^uint8(wakeStatus))
	if got := s.In(sleepStatus); got != wakeStatus {
		t.Errorf("status %#02x: writing 0 cleared it", got)
	}
	if off != 0 {
		t.Error("power-off by another sleep type")
	}
	sleep(SleepTypeS5)
	if got := s.In(sleepStatus); off != 1 || got != 0 {
		t.Errorf("S5: powered off %d times, status %#02x", off, got)
	}
	if got := s.In(sleepControl); got != 0 {
		t.Errorf("control register reads %#02x", got)
	}
}

// Linux resets in one write by ACPI's RESET_REG, and in two by reboot=pci (reboot.c, BOOT_CF9_SAFE).
func TestResetRegister(t *testing.T) {
	resets := 0
	r := NewResetRegister(func() { resets++ })
	r.Out(0, ResetValue)
	if resets != 1 {
		t.Errorf("RESET_VALUE: %d resets", resets)
	}
	r.Out(0, ResetValue)
	if resets != 1 {
		t.Error("reset without RST_CPU going from 0 to 1")
	}

	resets = 0
	r = NewResetRegister(func() { resets++ })
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
