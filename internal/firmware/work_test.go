package firmware

import (
	"bytes"
	"hash/crc32"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/uefi"
)

// begin calls a boot service as a guest does, and stops after its first piece. The function that it returns goes on to
// the end.
func (m *machine) begin(s uefi.BootService, args ...uint64) (end func() uefi.Status) {
	m.Helper()
	saved := m.gpr[rsp]
	sp := (saved-0x100)&^15 - 8
	back := initialRIP + 16*saved
	m.gpr[rsp], m.rip = sp, m.bootPointer(s)
	m.putWord(sp, back)
	for i, v := range args {
		if i < registerArgs {
			m.gpr[[...]int{rcx, rdx, r8, r9}[i]] = v
		} else {
			m.putWord(sp+8+8*uint64(i), v)
		}
	}
	if err := m.call(m, m.rip); err != nil {
		m.Fatal(err)
	}
	if m.rip == back {
		m.Fatalf("%v is done in one piece", s)
	}
	gpr, rip := m.gpr, m.rip
	m.gpr[rsp] = sp - 0x100
	return func() uefi.Status {
		m.gpr, m.rip = gpr, rip
		if err := m.runUntil(back); err != nil {
			m.Fatal(err)
		}
		m.gpr[rsp] = saved
		return uefi.Status(m.gpr[rax])
	}
}

func pattern(n int, seed byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7) + byte(i>>12) + seed
	}
	return b
}

// A service that is done in pieces gives what it would give in one, also where another call of it comes in between, as
// from an interrupt handler.
func TestPieces(t *testing.T) {
	m := newMachine(t, nil)
	one, two := pattern(5*step+5, 1), pattern(3*step, 2)
	at, other := m.alloc(one), m.alloc(two)
	sum, otherSum := m.room(1), m.room(1)
	steps := m.steps
	m.wants(uefi.Success, uefi.BSCalculateCrc32, at, uint64(len(one)), sum)
	if n := m.steps - steps; n < 6 || uint32(m.word(sum)) != crc32.ChecksumIEEE(one) {
		t.Errorf("%#x after %d steps, want %#x", m.word(sum), n, crc32.ChecksumIEEE(one))
	}
	m.putWord(sum, 0)
	end := m.begin(uefi.BSCalculateCrc32, at, uint64(len(one)), sum)
	m.wants(uefi.Success, uefi.BSCalculateCrc32, other, uint64(len(two)), otherSum)
	if s := end(); s != uefi.Success || uint32(m.word(sum)) != crc32.ChecksumIEEE(one) || uint32(m.word(otherSum)) != crc32.ChecksumIEEE(two) {
		t.Errorf("%v: sums %#x and %#x, want %#x and %#x", s, m.word(sum), m.word(otherSum), crc32.ChecksumIEEE(one), crc32.ChecksumIEEE(two))
	}
}

// The same for images, whose memory is not lost.
func TestPiecesOfImages(t *testing.T) {
	m := newMachine(t, nil)
	file := testImage(func(p *peImage) {
		p.base, p.sizeOfImage = 1<<40, 6*step
		for range 3000 { // blocks of two places
			p.relocations = append(p.relocations, 0, 0x20, 0, 0, 12, 0, 0, 0, 0, 0xA0, 8, 0xA0)
		}
		p.relocations = p.relocations[:0x1F8]
	})
	source, handle := m.alloc(file), m.room(1)
	before, images := m.memory.total(uefi.ConventionalMemory), len(m.images)
	parent := m.images[0].handle
	m.wants(uefi.Success, uefi.BSLoadImage, 0, parent, 0, source, uint64(len(file)), handle)
	want := m.bytes(m.images[images].memory.Start, 0x4000)
	m.wants(uefi.Success, uefi.BSUnloadImage, m.word(handle))

	end := m.begin(uefi.BSLoadImage, 0, parent, 0, source, uint64(len(file)), handle)
	otherHandle := m.gpr[rsp] - 0x800
	m.wants(uefi.Success, uefi.BSLoadImage, 0, parent, 0, source, uint64(len(file)), otherHandle)
	other := m.word(otherHandle)
	if s := end(); s != uefi.Success {
		t.Fatal(s)
	}
	for _, h := range []uint64{other, m.word(handle)} {
		im := m.image(h)
		if im == nil {
			t.Fatalf("no image %#x", h)
		}
		got := m.bytes(im.memory.Start, 0x4000)
		if !bytes.Equal(got[:testData], want[:testData]) {
			t.Errorf("%#x differs from what is loaded at once", h)
		}
		m.wants(uefi.Success, uefi.BSUnloadImage, h)
	}
	if after := m.memory.total(uefi.ConventionalMemory); after < before-poolChunk || after > before || len(m.images) != images {
		t.Errorf("%d bytes are free, and were %d; %d images", after, before, len(m.images))
	}
}

// What services touch takes virtual time beyond the first GiB of a run, and none of its own before.
func TestBytesTakeTime(t *testing.T) {
	m := newMachine(t, nil)
	m.cost = cost.Plain()
	callNS, mibNS := uint64(m.cost.NS(cost.Exit)), uint64(m.cost.NS(cost.ServiceMiB))
	at := m.alloc(make([]byte, 64*mib))
	began, calls, worked := m.now, m.work.calls, m.Worked()
	fill := func(times int) (ns, perCall uint64) {
		began, calls := m.now, m.work.calls
		for range times {
			m.wants(uefi.Success, uefi.BSSetMem, at, 64*mib, 0)
		}
		return uint64(m.now - began), (m.work.calls - calls) * callNS
	}
	if ns, want := fill(10); ns != want {
		t.Errorf("the first 640 MiB take %d ns, want %d of calls", ns, want)
	}
	fill(10)
	ns, perCall := fill(10)
	if want := perCall + 640*mibNS; ns < want || ns > want+want/100 {
		t.Errorf("640 MiB after the first GiB take %d ns, want %d", ns, want)
	}
	if w, least := m.Worked()-worked, (m.work.calls-calls)*callNS+30*64*mibNS; w < least || w > least+least/100 {
		t.Errorf("%d ns of work, want %d; %d have passed", w, least, m.now-began)
	}
}
