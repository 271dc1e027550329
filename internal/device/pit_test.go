package device

import "testing"

// speaker is the bus with an interval timer, counting accesses.
type speaker struct {
	Bus
	accesses int
}

func newSpeaker(t *testing.T) *speaker {
	t.Helper()
	s, pit := &speaker{}, &PIT{}
	if err := s.MapPorts(pitPort, pitPorts, pit); err != nil {
		t.Fatal(err)
	}
	if err := s.MapPorts(nmiStatusPort, 1, pit.NMIStatus()); err != nil {
		t.Fatal(err)
	}
	return s
}

func (s *speaker) inb(port uint16) uint8         { s.accesses++; return uint8(s.In(port, 1)) }
func (s *speaker) outb(port uint16, value uint8) { s.accesses++; s.Out(port, 1, uint32(value)) }

// startChannel2 opens channel 2's gate and loads it with a count in mode 0, as all calibrations do.
func (s *speaker) startChannel2(count uint16) {
	s.outb(0x61, s.inb(0x61)&^2|1)
	s.outb(0x43, 0xB0)
	s.outb(0x42, uint8(count))
	s.outb(0x42, uint8(count>>8))
}

// highByte tells whether the count's high byte is as expected (tsc.c, pit_verify_msb).
func (s *speaker) highByte(want uint8) bool {
	s.inb(0x42)
	return s.inb(0x42) == want
}

// Linux's quick calibration (tsc.c, quick_pit_calibrate) gives up on the first count it looks at.
func TestPITQuickCalibrationGivesUp(t *testing.T) {
	s := newSpeaker(t)
	s.startChannel2(0xFFFF)
	s.highByte(0)
	same := 0
	for same < 50000 && s.highByte(0xFF) {
		same++
	}
	if same > 5 {
		t.Errorf("saw the high byte %d times: the kernel goes on", same)
	}
	if s.accesses != 9 {
		t.Errorf("%d accesses, want 9: 5 to start, 2 and 2 reads", s.accesses)
	}
}

// The slow calibration (tsc.c, pit_calibrate_tsc) and GRUB's (tsc_pit.c) wait for channel 2's output: it is there at
// once, which both take for a broken timer, by too few loops and by an output that was high before the wait.
func TestPITOutputIsHigh(t *testing.T) {
	s := newSpeaker(t)
	s.startChannel2(11932)
	loops := 0
	for s.inb(0x61)&0x20 == 0 {
		if loops++; loops > 1000 {
			t.Fatal("the output stays low")
		}
	}
	if loops != 0 {
		t.Errorf("%d loops", loops)
	}
}

// The KASLR code (arch/x86/lib/kaslr.c, i8254) waits until the count is loaded.
func TestPITStatusIsLoaded(t *testing.T) {
	s := newSpeaker(t)
	s.outb(0x43, 0xC2)
	if status := s.inb(0x40); status&0x40 != 0 {
		t.Errorf("status %#02x: null count", status)
	}
}

// Port 0x61 shows no reason for an NMI (Linux: default_get_nmi_reason) and keeps the gate and the enables.
func TestNMIStatus(t *testing.T) {
	s := newSpeaker(t)
	s.outb(0x61, 0xFF)
	if got := s.inb(0x61); got != 0x2F {
		t.Errorf("port 0x61 reads %#02x, want 0x2f", got)
	}
	s.outb(0x61, 0)
	if got := s.inb(0x61); got != 0x20 {
		t.Errorf("port 0x61 reads %#02x, want 0x20", got)
	}
	if got := s.inb(0x43); got != 0xFF {
		t.Errorf("the control word reads %#02x: it is write-only", got)
	}
}
