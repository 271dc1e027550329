package acpi

import "encoding/binary"

// An HPET is a block of high precision event timers.
type HPET struct {
	BlockID    uint32 // the low half of its first register
	Base, Size uint32 // guest-physical, and bytes
	GSIs       []uint32
}

// table is the HPET description table (IA-PC HPET specification 1.0a, 3.2.4). It has no number for the shortest period, and
// promises nothing about what else lies in the page.
func (h *HPET) table() []byte {
	const revision, memory, width = 1, 0, 64
	b := binary.LittleEndian.AppendUint32(nil, h.BlockID)
	b = append(b, memory, width, 0, 0)
	b = binary.LittleEndian.AppendUint64(b, uint64(h.Base))
	b = append(b, 0)    // number of the block
	b = append(b, 0, 0) // shortest period, in ticks
	b = append(b, 0)    // page protection
	return table("HPET", revision, b)
}

// device names the timers' memory and interrupts. Linux's driver wants an interrupt for each (drivers/char/hpet.c, hpet_alloc).
func (h *HPET) device() []byte {
	return device("HPET",
		name("_HID", eisaID("PNP0103")),
		name("_UID", integer(0)),
		name("_CRS", resources(fixedMemory(h.Base, h.Size), interrupt(h.GSIs...))))
}
