package virtio

import (
	"encoding/binary"
	"testing"
)

// liar has a device say what it wants.
type liar struct {
	ring Ring
	told []Used
	says Used

	packets [][]byte
}

func (l *liar) Speaks() bool { return len(l.packets) > 0 }

func (l *liar) Packet() []byte {
	p := l.packets[0]
	l.packets = l.packets[1:]
	return p
}

func (l *liar) Used(r Ring, u Used) Used {
	l.ring, l.told = r, append(l.told, u)
	return l.says
}

// What a device leaves in the used ring is what the host has it say, which hears of the truth; the device itself goes on by that.
func TestLiar(t *testing.T) {
	g, l := newGuest(), &liar{says: Used{ID: 0x1234, Length: 0x5678, Index: 9}}
	w := g.wiring()
	w.Liar = l
	v := start(t, g, NewRNG(w, 1), 0)
	for i := range 2 {
		v.describe(descAt, i, dataAt, 64, descWrite, 0)
		v.offer(uint16(i))
		v.rest()
		if head, length := v.usedEntryAt(i); head != 0x1234 || length != 0x5678 || v.used() != 9 {
			t.Errorf("request %d: the ring has %#x, %#x, and index %d", i, head, length, v.used())
		}
	}
	want := []Used{{0, 64, 1}, {1, 64, 2}}
	if len(l.told) != 2 || l.told[0] != want[0] || l.told[1] != want[1] || l.ring != (Ring{descAt, driverAt, usedAt, testSize, false}) {
		t.Errorf("the host was told %+v of %+v", l.told, l.ring)
	}
}

// What a network brings is the host's: a packet goes into the driver's buffer, as far as that has room, and then nothing comes.
func TestLiarSpeaks(t *testing.T) {
	g, l := newGuest(), &liar{says: Used{ID: 0, Length: 99, Index: 1}}
	w := g.wiring()
	w.Liar = l
	v := start(t, g, NewNet(w, [6]byte{}), netReceive)
	for i := range 3 {
		v.describe(descAt, i, dataAt+0x100*uint64(i), 8, descWrite, 0)
	}
	v.offer(0)
	v.rest()
	if len(l.told) != 0 {
		t.Fatal("a packet came before there was one")
	}
	l.packets = [][]byte{[]byte("short"), []byte("longer than its room")}
	v.offer(1)
	v.offer(2)
	v.rest()
	if string(v.memory[dataAt:][:8]) != "short\x00\x00\x00" || string(v.memory[dataAt+0x100:][:9]) != "longer t\x00" || v.memory[dataAt+0x200] != 0 {
		t.Errorf("the buffers have %q", v.memory[dataAt:][:0x210])
	}
	if len(l.told) != 2 || l.told[0] != (Used{0, 5, 1}) || l.told[1] != (Used{1, 8, 2}) || !l.ring.Packets {
		t.Errorf("the host was told %+v of %+v", l.told, l.ring)
	}
	if _, length := v.usedEntryAt(0); length != 99 {
		t.Errorf("the ring says %d bytes", length)
	}
}

// usedEntryAt is the head and the length in an entry of the used ring.
func (v *driver) usedEntryAt(i int) (head, length uint32) {
	b := v.memory[usedAt+4+8*i:]
	return binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
}
