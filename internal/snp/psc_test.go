package snp_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

const (
	toPrivate = 1 << 52
	toShared  = 2 << 52
	large     = 1 << 56
)

// psc asks for a page state change of entries cur to the last, and returns SW_EXITINFO1 and 2, and what is in the
// structure then.
func (g ghcb) psc(cur int, entries ...uint64) (info1, info2 uint64, next, last int, after []uint64) {
	g.t.Helper()
	b := binary.LittleEndian.AppendUint16(nil, uint16(cur))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(entries)-1))
	b = append(b, 0, 0, 0, 0)
	for _, e := range entries {
		b = binary.LittleEndian.AppendUint64(b, e)
	}
	g.setGHCBMSR(ghcbAt)
	g.poke(gBuffer, b)
	g.set(gScratch, ghcbAt+gBuffer)
	info1, info2 = g.exit(0x8000_0010, 0, 0)
	b = g.peek(gBuffer, len(b))
	next, last = int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:]))
	for i := range entries {
		after = append(after, binary.LittleEndian.Uint64(b[8+8*i:]))
	}
	return info1, info2, next, last, after
}

// A hearing host remembers what it is asked to convert.
type hearing struct {
	*host.SNP
	heard *[]string
}

func (h hearing) ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (uint64, bool) {
	*h.heard = append(*h.heard, fmt.Sprintf("%#x-%#x %v %v", start, end, size, to))
	return h.SNP.ChangePageState(c, start, end, size, to)
}

func withHearing(heard *[]string) option {
	return withHost(func(h *host.SNP) snp.Host { return hearing{h, heard} })
}

func TestPageStateChange(t *testing.T) {
	var heard []string
	g := newMachine(t, withHearing(&heard)).withGHCB()
	heard = nil
	const a, b = 8 << 20, 16 << 20
	before := g.cpu.Now()
	entries := []uint64{
		a | toShared, a + 0x1000 | toShared, a + 0x2000 | toShared, // one stretch
		b | toShared | large, b + 2<<20 | toShared | large, // another
		b + 4<<20 | toShared, // another size
		a + 0x1000 | toPrivate,
	}
	info1, info2, next, last, after := g.psc(0, entries...)
	if info1 != 0 || info2 != 0 || next != len(entries) || last != len(entries)-1 {
		t.Errorf("%d, %#x, next %d, last %d", info1, info2, next, last)
	}
	want := []string{
		"0x800000-0x803000 4K shared", "0x1000000-0x1400000 2M shared", "0x1400000-0x1401000 4K shared", "0x801000-0x802000 4K private",
	}
	if !slices.Equal(heard, want) {
		t.Errorf("the host heard %q, want %q", heard, want)
	}
	for i, e := range entries {
		done := e | 1
		if e&large != 0 {
			done = e | 512
		}
		if after[i] != done {
			t.Errorf("entry %d is %#x, want %#x", i, after[i], done)
		}
	}
	if g.State(a) != "shared" || g.State(a+0x1000) != "hypervisor-owned" || g.State(b+4<<20-1) != "shared" {
		t.Error("pages are not in the states that were asked for")
	}
	m := cost.SNP()
	charged := m.NS(cost.Exit) + 4*m.NS(cost.PageStateChange) + 5*m.NS(cost.PageStateChange4K) + 2*m.NS(cost.PageStateChange2M)
	if took := g.cpu.Now() - before; took < charged || took > charged+1000 { // the rest is instructions
		t.Errorf("took %d ns, want %d and a few instructions", took, charged)
	}
}

func TestPageStateChangeStopsEarly(t *testing.T) {
	g := newMachine(t, withConvertLimit(5*4096)).withGHCB()
	const a = 8 << 20
	entries := []uint64{a | toShared | large, a + 2<<20 | toShared}
	info1, info2, next, last, after := g.psc(0, entries...)
	if info1 != 0 || info2 != 0 || next != 0 || last != 1 || after[0] != entries[0]|5 || after[1] != entries[1] {
		t.Errorf("%d, %#x, next %d, last %d, %#x", info1, info2, next, last, after)
	}
	if g.State(a+0x4000) != "shared" || g.State(a+0x5000) != "hypervisor-owned" {
		t.Error("not five pages are shared")
	}
	calls := 1
	for ; next <= last && calls < 200; calls++ {
		info1, info2, next, last, after = g.psc(next, after...)
		if info1 != 0 || info2 != 0 || last != 1 {
			t.Fatalf("call %d: %d, %#x, last %d", calls, info1, info2, last)
		}
	}
	if calls != 103 { // 512 pages, five at a time; the last call goes on with the second entry
		t.Errorf("%d calls", calls)
	}
	if next != 2 || after[0] != entries[0]|512 || after[1] != entries[1]|1 || !g.Shared(a+2<<20, a+2<<20+4096) || g.State(a+2<<20-1) != "shared" {
		t.Errorf("after %d calls: next %d, %#x", calls, next, after)
	}
}

// A stretch of several entries stops within one of them.
func TestPageStateChangeStopsWithinAStretch(t *testing.T) {
	g := newMachine(t, withConvertLimit(3<<20)).withGHCB()
	const a = 8 << 20
	_, info2, next, _, after := g.psc(0, a|toShared|large, a+2<<20|toShared|large, a+4<<20|toShared|large)
	if info2 != 0 || next != 1 || after[0] != a|toShared|large|512 || after[1] != a+2<<20|toShared|large|256 || after[2] != a+4<<20|toShared|large {
		t.Errorf("%#x, next %d, %#x", info2, next, after)
	}
}

