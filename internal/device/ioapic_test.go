package device

import (
	"slices"
	"testing"
)

type message struct {
	dest    uint32
	logical bool
	vector  uint8
	mode    uint8
	level   bool
}

// inbox is the local APICs: it keeps what arrives.
type inbox struct{ messages []message }

func (i *inbox) Deliver(dest uint32, logical bool, vector uint8, mode uint8, level bool) {
	i.messages = append(i.messages, message{dest, logical, vector, mode, level})
}

func (i *inbox) want(t *testing.T, what string, messages ...message) {
	t.Helper()
	if !slices.Equal(i.messages, messages) {
		t.Errorf("%s: delivered %+v, want %+v", what, i.messages, messages)
	}
	i.messages = nil
}

func readIOAPIC(a *IOAPIC, register uint8) uint32 {
	a.Write(ioapicIndex, 4, uint64(register))
	return uint32(a.Read(ioapicData, 4))
}

func writeIOAPIC(a *IOAPIC, register uint8, value uint32) {
	a.Write(ioapicIndex, 4, uint64(register))
	a.Write(ioapicData, 4, uint64(value))
}

// route writes an entry as Linux does: the high half first, so that it is complete when it is unmasked.
func route(a *IOAPIC, pin int, entry uint64) {
	writeIOAPIC(a, uint8(ioapicRegTable+2*pin+1), uint32(entry>>32))
	writeIOAPIC(a, uint8(ioapicRegTable+2*pin), uint32(entry))
}

func entryOf(a *IOAPIC, pin int) uint64 {
	return uint64(readIOAPIC(a, uint8(ioapicRegTable+2*pin+1)))<<32 | uint64(readIOAPIC(a, uint8(ioapicRegTable+2*pin)))
}

func wantEntry(t *testing.T, a *IOAPIC, pin int, what string, want uint64) {
	t.Helper()
	if got := entryOf(a, pin); got != want {
		t.Errorf("%s: entry %d is %#x, want %#x", what, pin, got, want)
	}
}

// What Linux reads when it registers an I/O APIC, and how it clears one (io_apic.c, bad_ioapic_register,
// clear_IO_APIC_pin).
func TestIOAPICSetup(t *testing.T) {
	a := newIOAPIC(&inbox{})
	if got := readIOAPIC(a, ioapicRegVersion); got != 0x00170020 {
		t.Errorf("version register %#x", got)
	}
	if got := readIOAPIC(a, ioapicRegID); got != IOAPICID<<24 {
		t.Errorf("ID register %#x", got)
	}
	for pin := range IOAPICPins {
		wantEntry(t, a, pin, "reset", redirMask)
	}
	writeIOAPIC(a, ioapicRegID, 0xF5FFFFFF)
	if got := readIOAPIC(a, ioapicRegID); got != 5<<24 {
		t.Errorf("ID register %#x after a write, want its 4 bits", got)
	}
	if got := readIOAPIC(a, ioapicRegArbitration); got != 5<<24 {
		t.Errorf("arbitration register %#x", got)
	}
	writeIOAPIC(a, ioapicRegVersion, 0)
	if got := readIOAPIC(a, ioapicRegVersion); got != 0x00170020 {
		t.Errorf("version register %#x after a write", got)
	}
	for _, register := range []uint8{0x03, 0x0F, 0x40, 0xFF} {
		writeIOAPIC(a, register, 0xFFFFFFFF)
		if got := readIOAPIC(a, register); got != 0 {
			t.Errorf("register %#x reads %#x", register, got)
		}
	}

	// Reserved and read-only bits do not stick: an entry of ones has no remote IRR and no delivery status.
	route(a, 7, ^uint64(0))
	wantEntry(t, a, 7, "all ones", 0xFF0000000001AFFF)
	route(a, 7, redirMask)
	wantEntry(t, a, 7, "cleared", redirMask)
	if got := a.Read(ioapicEOI, 4); got != 0 {
		t.Errorf("EOI register reads %#x", got)
	}
}

func TestIOAPICEdge(t *testing.T) {
	in := &inbox{}
	a := newIOAPIC(in)
	line := a.Line(4)
	line(true)
	line(false)
	line(true)
	route(a, 4, 0x30|3<<redirDestShift)
	in.want(t, "edges on a masked pin are lost")
	line(true)
	in.want(t, "no edge")
	line(false)
	in.want(t, "the edge back")
	line(true)
	in.want(t, "an edge", message{dest: 3, vector: 0x30})
	wantEntry(t, a, 4, "no remote IRR", 0x30|3<<redirDestShift)
	line(false)
	line(true)
	in.want(t, "edges wait for no EOI", message{dest: 3, vector: 0x30})
	a.EOI(0x30)
	in.want(t, "EOI")
}

