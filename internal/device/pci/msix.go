package pci

import "encoding/binary"

// NoVector says that an event has no interrupt.
const NoVector = 0xFFFF

// The MSI-X capability and a table's entries (PCI 3.0, 6.8.2).
const (
	capMSIX = 0x11

	msixEnable = 1 << 15 // of message control
	msixMask   = 1 << 14

	maxMSIX      = 64
	entrySize    = 16
	entryAddress = 0
	entryUpper   = 4
	entryData    = 8
	entryControl = 12 // bit 0 masks the entry
)

// An msix is the table of a function's interrupts, and which of them wait to be unmasked.
type msix struct {
	control int // where message control is in configuration space; 0 where there is no MSI-X
	count   int
	table   [maxMSIX * entrySize]byte
	pending uint64
}

func (f *Function) addMSIX(count int) {
	f.msix.count = min(count, maxMSIX)
	for i := range f.msix.count {
		f.msix.table[i*entrySize+entryControl] = 1
	}
	le := binary.LittleEndian
	body := le.AppendUint16(nil, uint16(f.msix.count-1))
	body = le.AppendUint32(body, msixTable) // in BAR 0
	body = le.AppendUint32(body, msixPending)
	f.msix.control = int(f.AddCapability(capMSIX, body, le.AppendUint16(nil, msixEnable|msixMask))) + 2
}

// Interrupts is how many the function has.
func (f *Function) Interrupts() int { return f.msix.count }

// Interrupt sends the function's interrupt n, or keeps it until it is unmasked. Without MSI-X there is none: the function
// has no line.
func (f *Function) Interrupt(n uint16) {
	if int(n) >= f.msix.count || f.messageControl()&msixEnable == 0 {
		return
	}
	f.msix.pending |= 1 << n
	f.settle()
}

func (f *Function) messageControl() uint16 {
	return binary.LittleEndian.Uint16(f.config[f.msix.control:])
}

// settle sends what waits and may be sent.
func (f *Function) settle() {
	if f.msix.pending == 0 || f.messageControl()&(msixEnable|msixMask) != msixEnable || !f.Master() {
		return
	}
	for n := range f.msix.count {
		entry := f.msix.table[n*entrySize:][:entrySize]
		if f.msix.pending>>n&1 != 0 && entry[entryControl]&1 == 0 {
			f.msix.pending &^= 1 << n
			f.send(entry)
		}
	}
}

// send makes an interrupt of a message (SDM vol. 3, 11.11). A message that is for no local APIC is lost: it would be a write
// to memory, which no driver means.
func (f *Function) send(entry []byte) {
	le := binary.LittleEndian
	address, data := le.Uint32(entry[entryAddress:]), le.Uint32(entry[entryData:])
	const apics, broadcast = 0xFEE, 0xFF
	if address>>20 != apics || le.Uint32(entry[entryUpper:]) != 0 {
		return
	}
	dest := address >> 12 & 0xFF
	if dest == broadcast {
		dest = 0xFFFF_FFFF
	}
	f.apics.Deliver(dest, address>>2&1 != 0, uint8(data), uint8(data>>8)&7, false)
}

// read reads the page of the table. Entries and pending bits are there for aligned accesses of 4 and 8 bytes.
func (m *msix) read(offset uint64, size int) uint64 {
	var page [8]byte
	switch at := offset - msixTable; {
	case size < 4 || at%uint64(size) != 0:
		return 0
	case at < uint64(m.count*entrySize):
		copy(page[:size], m.table[at:])
	case offset >= msixPending && offset < msixPending+8:
		return m.pending >> (8 * (offset - msixPending))
	}
	return binary.LittleEndian.Uint64(page[:])
}

func (m *msix) write(offset uint64, size int, value uint64) {
	at := offset - msixTable
	if size < 4 || at%uint64(size) != 0 || at >= uint64(m.count*entrySize) {
		return
	}
	var b [8]byte
	binary.LittleEndian.PutUint64(b[:], value)
	copy(m.table[at:], b[:size])
}
