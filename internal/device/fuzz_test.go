package device

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"testing"
)

// drive lets bytes do anything to a board that a guest, its local APICs or the host can, and returns a digest of all
// that came out. It fails the test if an answer has more bits than were asked for, if one operation sends more messages
// than there are pins, or if time leads to an event that does not pass.
func drive(t testing.TB, script []byte) uint64 { return driveBoard(t, newRig(t), script) }

func driveBoard(t testing.TB, r *rig, script []byte) uint64 {
	digest := fnv.New64a()
	ports := []uint16{COM1Port, COM2Port, RTCPort, pitPort, nmiStatusPort, SleepControlPort, ResetPort, 0xCF8, 0xFFFC, 0x20}
	sizes := []int{1, 2, 4, 8, 1, 2, 4, 3, 0, -1}
	for len(script) >= 8 {
		op, where, offset, size := script[0], script[1], script[2], sizes[int(script[3])%len(sizes)]
		value := uint64(binary.LittleEndian.Uint32(script[4:])) * 0x100000001
		script = script[8:]
		port := ports[int(where)%len(ports)] + uint16(offset&7)
		gpa := uint64(IOAPICBase) + uint64(offset)
		if r.hpet != nil && where&1 != 0 {
			gpa = HPETBase + uint64(offset)<<1 + uint64(where&4)
		}
		var answer uint64
		switch op % 8 {
		case 0, 1:
			r.Out(port, size, uint32(value))
		case 2:
			answer = uint64(r.In(port, size))
			if size > 0 && answer&^allOnes(size) != 0 {
				t.Fatalf("In(%#x, %d) = %#x", port, size, answer)
			}
		case 3:
			r.Write(gpa, size, value)
		case 4:
			r.Write(IOAPICBase, 1, uint64(where)) // a register of the table is hard to find by chance
			r.Write(IOAPICBase+ioapicData, 4, value)
		case 5:
			answer = r.Read(gpa, size)
			if size > 0 && answer&^allOnes(size) != 0 {
				t.Fatalf("Read(%#x, %d) = %#x", gpa, size, answer)
			}
		case 6:
			r.EOI(where)
			n, _ := r.COM1.Write(make([]byte, value%8192))
			answer = uint64(n)
		case 7:
			r.advance(t, int64(value%(1<<42)))
		}
		if len(r.messages) > IOAPICPins {
			t.Fatalf("operation %d sent %d messages", op%8, len(r.messages))
		}
		fmt.Fprintln(digest, answer, r.messages, r.com1.Len(), r.com2.Len(), r.powered, r.reset)
		r.messages = nil
	}
	return digest.Sum64()
}

// advance moves time by up to ns nanoseconds, stopping at the first event as the machine does.
func (r *rig) advance(t testing.TB, ns int64) {
	until := r.ns + ns
	if event, ok := r.NextEvent(); ok && event < until {
		until = max(event, r.ns)
	}
	r.ns = until
	r.Advance(until)
	if event, ok := r.NextEvent(); ok && event <= until {
		t.Fatalf("at %d the next event is still %d", until, event)
	}
}

func FuzzBoard(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x04\x00\x08\x00\x00\x00")) // IER and MCR: an interrupt
	f.Add([]byte("\x04\x18\x00\x00\x20\x80\x00\x00\x07\x00\x00\x00\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 1<<11 { // long ones are slow and find nothing more
			return
		}
		if first, second := drive(t, script), drive(t, script); first != second {
			t.Error("two runs of one script differ")
		}
	})
}

// A guest that goes wild for long: no panic, the same answers twice.
func TestBoardWildGuest(t *testing.T) {
	for seed := range uint64(20) {
		script := wild(seed)
		if first, second := drive(t, script), drive(t, script); first != second {
			t.Errorf("seed %d: two runs differ", seed)
		}
	}
}

func wild(seed uint64) []byte {
	random := rand.New(rand.NewPCG(seed, 0))
	script := make([]byte, 1<<16)
	for i := range script {
		script[i] = byte(random.Uint32())
	}
	return script
}

// A guest's accesses allocate nothing, so it cannot make the host's memory grow.
func TestBoardAccessesDoNotAllocate(t *testing.T) {
	r := newRig(t)
	discard := func(byte) {}
	r.COM1.transmit, r.COM2.transmit = discard, discard
	r.messages = make([]message, 0, 1<<20)
	random := rand.New(rand.NewPCG(1, 0))
	if allocated := testing.AllocsPerRun(10000, func() {
		port, value := uint16(random.Uint32()), random.Uint32()
		r.Out(port, 4, value)
		r.In(port, 4)
		r.Out(COM1Port+port%8, 1, value)
		r.In(COM1Port+port%8, 1)
		r.Out(RTCPort+port%2, 1, value)
		r.In(RTCPort+1, 1)
		r.Write(IOAPICBase+uint64(port%2)*ioapicData, 4, uint64(value))
		r.EOI(uint8(value))
		r.ns += int64(value)
		r.Advance(r.ns)
		r.messages = r.messages[:0]
	}); allocated != 0 {
		t.Errorf("%v allocations for a round of accesses", allocated)
	}
}
