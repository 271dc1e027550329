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
	if len(l.told) != 2 || l.told[0] != want[0] || l.told[1] != want[1] || l.ring != (Ring{descAt, driverAt, usedAt, testSize}) {
		t.Errorf("the host was told %+v of %+v", l.told, l.ring)
	}
}

// usedEntryAt is the head and the length in an entry of the used ring.
func (v *driver) usedEntryAt(i int) (head, length uint32) {
	b := v.memory[usedAt+4+8*i:]
	return binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
}
