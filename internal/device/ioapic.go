package device

// LocalAPICs is where an I/O APIC's messages go.
type LocalAPICs interface {
	// Deliver sends an interrupt message. The destination is an APIC ID, or a logical destination if logical is true;
	// an I/O APIC's 8-bit broadcast, 0xFF, comes as the x2APIC's, 0xFFFFFFFF. Mode is one of the Delivery constants.
	// Level tells a level-triggered interrupt: the local APIC that takes it notes it in its trigger mode register and
	// broadcasts the end of interrupt, which the machine hands to [IOAPIC.EOI]. Deliver itself must not call EOI.
	Deliver(dest uint32, logical bool, vector uint8, mode uint8, level bool)
}

// Delivery modes of an interrupt message (82093AA data sheet, 3.2.4, DELMOD).
const (
	deliveryFixed          = 0
	deliveryLowestPriority = 1
	deliverySMI            = 2
	deliveryNMI            = 4
	deliveryINIT           = 5
	deliveryExtINT         = 7
)

// IOAPICPins is the number of interrupt lines an I/O APIC takes.
const IOAPICPins = 24

// ioapicVersion is that of the I/O APICs in Intel's ICH, PCH and KVM: 0x20 has the EOI register, which the 82093AA
// (0x11) lacks. Linux reads it to choose how it ends an interrupt (arch/x86/kernel/apic/io_apic.c, __eoi_ioapic_pin).
const ioapicVersion = 0x20

// Offsets in the window (82093AA data sheet, 3.1; EOI: ICH9 data sheet, APIC registers, EOIR) and what the index
// selects (3.2).
const (
	ioapicIndex = 0x00 // IOREGSEL
	ioapicData  = 0x10 // IOWIN
	ioapicEOI   = 0x40

	ioapicRegID          = 0x00
	ioapicRegVersion     = 0x01
	ioapicRegArbitration = 0x02
	ioapicRegTable       = 0x10 // two registers a pin, low half first

	ioapicIDShift = 24
	ioapicIDMask  = 0x0F << ioapicIDShift
)

// Fields of a redirection table entry (82093AA data sheet, 3.2.4). The delivery status, bit 12, always reads as idle:
// a message takes no time. The polarity, bit 13, is kept and not applied, as in KVM: our lines are asserted or not, and
// have no voltage.
const (
	redirModeShift = 8
	redirLogical   = 1 << 11
	redirPolarity  = 1 << 13
	redirRemoteIRR = 1 << 14
	redirLevel     = 1 << 15
	redirMask      = 1 << 16
	redirDestShift = 56

	redirWritable = 0xFF | 7<<redirModeShift | redirLogical | redirPolarity | redirLevel | redirMask | 0xFF<<redirDestShift
)

// IOAPIC turns the level of its lines into messages to local APICs.
type IOAPIC struct {
	apics    LocalAPICs
	id       uint32 // as in its register
	index    uint8
	asserted uint32 // bit n: line n
	table    [IOAPICPins]uint64
}

// newIOAPIC returns an I/O APIC after reset: ID 0, all pins masked.
func newIOAPIC(apics LocalAPICs) *IOAPIC {
	a := &IOAPIC{apics: apics}
	for pin := range a.table {
		a.table[pin] = redirMask
	}
	return a
}

// Line returns the line at a pin, 0 to IOAPICPins-1. Any other pin is a mistake of the program that builds the machine:
// the line panics when it is used.
func (a *IOAPIC) Line(pin int) Line {
	return func(asserted bool) { a.set(pin, asserted) }
}

func (a *IOAPIC) set(pin int, asserted bool) {
	entry, bit := &a.table[pin], uint32(1)<<pin
	if asserted == (a.asserted&bit != 0) {
		return
	}
	a.asserted ^= bit
	// An edge on a masked pin is lost, not kept (82093AA, 3.2.4, interrupt mask).
	if asserted && *entry&redirMask == 0 {
		a.request(entry)
	}
}

