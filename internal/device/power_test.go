package device

import "testing"

// EDK2 turns the machine off so (OvmfPkg/Library/ResetSystemLib, AcpiPmControl).
func TestPowerControl(t *testing.T) {
	off := 0
	var bus Bus
	if err := bus.MapPorts(powerControlPort, powerPorts, &Power{clock: &testClock{}, powerOff: func() { off++ }}); err != nil {
		t.Fatal(err)
	}
	bus.Out(powerControlPort, 2, 1<<10)
	bus.Out(powerControlPort, 2, 1<<10|1<<13) // S3
	if got := bus.In(powerControlPort, 2); off != 0 || got != 1<<10 {
		t.Errorf("turned off %d times by what is not S5; the register is %#x", off, got)
	}
	bus.Out(powerControlPort, 2, 0)
	bus.Out(powerControlPort, 2, bus.In(powerControlPort, 2)|1<<13)
	if off != 1 {
		t.Errorf("turned off %d times", off)
	}
}

// The timer counts 3,579,545 a second, and has 24 bits.
func TestPowerTimer(t *testing.T) {
	clock := &testClock{}
	var bus Bus
	if err := bus.MapPorts(powerControlPort, powerPorts, &Power{clock: clock}); err != nil {
		t.Fatal(err)
	}
	for ns, want := range map[int64]uint32{0: 0, 279: 0, 280: 1, 1_000_000_000: 3_579_545, 4_686_900_000: 16_776_969, 4_687_000_000: 111} {
		clock.ns = ns
		if got := bus.In(powerControlPort+powerTimer, 4); got != want {
			t.Errorf("after %d ns the timer reads %d, want %d", ns, got, want)
		}
	}
}
