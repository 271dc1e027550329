package device

import "testing"

// The code is what is written, whole.
func TestDebugExit(t *testing.T) {
	var codes []uint32
	var bus Bus
	if err := bus.MapPorts(0xF4, debugExitPorts, &DebugExit{exit: func(code uint32) { codes = append(codes, code) }}); err != nil {
		t.Fatal(err)
	}
	bus.Out(0xF4, 1, 0x10)
	bus.Out(0xF4, 4, 0xDEAD_BEEF)
	bus.Out(0xF5, 2, 3)
	bus.Out(0xF6, 1, 4)
	if want := []uint32{0x10, 0xDEAD_BEEF, 3}; len(codes) != 3 || codes[0] != want[0] || codes[1] != want[1] || codes[2] != want[2] {
		t.Errorf("%#x, want %#x", codes, want)
	}
	if v := bus.In(0xF4, 4); v != 0 {
		t.Errorf("it reads as %#x", v)
	}
}