func TestPageStateChangeErrors(t *testing.T) {
	const a = 8 << 20
	for _, in := range []struct {
		what    string
		entries []uint64
		info2   uint64
		next    int
	}{
		{"2 MiB off their boundary", []uint64{a | toShared, a + 0x1000 | toShared | large}, 1<<32 | 2, 1},
		{"more done than there is", []uint64{a | toShared | 2}, 1<<32 | 2, 0},
		{"more done than there is, of 2 MiB", []uint64{a | toShared | large | 513}, 1<<32 | 2, 0},
		{"no memory", []uint64{a | toShared, holeStart | toShared}, 0x100 << 32, 1},
		{"memory's end within a stretch", []uint64{memorySize - 0x1000 | toShared, memorySize | toShared}, 0x100 << 32, 0},
		{"what is done already", []uint64{a | toShared | 1}, 0, 1},
		{"operations that are hints", []uint64{a | 3<<52 | large, a | 4<<52 | large, a | toShared}, 0, 3},
		{"253 entries", slices.Repeat([]uint64{a | toShared}, 253), 0, 253},
	} {
		g := newMachine(t).withGHCB()
		info1, info2, next, last, _ := g.psc(0, in.entries...)
		if info1 != 0 || info2 != in.info2 || next != in.next || last != len(in.entries)-1 {
			t.Errorf("%s: %d, %#x, next %d, last %d, want 0, %#x, next %d", in.what, info1, info2, next, last, in.info2, in.next)
		}
	}
	g := newMachine(t).withGHCB()
	g.poke(gBuffer, []byte{0, 0, 253, 0})
	g.set(gScratch, ghcbAt+gBuffer)
	if info1, info2 := g.exit(0x8000_0010, 0, 0); info1 != 0 || info2 != 1<<32|1 {
		t.Errorf("254 entries: %d, %#x", info1, info2)
	}
	g.poke(gBuffer, []byte{9, 0, 2, 0})
	g.set(gScratch, ghcbAt+gBuffer)
	if info1, info2 := g.exit(0x8000_0010, 0, 0); info1 != 0 || info2 != 0 || g.get(gBuffer)&0xFFFF != 9 {
		t.Errorf("nothing to do: %d, %#x", info1, info2)
	}
	for what, scratch := range map[string]uint64{"off the buffer's end": ghcbAt + 0xFE8, "nowhere": holeStart} {
		g.poke(gBuffer+0x7E8, []byte{0, 0, 2, 0})
		g.set(gScratch, scratch)
		if info1, info2 := g.exit(0x8000_0010, 0, 0); info1 != 2 || info2 != 3 {
			t.Errorf("a structure %s: %d, %d", what, info1, info2)
		}
	}
}

// The structure may lie in shared memory elsewhere; and the request may be about the GHCB itself.
func TestPageStateChangeElsewhere(t *testing.T) {
	g := newMachine(t).withGHCB()
	g.share(page)
	g.setGHCBMSR(ghcbAt)
	b := []byte{0, 0, 0, 0, 0, 0, 0, 0}
	b = binary.LittleEndian.AppendUint64(b, page+4<<20|toShared)
	if err := g.cpu.WritePhysical(page+0x20, b); err != nil {
		t.Fatal(err)
	}
	g.set(gScratch, page+0x20)
	if info1, info2 := g.exit(0x8000_0010, 0, 0); info1 != 0 || info2 != 0 {
		t.Errorf("%d, %#x", info1, info2)
	}
	if g.word(physical.Shared, page+0x20) != 1 || g.word(physical.Shared, page+0x28) != page+4<<20|toShared|1 || g.State(page+4<<20) != "shared" {
		t.Error("it is not done, or not written back")
	}
	b = append([]byte{0, 0, 0, 0, 0, 0, 0, 0}, binary.LittleEndian.AppendUint64(nil, ghcbAt|toPrivate)...)
	g.poke(gBuffer, b)
	g.set(gScratch, ghcbAt+gBuffer)
	if o := g.tryExit(0x8000_0010, 0, 0); o.vector != done || o.err != nil || g.State(ghcbAt) != "hypervisor-owned" {
		t.Errorf("the GHCB to private: %+v, %s", o, g.State(ghcbAt))
	}
	if g.mem.Backed(mem.FrameOf(physical.Shared, ghcbAt)) {
		t.Error("the answer was written to a page that is gone")
	}
}

// What is reserved in the header and in an entry is not looked at, and stays (KVM, snp_begin_psc; the GHCB specification has it
// zero).
func TestReservedBitsOfAPageStateChange(t *testing.T) {
	g := newMachine(t).withGHCB()
	const a, reserved = 8 << 20, 0x7F << 57
	b := binary.LittleEndian.AppendUint64(nil, 0xABCD_1234<<32)
	b = binary.LittleEndian.AppendUint64(b, a|toShared|reserved)
	g.poke(gBuffer, b)
	g.set(gScratch, ghcbAt+gBuffer)
	if info1, info2 := g.exit(0x8000_0010, 0, 0); info1 != 0 || info2 != 0 || g.State(a) != "shared" || g.State(a+0x1000) != "hypervisor-owned" {
		t.Errorf("%d, %#x, and the page is %s", info1, info2, g.State(a))
	}
	if header, entry := g.get(gBuffer), g.get(gBuffer+8); header != 0xABCD_1234<<32|1 || entry != a|toShared|reserved|1 {
		t.Errorf("header %#x, entry %#x", header, entry)
	}
}