func TestIOAPICLevel(t *testing.T) {
	in := &inbox{}
	a := newIOAPIC(in)
	line := a.Line(9)
	const entry = 0x51 | redirLevel | redirLogical | deliveryLowestPriority<<redirModeShift | 0x0F<<redirDestShift
	sent := message{dest: 0x0F, logical: true, vector: 0x51, mode: deliveryLowestPriority, level: true}

	line(true)
	route(a, 9, entry)
	in.want(t, "unmasked while asserted", sent)
	wantEntry(t, a, 9, "remote IRR", entry|redirRemoteIRR)
	line(false)
	line(true)
	route(a, 9, entry)
	in.want(t, "asserted again before EOI")

	a.EOI(0x50)
	in.want(t, "EOI of another vector")
	a.EOI(0x51)
	in.want(t, "EOI while asserted", sent)
	line(false)
	a.EOI(0x51)
	in.want(t, "EOI after the line fell")
	wantEntry(t, a, 9, "no remote IRR", entry)

	line(true)
	in.want(t, "next", sent)
	a.Write(ioapicEOI, 4, 0x51)
	in.want(t, "EOI register", sent)

	route(a, 9, entry|redirMask)
	a.EOI(0x51)
	in.want(t, "EOI while masked")
	wantEntry(t, a, 9, "ended", entry|redirMask)
	route(a, 9, entry)
	in.want(t, "unmasked", sent)

	// Without the EOI register software ends an interrupt by switching to edge and back.
	route(a, 9, entry&^redirLevel|redirMask)
	wantEntry(t, a, 9, "edge has no remote IRR", entry&^redirLevel|redirMask)
	route(a, 9, entry)
	in.want(t, "level again", sent)
}

// Two pins may share a vector, and one EOI ends both.
func TestIOAPICSharedVector(t *testing.T) {
	in := &inbox{}
	a := newIOAPIC(in)
	sent := message{vector: 0x77, level: true}
	for _, pin := range []int{3, 4} {
		route(a, pin, 0x77|redirLevel)
		a.Line(pin)(true)
	}
	in.want(t, "both", sent, sent)
	a.Line(3)(false)
	a.EOI(0x77)
	in.want(t, "the one that is still asserted", sent)
}

func TestIOAPICDelivery(t *testing.T) {
	in := &inbox{}
	a := newIOAPIC(in)
	raise := func(entry uint64) {
		route(a, 1, entry)
		a.Line(1)(true)
		a.Line(1)(false)
	}
	for _, mode := range []uint8{deliverySMI, deliveryNMI, deliveryINIT, deliveryExtINT} {
		raise(0x20 | uint64(mode)<<redirModeShift | redirLevel)
		in.want(t, "never level-triggered", message{vector: 0x20, mode: mode})
	}
	for _, mode := range []uint64{3, 6} {
		raise(0x20 | mode<<redirModeShift)
		raise(0x20 | mode<<redirModeShift | redirLevel)
		in.want(t, "reserved mode")
	}
	raise(0x20 | 0xFF<<redirDestShift)
	in.want(t, "broadcast", message{dest: 0xFFFFFFFF, vector: 0x20})
	raise(0x20 | redirPolarity)
	in.want(t, "polarity is not applied", message{vector: 0x20})
}

// Accesses of other sizes than 4: the index takes a byte, wide reads find zeros above.
func TestIOAPICAccessSizes(t *testing.T) {
	var bus Bus
	a := newIOAPIC(&inbox{})
	if err := bus.MapMemory(IOAPICBase, ioapicSize, a); err != nil {
		t.Fatal(err)
	}
	bus.Write(IOAPICBase, 1, 0x01)
	if got := bus.Read(IOAPICBase+ioapicData, 8); got != 0x00170020 {
		t.Errorf("8-byte read %#x", got)
	}
	if got := bus.Read(IOAPICBase+ioapicData, 1); got != 0x20 {
		t.Errorf("1-byte read %#x", got)
	}
	if got := bus.Read(IOAPICBase+ioapicData+1, 1); got != 0 {
		t.Errorf("unaligned read %#x", got)
	}
}
