package snp_test

import (
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

func (m *machine) wantDetected(what string, twice, ignored, used uint64) {
	m.t.Helper()
	d := m.log.Record().Detected
	if d.AcceptedTwice.Operations != twice || d.Ignored != ignored || d.UsedAfterRemoval != used {
		m.t.Errorf("%s: detected %+v, want %d accepted twice, %d ignored, %d used after removal", what, d, twice, ignored, used)
	}
}

// A guest that does what it should is not said to have done anything, whatever an honest host does.
func TestNothingIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size2M)
	m.store(page, 1)
	m.pvalidate(page+0x3000, size4K, 0) // as Linux does it: validation taken back, then shared
	m.share(page + 0x3000)
	m.storeShared(page+0x3000, 2)
	m.msr(page + 0x3000 | 1<<52 | 0x14)
	m.mustValidate(page+0x3000, size4K)
	m.share(page + 0x5000) // without taking it back
	m.msr(page + 0x5000 | 1<<52 | 0x14)
	m.mustValidate(page+0x5000, size4K)
	m.run(regs{x86.RAX: page + 4<<20}, insnLoad...) // too early, which is another matter
	m.wantDetected("an honest guest", 0, 0, 0)

	g := newMachine(t).withGHCB()
	g.mustValidate(page, size4K)
	g.psc(0, page|toShared)
	g.psc(0, page|toPrivate)
	g.mustValidate(page, size4K)
	g.wantDetected("by the GHCB", 0, 0, 0)
}

// Validating twice is detected whether CF says so or, since there is another frame, does not.
func TestValidatingTwiceIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	must(t, m.MapFrame(m.cpu, page, confidential.NoFrame))
	m.mustValidate(page, size4K)
	m.wantDetected("two frames", 1, 0, 0)
	if d := m.log.Record().Detected; d.Where != page || d.At != codeAt {
		t.Errorf("detected at %+v", d)
	}

	m = newMachine(t)
	m.mustValidate(page, size2M)
	must(t, m.RemovePages(m.cpu, page+0x7000, page+0x8000))
	m.mustValidate(page+0x7000, size4K)
	m.wantDetected("a page that was taken away", 1, 0, 0)
	must(t, m.RemovePages(m.cpu, page, page+2<<20))
	must(t, m.AddPage(m.cpu, page, physical.Size2M))
	m.mustValidate(page, size2M)
	m.wantDetected("2 MiB that were taken away", 2, 0, 0)
}

// A guest that takes validation back has no page there that it relies on.
func TestRescindingGivesBack(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size2M)
	m.pvalidate(page, size2M, 0)
	must(t, m.RemovePages(m.cpu, page, page+0x1000))
	m.run(regs{x86.RAX: page}, insnLoad...)
	m.mustValidate(page, size4K)
	m.wantDetected("after it", 0, 0, 0)
	m.pvalidate(page, size4K, 1) // CF
	m.mustValidate(page+0x1000, size4K)
	m.wantDetected("CF is ignored", 0, 1, 0)
}

func TestUseAfterRemovalIsDetected(t *testing.T) {
	m := newMachine(t)
	m.mustValidate(page, size4K)
	must(t, m.RemovePages(m.cpu, page, page+0x1000))
	if o := m.run(regs{x86.RAX: page}, insnLoad...); o.vector != vectorVC {
		t.Fatalf("%+v", o)
	}
	m.wantDetected("a load", 0, 0, 1)
	if err := m.cpu.ReadPhysical(page|snp.CBit, make([]byte, 1)); err == nil {
		t.Error("firmware reads what is not validated")
	}
	m.wantDetected("firmware", 0, 0, 1)
}

// A message to the secure processor under a number that one has had is detected, unless it is that message again (Linux
// 47894e0fa6a5).
func TestMessagesUnderOneNumber(t *testing.T) {
	g := newMachine(t).withGHCB()
	g.share(page)
	g.setGHCBMSR(ghcbAt)
	sent := byte(0)
	send := func(key byte, number, payload uint64) uint64 {
		t.Helper()
		sent++
		b := make([]byte, 4096)
		binary.LittleEndian.PutUint64(b[0x20:], number)
		binary.LittleEndian.PutUint16(b[0x36:], 8)
		b[0x3C] = key
		binary.LittleEndian.PutUint64(b[0x60:], payload)
		b[0x68] = sent // beyond the message, and no part of it
		if err := g.cpu.WritePhysical(page, b); err != nil {
			t.Fatal(err)
		}
		g.wipe()
		if i1, i2 := g.exit(0x8000_0011, page, page+0x1000); i1 != 0 || i2 != 21 {
			t.Fatalf("%d, %d", i1, i2)
		}
		return g.log.Record().Detected.NumberedAgain
	}
	for i, c := range []struct {
		key             byte
		number, payload uint64
		want            uint64
	}{
		{0, 1, 10, 0},
		{0, 1, 10, 0}, // the same
		{0, 3, 10, 0}, // Linux counts the answers, too
		{1, 3, 11, 0}, // another key
		{0, 3, 12, 1},
		{0, 1, 10, 2}, // an old one again, which an attacker may have asked for
		{0, 5, 12, 2},
		{7, 5, 13, 2}, // a key that there is not
		{7, 5, 14, 2},
	} {
		if n := send(c.key, c.number, c.payload); n != c.want {
			t.Errorf("message %d: %d detected, want %d", i, n, c.want)
		}
	}
	g.wipe()
	g.exit(0x8000_0011, page+0x4000, page+0x1000) // not shared
	g.wantDetected("of what the host cannot read", 0, 0, 0)
}
