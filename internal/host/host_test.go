package host_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// The two sides fit.
var (
	_ tdx.Host   = (*host.Host)(nil)
	_ host.Guest = (*tdx.Module)(nil)
)

const (
	ramEnd = 16<<20 + 0x3000 // the last 2 MiB page is not wholly memory
	large  = 2 << 20
)

// A fakeGuest notes what is done to it. Pages of 2 MiB that are in refuse cannot be added.
type fakeGuest struct {
	calls  []string
	refuse map[uint64]bool
	shared accept.Range
	split  bool // a 2 MiB page is there to split
}

func (g *fakeGuest) note(format string, args ...any) error {
	g.calls = append(g.calls, fmt.Sprintf(format, args...))
	return nil
}

func (g *fakeGuest) AddPage(_ *x86.CPU, gpa uint64, size physical.PageSize) error {
	if size == physical.Size2M && g.refuse[gpa] {
		return fmt.Errorf("a table of small pages is there")
	}
	return g.note("add %#x %v", gpa, size)
}

func (g *fakeGuest) RemovePages(_ *x86.CPU, start, end uint64) error {
	return g.note("remove %#x %#x", start, end)
}

func (g *fakeGuest) SplitPage(_ *x86.CPU, gpa uint64) error {
	if !g.split {
		return fmt.Errorf("nothing to split")
	}
	return g.note("split %#x", gpa)
}

func (g *fakeGuest) Share(_ *x86.CPU, start, end uint64) error {
	return g.note("share %#x %#x", start, end)
}

func (g *fakeGuest) Unshare(_ *x86.CPU, start, end uint64) error {
	return g.note("unshare %#x %#x", start, end)
}

func (g *fakeGuest) Shared(start, end uint64) bool {
	return !g.shared.Intersect(accept.Range{Start: start, End: end}).Empty()
}

func newHost(t *testing.T, size physical.PageSize, model cost.Model) (*host.Host, *fakeGuest, *x86.CPU) {
	t.Helper()
	h, err := host.New(host.Config{RAM: []accept.Range{{Start: 0, End: ramEnd}}, PageSize: size, Bus: &device.Bus{}})
	if err != nil {
		t.Fatal(err)
	}
	g := &fakeGuest{refuse: map[uint64]bool{}}
	h.Serve(g)
	m, err := mem.New(large)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = m.Close() })
	c := x86.New(x86.Config{Memory: m, Cost: model, Bus: &device.Bus{}, Platform: &x86.Plain{Memory: m, Bus: &device.Bus{}, RAM: func(uint64) bool { return true }}})
	return h, g, c
}

func TestFault(t *testing.T) {
	for _, test := range []struct {
		what   string
		policy physical.PageSize
		gpa    uint64
		plane  physical.Plane
		size   physical.PageSize
		set    func(*fakeGuest)
		want   []string // nil is an error
		ns     int64
	}{
		{what: "large where it can", policy: physical.Size2M, gpa: 0x203000, size: physical.Size2M,
			want: []string{"unshare 0x203000 0x204000", "add 0x200000 2M"}, ns: cost.TDX().NS(cost.HostAdd2M)},
		{what: "small by policy", policy: physical.Size4K, gpa: 0x203000, size: physical.Size2M,
			want: []string{"unshare 0x203000 0x204000", "add 0x203000 4K"}, ns: cost.TDX().NS(cost.HostAdd4K)},
		{what: "small because the guest asks for it", policy: physical.Size2M, gpa: 0x203000, size: physical.Size4K,
			want: []string{"unshare 0x203000 0x204000", "add 0x203000 4K"}, ns: cost.TDX().NS(cost.HostAdd4K)},
		{what: "small at the end of memory", policy: physical.Size2M, gpa: 16 << 20, size: physical.Size2M,
			want: []string{"unshare 0x1000000 0x1001000", "add 0x1000000 4K"}, ns: cost.TDX().NS(cost.HostAdd4K)},
		{what: "small next to shared memory", policy: physical.Size2M, gpa: 0x203000, size: physical.Size2M,
			set:  func(g *fakeGuest) { g.shared = accept.Range{Start: 0x3FF000, End: 0x400000} },
			want: []string{"unshare 0x203000 0x204000", "add 0x203000 4K"}, ns: cost.TDX().NS(cost.HostAdd4K)},
		{what: "small where small pages were", policy: physical.Size2M, gpa: 0x203000, size: physical.Size2M,
			set:  func(g *fakeGuest) { g.refuse[0x200000] = true },
			want: []string{"unshare 0x203000 0x204000", "add 0x203000 4K"}, ns: cost.TDX().NS(cost.HostAdd4K)},
		{what: "a page too large is split", policy: physical.Size2M, gpa: 0x203000, size: physical.Size4K,
			set: func(g *fakeGuest) { g.split = true }, want: []string{"unshare 0x203000 0x204000", "split 0x200000"}},
		{what: "shared", policy: physical.Size2M, gpa: 0x203000, plane: physical.Shared, size: physical.Size2M,
			want: []string{"remove 0x203000 0x204000", "share 0x203000 0x204000"}},
		{what: "no memory", policy: physical.Size2M, gpa: 32 << 20, size: physical.Size2M},
		{what: "no shared memory", policy: physical.Size2M, gpa: 32 << 20, plane: physical.Shared, size: physical.Size2M},
	} {
		h, g, c := newHost(t, test.policy, cost.TDX())
		if test.set != nil {
			test.set(g)
		}
		began := c.Now()
		err := h.Fault(c, test.gpa, test.plane, test.size)
		if (err != nil) != (test.want == nil) || !slices.Equal(g.calls, test.want) {
			t.Errorf("%s: %v, %q; want %q", test.what, err, g.calls, test.want)
		}
		if took := c.Now() - began; took != test.ns {
			t.Errorf("%s: took %d ns, want %d", test.what, took, test.ns)
		}
	}
}

