package host_test

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

func newSNP(t *testing.T, limit uint64) (*host.SNP, *fakeGuest, *x86.CPU) {
	t.Helper()
	_, g, c := newHost(t, physical.Size2M, cost.SNP())
	h, err := host.NewSNP(
		host.Config{RAM: []accept.Range{{Start: 0, End: ramEnd}}, PageSize: physical.Size2M, Bus: &device.Bus{}},
		host.SNPConfig{CPUID: x86CPUID, ConvertLimit: limit})
	if err != nil {
		t.Fatal(err)
	}
	h.Serve(g)
	return h, g, c
}

func x86CPUID(_ *x86.CPU, leaf, subleaf uint32) [4]uint32 { return x86.Features(leaf, subleaf) }

func TestChangePageState(t *testing.T) {
	ns := func(e cost.Event) int64 { return cost.SNP().NS(e) }
	once, small, big := ns(cost.PageStateChange), ns(cost.PageStateChange4K), ns(cost.PageStateChange2M)
	for _, test := range []struct {
		what       string
		start, end uint64
		size       physical.PageSize
		to         physical.Plane
		next       uint64
		want       []string // nil is a refusal
		ns         int64
	}{
		{"small pages made private", 0x1000, 0x4000, physical.Size4K, physical.Private, 0x4000, []string{"unshare 0x1000 0x4000"}, once + 3*small},
		{"small pages made shared", 0x1000, 0x4000, physical.Size4K, physical.Shared, 0x4000, []string{"remove 0x1000 0x4000", "share 0x1000 0x4000"}, once + 3*small},
		{"a large page", large, 2 * large, physical.Size2M, physical.Private, 2 * large, []string{"unshare 0x200000 0x400000"}, once + big},
		{"more than the limit", 0, 4 * large, physical.Size2M, physical.Private, 2 * large, []string{"unshare 0x0 0x400000"}, once + 2*big},
		{"the end of memory", ramEnd - 0x1000, ramEnd, physical.Size4K, physical.Private, ramEnd, []string{"unshare 0x1002000 0x1003000"}, once + small},
		{"what is no memory", ramEnd, ramEnd + 0x1000, physical.Size4K, physical.Private, ramEnd, nil, once},
	} {
		h, g, c := newSNP(t, 2*large)
		began := c.Now()
		next, ok := h.ChangePageState(c, test.start, test.end, test.size, test.to)
		if next != test.next || ok != (test.want != nil) || !slices.Equal(g.calls, test.want) {
			t.Errorf("%s: %#x, %v, %q; want %#x, %q", test.what, next, ok, g.calls, test.next, test.want)
		}
		if took := c.Now() - began; took != test.ns {
			t.Errorf("%s: took %d ns, want %d", test.what, took, test.ns)
		}
	}
}

// KVM's clock goes by the TSC: who sets that sees the clock move along.
func TestClockFollowsTheTSC(t *testing.T) {
	const at, tsc = 0x5000, 0x1_2345_6789
	h, _, c := newSNP(t, 0)
	if !h.WriteMSR(c, 0x4B56_4D01, at|1) || !h.WriteMSR(c, 0x10, tsc) {
		t.Fatal("the registers cannot be written")
	}
	var b [32]byte
	if err := c.ReadPhysical(at, b[:]); err != nil {
		t.Fatal(err)
	}
	if got := binary.LittleEndian.Uint64(b[8:]); got < tsc || got > tsc+1000 {
		t.Errorf("the clock is of TSC %#x, which is %#x", got, uint64(tsc))
	}
}

func TestMSRsOfAnSNPGuest(t *testing.T) {
	h, _, c := newSNP(t, 0)
	for index, want := range map[uint32]uint64{
		0x8B: 0x0100_0065, 0x2FF: 0x806, 0xC001_0000: 0, 0xC001_0003: 0, 0xC001_0007: 0, 0xC001_0010: 0, 0xC001_0015: 1 << 24, 0xC001_1029: 2,
	} {
		if v, ok := h.ReadMSR(c, index); !ok || v != want {
			t.Errorf("MSR %#x: %#x, %v; want %#x", index, v, ok, want)
		}
	}
	for _, index := range []uint32{0x3A, 0xCE, 0x140, 0x1FC, 0xC000_FFFF, 0xC001_0008, 0xC001_1028} {
		if v, ok := h.ReadMSR(c, index); ok {
			t.Errorf("MSR %#x reads as %#x", index, v)
		}
	}
}
