package device

import (
	"bytes"
	"fmt"
	"testing"
)

// rig is a board with what surrounds it.
type rig struct {
	*Board
	testClock
	inbox
	com1, com2     bytes.Buffer
	powered, reset int
}

func newRig(t testing.TB, change ...func(*Config)) *rig {
	t.Helper()
	r := &rig{}
	config := Config{
		Clock:      &r.testClock,
		RTCStart:   1718454645,
		COM1:       func(c byte) { r.com1.WriteByte(c) },
		COM2:       func(c byte) { r.com2.WriteByte(c) },
		PowerOff:   func() { r.powered++ },
		Reset:      func() { r.reset++ },
		LocalAPICs: &r.inbox,
	}
	for _, c := range change {
		c(&config)
	}
	var err error
	if r.Board, err = NewBoard(config); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestBoardHasItsDevices(t *testing.T) {
	r := newRig(t)
	r.Out(COM1Port, 1, 'a')
	r.Out(COM2Port, 1, 'b')
	if r.com1.String() != "a" || r.com2.String() != "b" {
		t.Errorf("COM1 sent %q, COM2 %q", r.com1.String(), r.com2.String())
	}
	r.Out(RTCPort, 1, rtcYear)
	if got := r.In(RTCPort+1, 1); got != 0x24 {
		t.Errorf("year %#x", got)
	}
	r.Write(IOAPICBase, 4, ioapicRegVersion)
	if got := r.Read(IOAPICBase+ioapicData, 4); got != 0x00170020 || !r.Claims(IOAPICBase) {
		t.Errorf("I/O APIC version %#x", got)
	}
	r.Out(SleepControlPort, 1, SleepTypeS5<<2|1<<5)
	if r.powered != 1 || r.In(SleepStatusPort, 1) != 0 {
		t.Errorf("powered off %d times", r.powered)
	}
	r.Out(ResetPort, 1, ResetValue)
	if r.reset != 1 {
		t.Errorf("reset %d times", r.reset)
	}
}

func TestBoardNeedsItsConfig(t *testing.T) {
	r := newRig(t)
	full := Config{Clock: &r.testClock, PowerOff: func() {}, Reset: func() {}, LocalAPICs: &r.inbox}
	if b, err := NewBoard(full); err != nil {
		t.Errorf("without consoles: %v", err)
	} else {
		b.Out(COM1Port, 1, 'x') // lost, not a panic
	}
	for i, spoil := range []func(*Config){
		func(c *Config) { c.Clock = nil }, func(c *Config) { c.PowerOff = nil }, func(c *Config) { c.Reset = nil },
		func(c *Config) { c.LocalAPICs = nil }, func(c *Config) { c.RTCStart = -1 },
	} {
		config := full
		spoil(&config)
		if _, err := NewBoard(config); err == nil {
			t.Errorf("spoilt config %d: no error", i)
		}
	}
}

// What Linux's probes of absent hardware must see to give up at once.
func TestBoardLegacyIsAbsent(t *testing.T) {
	r := newRig(t)
	r.Out(0xA1, 1, 0xFF)
	r.Out(0x21, 1, 0xFB)
	if got := r.In(0x21, 1); got == 0xFB {
		t.Error("there seems to be an 8259 (i8259.c, probe_8259A)")
	}
	if got := r.In(0x64, 1); got != 0xFF {
		t.Errorf("i8042 status %#x", got)
	}
	// PCI configuration mechanism 1 (arch/x86/pci/direct.c, pci_check_type1). The dword must not reset the machine
	// either, though the reset register is one of its bytes.
	r.Out(0xCFB, 1, 0x01)
	r.Out(0xCF8, 4, 0x80000000)
	if got := r.In(0xCF8, 4); got == 0x80000000 {
		t.Error("there seems to be a PCI bus")
	}
	r.Out(0xCF8, 4, 0x80000000|ResetValue<<8)
	if r.reset != 0 {
		t.Error("a PCI configuration address reset the machine")
	}
	for _, port := range []uint16{0x20, 0x60, 0x92, 0xB2, 0x80, 0x2E, 0x4E, 0x3D4, 0x4D0, 0x402, 0xE9, 0x3E8, 0x2E8, 0x378} {
		for _, size := range []int{1, 2, 4} {
			if got, want := r.In(port, size), uint32(allOnes(size)); got != want {
				t.Errorf("port %#x reads %#x, want %#x", port, got, want)
			}
		}
	}
	for _, gpa := range []uint64{0xA0000, 0xFED00000, 0xFEE00000, 0xFED40000} { // VGA, HPET, local APIC, TPM
		if r.Claims(gpa) || r.Read(gpa, 4) != 0xFFFFFFFF {
			t.Errorf("a device at %#x", gpa)
		}
	}
}

// A driver that transmits by level-triggered interrupts gets one for each burst, and none is left when it has nothing
// more to send (8250_port.c, serial8250_handle_irq and serial8250_tx_chars).
func TestBoardTransmitsByInterrupt(t *testing.T) {
	r := newRig(t)
	const vector = 0x23
	route(r.IOAPIC, COM1IRQ, vector|redirLevel)
	out := func(register uint16, value uint8) { r.Out(COM1Port+register, 1, uint32(value)) }
	out(uartIIR, fcrEnable)
	out(uartMCR, mcrOut2|mcrRTS|mcrDTR)

	const text = "in bursts of sixteen bytes at most"
	left, interrupts := text, 0
	out(uartIER, ierTransmitter)
	for len(r.messages) > 0 {
		r.want(t, "interrupt", message{vector: vector, level: true})
		interrupts++
		if got := r.In(COM1Port+uartIIR, 1); got != iirTransmitter|iirFIFO {
			t.Fatalf("interrupt %#02x", got)
		}
		n := min(len(left), 16)
		for i := range n {
			out(uartData, left[i])
		}
		if left = left[n:]; left == "" {
			out(uartIER, 0)
		}
		r.EOI(vector)
	}
	if r.com1.String() != text || interrupts != 3 {
		t.Errorf("sent %q with %d interrupts, want %q with 3", r.com1.String(), interrupts, text)
	}
}

// A key that the host sends interrupts through COM2's own pin.
func TestBoardReceivesByInterrupt(t *testing.T) {
	r := newRig(t)
	route(r.IOAPIC, COM2IRQ, 0x40|redirLevel)
	r.Out(COM2Port+uartMCR, 1, mcrOut2|mcrRTS)
	r.Out(COM2Port+uartIER, 1, ierReceived)
	if _, err := fmt.Fprint(r.COM2, "k"); err != nil {
		t.Fatal(err)
	}
	r.want(t, "key", message{vector: 0x40, level: true})
	if got := r.In(COM2Port, 1); got != 'k' {
		t.Errorf("received %#x", got)
	}
	r.EOI(0x40)
	r.want(t, "after EOI")
}

// The clock's alarm is the board's event, and interrupts when the machine advances to it.
func TestBoardTime(t *testing.T) {
	r := newRig(t)
	route(r.IOAPIC, RTCIRQ, 0x41|redirLevel)
	if _, ok := r.NextEvent(); ok {
		t.Error("an event after reset")
	}
	r.Out(RTCPort, 2, rtcB|(rtcB24Hours|rtcBUpdateEnded)<<8) // index and data in one word
	ns, ok := r.NextEvent()
	if !ok || ns != secondNS {
		t.Fatalf("next event %d, %v", ns, ok)
	}
	r.ns = ns - 1
	r.Advance(r.ns)
	r.want(t, "too early")
	r.ns = ns
	r.Advance(r.ns)
	r.want(t, "update ended", message{vector: 0x41, level: true})
}
