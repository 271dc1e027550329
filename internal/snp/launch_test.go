package snp_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

var le = binary.LittleEndian

// row finds an entry of the CPUID page as Linux looks for it.
func row(t *testing.T, page []byte, leaf, subleaf uint32) (v [4]uint32, found bool) {
	t.Helper()
	n := int(le.Uint32(page))
	if n > 64 || le.Uint32(page[4:]) != 0 || le.Uint64(page[8:]) != 0 {
		t.Fatalf("the header is % x", page[:16])
	}
	for i := range n {
		e := page[16+48*i:]
		if le.Uint32(e) != leaf || le.Uint32(e[4:]) != subleaf {
			continue
		}
		if leaf == 0xD && (le.Uint64(e[8:]) != 3 || le.Uint64(e[16:]) != 0) {
			continue
		}
		for k := range v {
			v[k] = le.Uint32(e[24+4*k:])
		}
		return v, true
	}
	return v, false
}

func TestCPUIDPage(t *testing.T) {
	m := newMachine(t)
	page := m.CPUIDPage()
	if len(page) != 4096 {
		t.Fatalf("%d bytes", len(page))
	}
	want := func(leaf, subleaf uint32, register int, mask, value uint32) {
		t.Helper()
		v, found := row(t, page, leaf, subleaf)
		if !found || v[register]&mask != value {
			t.Errorf("leaf %#x, %d: register %d is %#x, want %#x of %#x", leaf, subleaf, register, v[register], value, mask)
		}
	}
	all := ^uint32(0)
	want(0, 0, 0, all, 0xD)
	want(0, 0, 1, all, le.Uint32([]byte("Auth")))
	want(0, 0, 3, all, le.Uint32([]byte("enti")))
	want(0, 0, 2, all, le.Uint32([]byte("cAMD")))
	want(1, 0, 0, 0xFFF_FFF0, 0xA1_0F10)                                    // family 25, model 17
	want(1, 0, 2, 1<<31|1<<24|1<<21|1<<27|1<<3, 1<<31|1<<24|1<<21)          // hypervisor, TSC deadline, x2APIC; no OSXSAVE or MONITOR
	want(1, 0, 3, 1<<9|1<<27, 1<<9)                                         // APIC; no self snoop
	want(7, 0, 2, 1<<16, 0)                                                 // no LA57
	want(7, 0, 3, all, 1<<4)                                                // nothing of Intel's
	want(0xD, 0, 0, all, 3)                                                 // x87, SSE
	want(0x4000_0000, 0, 1, all, le.Uint32([]byte("KVMK")))                 //
	want(0x4000_0001, 0, 0, all, 1<<24|1<<3)                                //
	want(0x8000_0000, 0, 0, all, 0x8000_0021)                               //
	want(0x8000_0001, 0, 3, 1<<29|1<<20|1<<11|1<<9, 1<<29|1<<20|1<<11|1<<9) // long mode, NX, SYSCALL, APIC
	want(0x8000_0007, 0, 3, 1<<8, 1<<8)                                     // invariant TSC
	want(0x8000_001F, 0, 0, all, 0x1A)
	want(0x8000_001F, 0, 1, all, 0x8000_0073)
	want(0x8000_0021, 0, 0, 1<<8|1<<29, 1<<8|1<<29) // AutoIBRS, SRSO_NO
	want(0x8000_0021, 0, 2, 0x86, 0x86)             // TSA_SQ_NO, TSA_L1_NO, TSA_FILL_NO
	for leaf := uint32(0x8000_0000); leaf <= 0x8000_0008; leaf++ {
		want(leaf, 0, 0, 0, 0)
	}
	seen := map[[2]uint32]bool{}
	for i := range int(le.Uint32(page)) {
		key := [2]uint32{le.Uint32(page[16+48*i:]), le.Uint32(page[20+48*i:])}
		if seen[key] {
			t.Errorf("leaf %#x is there twice", key)
		}
		seen[key] = true
	}
}

// Nothing is announced that the interpreter lacks.
func TestCPUIDPageAnnouncesWhatThereIs(t *testing.T) {
	page := newMachine(t).CPUIDPage()
	for _, in := range []struct {
		leaf, subleaf uint32
		register      int
		own           uint32 // bits that need no instruction
	}{
		{1, 0, 2, x86.LeafDeadline}, {1, 0, 3, 1 << 12 /* MTRR, the host's */}, {7, 0, 1, 0}, {7, 0, 2, 0}, {7, 0, 3, 0}, {0xD, 1, 0, 0},
		{0x8000_0001, 0, 2, 1 << 22 /* leaves about the topology */}, {0x8000_0001, 0, 3, 0x0183_F3FF},
	} {
		v, _ := row(t, page, in.leaf, in.subleaf)
		if extra := v[in.register] &^ x86.Features(in.leaf, in.subleaf)[in.register] &^ in.own; extra != 0 {
			t.Errorf("leaf %#x register %d announces %#x", in.leaf, in.register, extra)
		}
	}
	if v, _ := row(t, page, 7, 0); v[1]&(1<<6|1<<13) != 0 {
		t.Errorf("leaf 7 EBX %#x has bits that AMD does not define", v[1])
	}
}

