package device

import "testing"

// A picMachine is a pair of controllers on a bus, and the processor's input.
type picMachine struct {
	*testing.T
	*PIC
	Bus
	intr bool
}

// newPICMachine makes a pair as a PC's firmware and kernels program it: vectors 0x20 and 0x28, nothing masked.
func newPICMachine(t *testing.T) *picMachine {
	m := &picMachine{T: t}
	m.PIC = newPIC(func(asserted bool) { m.intr = asserted })
	for _, err := range []error{
		m.MapPorts(picPort, picPorts, m.Chip(0)), m.MapPorts(picSlavePort, picPorts, m.Chip(1)), m.MapPorts(elcrPort, elcrPorts, m.ELCR()),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	m.program(1)
	return m
}

func (m *picMachine) program(icw4 uint32) {
	for _, w := range [][2]uint32{{0x20, 0x11}, {0x21, 0x20}, {0x21, 4}, {0x21, icw4}, {0xA0, 0x11}, {0xA1, 0x28}, {0xA1, 2}, {0xA1, 1}} {
		m.Out(uint16(w[0]), 1, w[1])
	}
}

func (m *picMachine) pulse(irq int) { m.Line(irq)(true); m.Line(irq)(false) }

// takes asserts that the processor is interrupted, and by which vectors.
func (m *picMachine) takes(vectors ...uint8) {
	m.Helper()
	for _, want := range vectors {
		if !m.intr {
			m.Fatalf("no interrupt, want vector %#x", want)
		}
		if v := m.Acknowledge(); v != want {
			m.Errorf("vector %#x, want %#x", v, want)
		}
	}
}

func (m *picMachine) quiet(when string) {
	m.Helper()
	if m.intr {
		m.Errorf("an interrupt %s", when)
	}
}

func TestPICIsQuietBeforeItIsProgrammed(t *testing.T) {
	p := newPIC(func(bool) { t.Error("an interrupt") })
	for irq := range 16 {
		if irq != picCascade {
			p.Line(irq)(true)
		}
	}
}

// Linux writes a mask and reads it back, to find out whether there is a controller.
func TestPICIsFound(t *testing.T) {
	m := newPICMachine(t)
	m.Out(0xA1, 1, 0xFF)
	m.Out(0x21, 1, 0xFB)
	if v := m.In(0x21, 1); v != 0xFB {
		t.Errorf("the mask reads as %#x", v)
	}
}

func TestPICServesByPriority(t *testing.T) {
	m := newPICMachine(t)
	m.pulse(5)
	m.takes(0x25)
	m.pulse(7)
	m.quiet("of a lower priority than what is in service")
	m.pulse(3)
	m.takes(0x23)
	m.Out(0x20, 1, 0x20) // end of the one that is most urgent
	m.quiet("of a lower priority than what is in service still")
	m.Out(0x20, 1, 0x65) // end of 5
	m.takes(0x27)
	m.Out(0x20, 1, 0x0B) // read what is in service
	if v := m.In(0x20, 1); v != 0x80 {
		t.Errorf("in service: %#x", v)
	}
}

func TestPICMasks(t *testing.T) {
	m := newPICMachine(t)
	m.Out(0x21, 1, 1<<4)
	m.pulse(4)
	m.quiet("that is masked")
	if v := m.In(0x20, 1); v != 1<<4 {
		t.Errorf("requested: %#x", v)
	}
	m.Out(0x21, 1, 0)
	m.takes(0x24)
}

// What the second controller requests is a request of the first one's, which has its own priorities.
func TestPICCascades(t *testing.T) {
	m := newPICMachine(t)
	m.pulse(8)
	m.takes(0x28)
	m.pulse(1)
	m.takes(0x21)
	m.pulse(12)
	m.quiet("of the second controller while a more urgent one is served")
	m.Out(0x20, 1, 0x61)
	m.quiet("of the second controller while the first waits for its end")
	m.Out(0xA0, 1, 0x60)
	m.Out(0x20, 1, 0x62)
	m.takes(0x2C)
	m.Out(0x20, 1, 0x62)
	m.Out(0x21, 1, 1<<picCascade)
	m.pulse(9)
	m.quiet("through a masked cascade")
}

// In special fully nested mode the second controller is asked while it is in service.
func TestPICNests(t *testing.T) {
	m := newPICMachine(t)
	m.program(0x11)
	m.pulse(12)
	m.takes(0x2C)
	m.pulse(9)
	m.takes(0x29)
}

// A request that is gone when the processor asks is that of the lowest priority, and not in service.
func TestPICSpuriousInterrupt(t *testing.T) {
	m := newPICMachine(t)
	m.Out(elcrPort, 1, 1<<4)
	m.Line(4)(true)
	if !m.intr {
		t.Fatal("no interrupt")
	}
	m.Line(4)(false)
	if v := m.Acknowledge(); v != 0x27 {
		t.Errorf("vector %#x", v)
	}
	m.Out(0x20, 1, 0x0B)
	if v := m.In(0x20, 1); v != 0 {
		t.Errorf("in service: %#x", v)
	}
}

func TestPICLevels(t *testing.T) {
	m := newPICMachine(t)
	m.Out(elcrPort, 2, 0xFFFF)
	if v := m.In(elcrPort, 2); v != elcrSlave<<8|elcrMaster {
		t.Errorf("ELCR reads as %#x", v)
	}
	m.Line(10)(true)
	m.takes(0x2A)
	m.Out(0xA0, 1, 0x20)
	m.Out(0x20, 1, 0x20)
	m.takes(0x2A) // it is asserted still
	m.Line(10)(false)
	m.Out(0xA0, 1, 0x20)
	m.Out(0x20, 1, 0x20)
	m.quiet("of a line that is not asserted any more")
}

func TestPICAutomaticEndAndRotation(t *testing.T) {
	m := newPICMachine(t)
	m.program(3)         // automatic end of interrupt
	m.Out(0x20, 1, 0x80) // rotating
	m.pulse(4)
	m.pulse(5)
	m.pulse(3)
	m.takes(0x23, 0x24, 0x25)
	m.pulse(4)
	m.pulse(6)
	m.takes(0x26, 0x24) // 5 was served last, and 6 is next
	m.quiet("after the end")
	m.Out(0x20, 1, 0xC0|2) // the lowest priority is 2's
	m.pulse(0)
	m.pulse(3)
	m.takes(0x23)
}

func TestPICSpecialMaskAndPoll(t *testing.T) {
	m := newPICMachine(t)
	m.pulse(3)
	m.takes(0x23)
	m.Out(0x21, 1, 1<<3)
	m.Out(0x20, 1, 0x68) // special mask mode: what is masked holds nothing up
	m.pulse(5)
	m.takes(0x25)
	m.Out(0x20, 1, 0x48)
	m.Out(0x20, 1, 0x0C)
	if v := m.In(0x20, 1); v != 0 {
		t.Errorf("a poll of nothing: %#x", v)
	}
	m.pulse(1)
	m.Out(0x20, 1, 0x0C)
	if v := m.In(0x20, 1); v != 0x81 {
		t.Errorf("a poll of 1: %#x", v)
	}
	m.quiet("that has been polled")
}
