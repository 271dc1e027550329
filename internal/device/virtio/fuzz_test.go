package virtio

import (
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

// FuzzDriver is a driver that does anything: it writes registers, memory and configuration space, and lets time pass. The
// device comes to rest in bounded time, reaches nothing that is refused to it, and what is saved of it is read back.
func FuzzDriver(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4}, uint8(0))
	f.Add([]byte("a driver that writes text into rings, where descriptors should be, and rings the bell then"), uint8(1))
	f.Fuzz(func(t *testing.T, program []byte, kind uint8) {
		g, disk := newGuest(), aDisk()
		d := NewDisk(g.wiring(), disk, "fuzz", false)
		switch kind % 3 {
		case 1:
			d = NewRNG(g.wiring(), 1)
		case 2:
			d = NewNet(g.wiring(), [6]byte{2})
		}
		v := start(t, g, d, uint16(len(d.queues)-1))
		for ; len(program) >= 6; program = program[6:] {
			at, value := uint64(binary.LittleEndian.Uint16(program[1:])), uint64(int64(int16(binary.LittleEndian.Uint16(program[3:]))))
			size := 1 << (program[5] & 3)
			switch program[0] % 8 {
			case 0:
				v.registers.Write(at%0x8000, size, value&(1<<(8*min(size, 7))-1))
			case 1:
				v.registers.Read(at%0x7000, size)
			case 2, 3, 4: // where the rings are
				binary.LittleEndian.PutUint16(g.memory[descAt+at%0x4800:], uint16(value))
			case 5:
				v.offer(uint16(value) % (testSize + 1))
			case 6:
				d.function.Config(d.window)[capBar+at%16] = byte(value)
				d.throughConfig(value&1 == 0, 1<<(size&1))
			case 7:
				g.now += 1 + int64(at)
				d.Advance(g.now)
			}
		}
		v.rest()
		for _, b := range g.memory[private:] {
			if b != 0 {
				t.Fatal("a device has written to private memory")
			}
		}
		out := state.Out()
		d.Carry(out)
		in := state.In(out.Bytes())
		d.Carry(in)
		if err := in.End(); err != nil {
			t.Fatalf("what was saved is not read back: %v", err)
		}
	})
}

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Device { return &Device{kind: &blk{}} }, (*Device).Carry, "wiring", "kind", "function", "window", "queues")
	statetest.Complete(t, func() *queue { return &queue{size: queueMax} }, (*queue).carry)
}