func TestConvertChargesPagesBySize(t *testing.T) {
	model := cost.TDX()
	for _, test := range []struct {
		start, end   uint64
		large, small int64
	}{
		{0x200000, 0x201000, 0, 1},
		{0x200000, 0x400000, 1, 0},
		{0x1FF000, 0x601000, 2, 2},
		{0x201000, 0x3FF000, 0, 510},
		{0x201000, 0x401000, 0, 512},
	} {
		h, _, c := newHost(t, physical.Size2M, cost.TDX())
		began := c.Now()
		next, ok := h.Convert(c, test.start, test.end, physical.Shared)
		want := model.NS(cost.MapGPA) + test.large*model.NS(cost.MapGPA2M) + test.small*model.NS(cost.MapGPA4K)
		if took := c.Now() - began; next != test.end || !ok || took != want {
			t.Errorf("[%#x, %#x): came to %#x, %v, in %d ns; want %d", test.start, test.end, next, ok, took, want)
		}
	}
	h, g, c := newHost(t, physical.Size2M, cost.TDX())
	if next, ok := h.Convert(c, ramEnd-0x1000, ramEnd+0x1000, physical.Shared); ok || next != ramEnd-0x1000 || len(g.calls) != 0 {
		t.Errorf("converting what is no memory: %#x, %v, %q", next, ok, g.calls)
	}
}

// One request converts 64 MiB at most, wherever it begins; the guest asks again for the rest.
func TestConvertStopsAfter64MiB(t *testing.T) {
	const limit, end = 64 << 20, 256 << 20
	h, err := host.New(host.Config{RAM: []accept.Range{{Start: 0, End: end}}, PageSize: physical.Size2M, Bus: &device.Bus{}})
	if err != nil {
		t.Fatal(err)
	}
	g := &fakeGuest{}
	h.Serve(g)
	_, _, c := newHost(t, physical.Size2M, cost.TDX())
	for start := uint64(0); start < end; start += limit {
		g.calls = nil
		next, ok := h.Convert(c, start, end, physical.Private)
		if want := []string{fmt.Sprintf("unshare %#x %#x", start, start+limit)}; next != start+limit || !ok || !slices.Equal(g.calls, want) {
			t.Errorf("from %#x: %#x, %v, %q", start, next, ok, g.calls)
		}
	}
}

func TestMSRsThatKVMServes(t *testing.T) {
	h, _, c := newHost(t, physical.Size2M, cost.TDX())
	for index, want := range map[uint32]uint64{
		0x1B: 0xFEE00D00, 0x3A: 1, 0x8B: 1 << 32, 0xCE: 0, 0xFE: 0x508, 0x179: 0, 0x17A: 0, 0x200: 0, 0x20F: 0, 0x250: 0, 0x259: 0, 0x26F: 0, 0x2FF: 0,
		0x803: 0x50014,
	} {
		if v, ok := h.ReadMSR(c, index); !ok || v != want {
			t.Errorf("MSR %#x: %#x, %v; want %#x", index, v, ok, want)
		}
	}
	for _, index := range []uint32{0, 0x10, 0x17B, 0x210, 0x251, 0x270, 0x400, 0x6E0, 0x900, 0x4B56_4D00, 0x4B56_4D05, ^uint32(0)} {
		if v, ok := h.ReadMSR(c, index); ok {
			t.Errorf("MSR %#x reads as %#x", index, v)
		}
		if h.WriteMSR(c, index, 0) {
			t.Errorf("MSR %#x can be written", index)
		}
	}
	for _, index := range []uint32{0x1B, 0x3A, 0xFE, 0x179} {
		if h.WriteMSR(c, index, 0) {
			t.Errorf("MSR %#x can be written", index)
		}
	}
	if !h.WriteMSR(c, 0x2FF, 0xC06) {
		t.Error("IA32_MTRR_DEF_TYPE cannot be written")
	}
	if v, _ := h.ReadMSR(c, 0x2FF); v != 0xC06 {
		t.Errorf("IA32_MTRR_DEF_TYPE is %#x", v)
	}
}

// No hypercall is there, and the answer says so as KVM does: -KVM_ENOSYS, which is -1000 and not the system calls' -ENOSYS
// (include/uapi/linux/kvm_para.h).
func TestHypercallsAreNotThere(t *testing.T) {
	h, _, c := newHost(t, physical.Size2M, cost.TDX())
	for _, number := range []uint64{0, 1, 5, 9, 11, 12, ^uint64(0)} {
		if v := int64(h.Hypercall(c, number, [4]uint64{1, 2, 3, 4})); v != -1000 {
			t.Errorf("hypercall %d: %d", number, v)
		}
	}
}

func TestNewChecksItsConfiguration(t *testing.T) {
	for _, cfg := range []host.Config{{PageSize: physical.Size1G, Bus: &device.Bus{}}, {PageSize: physical.Size4K}} {
		if _, err := host.New(cfg); err == nil {
			t.Errorf("%+v: no error", cfg)
		}
	}
}
