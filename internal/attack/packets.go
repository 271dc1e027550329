package attack

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/device/virtio"
	"github.com/tacit-vm/tacit/internal/x86"
)

// What a network brings is the host's to choose, and so is what its card says of it (virtio 1.2, 5.1.6).

// packets is how many come. A driver makes room for another with each: it would never be done.
const packets = 4

// The header of a packet, as a device of virtio 1 has it.
const (
	packetFlags, packetGSO                = 0, 1
	packetHeaderLength, packetGSOSize     = 2, 4
	packetChecksumStart, packetChecksumAt = 6, 8
	packetBuffers                         = 10
	packetHeader                          = 12

	needsChecksum = 1
	gsoTCPv4      = 1
)

// Speaks says whether something comes. See [virtio.Liar].
func (h *Host) Speaks() bool {
	return h.begun && h.tactic.packet != nil && h.counter < packets
}

// Packet is what comes.
func (h *Host) Packet(c *x86.CPU) []byte {
	h.counter++
	if h.from() {
		h.step(c, "had a packet come from the network", nil)
		return h.tactic.packet(h)
	}
	return ordinary(h)
}

// ordinary is a packet for everybody, of a protocol that nobody speaks.
func ordinary(*Host) []byte {
	const shortest, experimental = 60, 0x88B5 // IEEE 802: local experiments
	b := append(make([]byte, packetHeader), marks(shortest)...)
	binary.LittleEndian.PutUint16(b[packetBuffers:], 1)
	frame := b[packetHeader:]
	copy(frame, []byte{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x02, 'h', 'o', 's', 't', '0'})
	binary.BigEndian.PutUint16(frame[12:], experimental)
	return b
}

// longPackets says of each packet that it is longer than its buffer.
func longPackets(h *Host, _ *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	if r.Packets {
		u.Length += beyond
	}
	return u
}

// wildHeader has all that a header says be beyond the packet.
func wildHeader(h *Host) []byte {
	b := ordinary(h)
	le := binary.LittleEndian
	b[packetFlags], b[packetGSO] = needsChecksum, gsoTCPv4
	le.PutUint16(b[packetHeaderLength:], beyond)
	le.PutUint16(b[packetGSOSize:], 1)
	le.PutUint16(b[packetChecksumStart:], beyond)
	le.PutUint16(b[packetChecksumAt:], uint16(h.value())|1<<15)
	le.PutUint16(b[packetBuffers:], ^uint16(0))
	return b
}