func TestCPUIDOfSeveralProcessors(t *testing.T) {
	memory, err := mem.New(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	p, err := snp.New(snp.Config{
		Memory: memory, RAM: []accept.Range{{Start: 0, End: 4 << 20}}, CPUs: 6, Host: newMachine(t).host, Features: x86.Features,
		Forget: func(physical.Plane, uint64, uint64) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	c := x86.New(x86.Config{ID: 5, Memory: memory, Platform: p})
	for leaf, want := range map[[2]uint32][4]uint32{
		{0xB, 0}:         {0, 1, 1 << 8, 5},
		{0xB, 1}:         {3, 6, 2<<8 | 1, 5},
		{0xB, 2}:         {0, 0, 2, 5},
		{0x8000_001E, 0}: {5, 5, 0, 0},
	} {
		if got := p.CPUID(c, leaf[0], leaf[1]); got != want {
			t.Errorf("leaf %#x: %#x, want %#x", leaf, got, want)
		}
	}
	if v := p.CPUID(c, 1, 0); v[1]>>24 != 5 || v[1]>>16&0xFF != 6 || v[3]>>28&1 != 1 {
		t.Errorf("leaf 1: %#x", v)
	}
	if v := p.CPUID(c, 0x8000_0008, 0); v[2] != 3<<12|5 {
		t.Errorf("leaf 0x80000008 ECX: %#x", v[2])
	}
}

// How many bits it takes to number the processors; and leaves that every guest shows: name and caches.
func TestCPUIDOfProcessorAndCaches(t *testing.T) {
	memory, err := mem.New(4 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	for cpus, bits := range map[int]uint32{1: 0, 2: 1, 3: 2, 4: 2, 5: 3, 8: 3, 9: 4} {
		p, err := snp.New(snp.Config{
			Memory: memory, RAM: []accept.Range{{Start: 0, End: 4 << 20}}, CPUs: cpus, Host: newMachine(t).host, Features: x86.Features,
			Forget: func(physical.Plane, uint64, uint64) {},
		})
		if err != nil {
			t.Fatal(err)
		}
		c := x86.New(x86.Config{Memory: memory, Platform: p})
		if v := p.CPUID(c, 0xB, 1); v[0] != bits || v[1] != uint32(cpus) {
			t.Errorf("%d processors: leaf 0xB.1 is %#x, want %d bits", cpus, v, bits)
		}
		if v := p.CPUID(c, 0x8000_0008, 0); v[2]>>12&15 != bits || v[2]&0xFF != uint32(cpus-1) {
			t.Errorf("%d processors: leaf 0x80000008 is %#x, want %d bits", cpus, v, bits)
		}
		if cpus > 1 {
			continue
		}
		var name []byte
		for leaf := uint32(0x8000_0002); leaf <= 0x8000_0004; leaf++ {
			for _, v := range p.CPUID(c, leaf, 0) {
				name = le.AppendUint32(name, v)
			}
		}
		if !strings.HasPrefix(string(name), "AMD EPYC (Genoa), as tacit knows it\x00") {
			t.Errorf("the processor's name is %q", name)
		}
		// APM vol. 3, E.4.4 and E.4.5: KiB, associativity (6 is 8 ways), lines a tag, bytes a line.
		if v := p.CPUID(c, 0x8000_0006, 0); v[2] != 1024<<16|6<<12|1<<8|64 {
			t.Errorf("the second-level cache is %#x", v[2])
		}
	}
}

func TestLaunch(t *testing.T) {
	m := newMachine(t)
	const at = 0x123_4000
	b := m.Launch(at)
	if len(b) != snp.LaunchSize {
		t.Fatalf("%d bytes", len(b))
	}
	if string(b[:4]) != "AMDE" || le.Uint16(b[4:]) != 1 || le.Uint32(b[16:]) != 4096 || le.Uint32(b[32:]) != 4096 {
		t.Errorf("the blob is % x", b[:40])
	}
	secrets, cpuid := le.Uint64(b[8:])-at, le.Uint64(b[24:])-at
	if !bytes.Equal(b[secrets:secrets+4096], m.SecretsPage()) || !bytes.Equal(b[cpuid:cpuid+4096], m.CPUIDPage()) {
		t.Error("the blob does not lead to the pages")
	}
	s := m.SecretsPage()
	if le.Uint32(s) != 4 || !bytes.Equal(s[0x140:0x160], make([]byte, 0x20)) {
		t.Errorf("secrets: version %d, SVSM % x", le.Uint32(s), s[0x140:0x160])
	}
	for i := range 4 {
		if key := s[0x20+32*i:][:32]; bytes.Equal(key, make([]byte, 32)) {
			t.Errorf("VMPCK%d is empty", i)
		}
	}
	if !bytes.Equal(s, m.SecretsPage()) || bytes.Equal(s, newMachine(t, withSeed(8)).SecretsPage()) {
		t.Error("the keys do not follow the seed")
	}
}

// What is launched is the guest's and validated, holds what it was given and zeros after that, and is given once.
func TestLaunchUpdate(t *testing.T) {
	m := newMachine(t)
	const at = 0x60_0000
	if err := m.LaunchUpdate(m.cpu, at, at+0x3000, []byte("launched")); err != nil {
		t.Fatal(err)
	}
	b := bytes.Repeat([]byte{0xFF}, 0x3000)
	if err := m.cpu.ReadPhysical(at|snp.CBit, b[:0x1000]); err != nil || string(b[:8]) != "launched" || b[8] != 0 {
		t.Errorf("% x, %v", b[:16], err)
	}
	if state := m.State(at + 0x2000); state != "validated" {
		t.Errorf("the last page is %s", state)
	}
	for what, r := range map[string]accept.Range{
		"again": {Start: at + 0x2000, End: at + 0x4000}, "not of pages": {Start: at + 0x4000, End: at + 0x4800}, "no memory": {Start: 1 << 40, End: 1<<40 + 0x1000},
	} {
		if err := m.LaunchUpdate(m.cpu, r.Start, r.End, nil); err == nil {
			t.Errorf("%s: no error", what)
		}
	}
	if err := m.LaunchUpdate(m.cpu, at+0x4000, at+0x5000, make([]byte, 0x1001)); err == nil {
		t.Error("contents that do not fit: no error")
	}
}
