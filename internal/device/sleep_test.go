package device

import "testing"

// ACPICA powers off through the sleep registers so (hwesleep.c, acpi_hw_extended_sleep): clear WAK_STS, write SLP_TYP
// and SLP_EN, wait for WAK_STS.
func TestSleepRegister(t *testing.T) {
	off := 0
	s := newSleepRegister(func() { off++ })
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