// request sends an entry's message, unless it is level-triggered and a local APIC still handles the one before.
func (a *IOAPIC) request(entry *uint64) {
	level, mode := levelTriggered(*entry), uint8(*entry>>redirModeShift)&7
	if mode == 3 || mode == 6 || level && *entry&redirRemoteIRR != 0 { // 3 and 6 are reserved
		return
	}
	if level {
		*entry |= redirRemoteIRR
	}
	dest := uint32(*entry >> redirDestShift)
	if dest == 0xFF {
		dest = 0xFFFFFFFF
	}
	a.apics.Deliver(dest, *entry&redirLogical != 0, uint8(*entry), mode, level)
}

// settle requests a level-triggered interrupt whose line is asserted, after its entry has changed.
func (a *IOAPIC) settle(pin int) {
	entry := &a.table[pin]
	if a.asserted>>pin&1 != 0 && *entry&redirMask == 0 && levelTriggered(*entry) {
		a.request(entry)
	}
}

// levelTriggered tells whether an entry waits for an end of interrupt. Only fixed and lowest priority interrupts do;
// SMI, NMI, INIT and ExtINT are edges even if they are programmed otherwise (82093AA, 3.2.4, DELMOD).
func levelTriggered(entry uint64) bool {
	return entry&redirLevel != 0 && uint8(entry>>redirModeShift)&7 <= deliveryLowestPriority
}

// EOI ends the level-triggered interrupts with this vector: a local APIC broadcast it, or the guest wrote the EOI
// register. One whose line is still asserted is requested again at once.
func (a *IOAPIC) EOI(vector uint8) {
	for pin := range a.table {
		entry := &a.table[pin]
		if uint8(*entry) == vector && levelTriggered(*entry) {
			*entry &^= redirRemoteIRR
			a.settle(pin)
		}
	}
}

// Read implements MemoryDevice. Registers are 32 bits wide; a wider read finds zeros above.
func (a *IOAPIC) Read(offset uint64, _ int) uint64 {
	switch offset {
	case ioapicIndex:
		return uint64(a.index)
	case ioapicData:
		return uint64(a.register())
	}
	return 0
}

// Write implements MemoryDevice. A narrower write sets the upper bits to zero, as in KVM.
func (a *IOAPIC) Write(offset uint64, _ int, value uint64) {
	switch offset {
	case ioapicIndex:
		a.index = uint8(value)
	case ioapicData:
		a.setRegister(uint32(value))
	case ioapicEOI:
		a.EOI(uint8(value))
	}
}

func (a *IOAPIC) register() uint32 {
	switch a.index {
	case ioapicRegID, ioapicRegArbitration: // a message on no bus needs no arbitration: its ID is the APIC's
		return a.id
	case ioapicRegVersion:
		return (IOAPICPins-1)<<16 | ioapicVersion
	}
	if pin := int(a.index-ioapicRegTable) / 2; a.index >= ioapicRegTable && pin < IOAPICPins {
		return uint32(a.table[pin] >> (32 * (a.index & 1)))
	}
	return 0
}

func (a *IOAPIC) setRegister(value uint32) {
	if a.index == ioapicRegID {
		a.id = value & ioapicIDMask
		return
	}
	pin := int(a.index-ioapicRegTable) / 2
	if a.index < ioapicRegTable || pin >= IOAPICPins {
		return
	}
	shift := 32 * (a.index & 1)
	half := uint64(0xFFFFFFFF) << shift & redirWritable
	entry := &a.table[pin]
	*entry = *entry&^half | uint64(value)<<shift&half
	// An edge-triggered entry has no remote IRR; software ends an interrupt on chips without EOI register by switching
	// to edge and back (io_apic.c, __eoi_ioapic_pin).
	if !levelTriggered(*entry) {
		*entry &^= redirRemoteIRR
	}
	a.settle(pin)
}
