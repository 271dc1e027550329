package negotiate_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

const top = 1<<64 - 1

func TestMapsThatLie(t *testing.T) {
	honest := []uefi.MemoryDescriptor{
		region(uefi.ConventionalMemory, 0, 1*giB),
		region(uefi.UnacceptedMemory, 1*giB, 2*giB),
		region(uefi.MemoryMappedIO, 0xfec0_0000, 0xfec0_1000),
	}
	pages := func(kind uefi.MemoryType, start, n uint64) uefi.MemoryDescriptor {
		return uefi.MemoryDescriptor{Type: kind, PhysicalStart: start, NumberOfPages: n, Attribute: attributes}
	}
	image := []accept.Range{{Start: 2 * miB, End: 4 * miB}, {Start: 6*giB + 1, End: 6*giB + 2}}
	for _, c := range []struct {
		name string
		more []uefi.MemoryDescriptor
		want negotiate.Error
		says string // in the error's text
	}{
		{"nothing wrong", nil, 0, ""},
		{"a hole and an unknown type", []uefi.MemoryDescriptor{region(99, 4*giB, 5*giB)}, 0, ""},
		{"unaccepted and free at once", []uefi.MemoryDescriptor{region(uefi.UnacceptedMemory, 512*miB, 513*miB)}, negotiate.ErrOverlap,
			"Conventional, 0x40000 pages at 0x0; Unaccepted, 0x100 pages at 0x20000000"},
		{"free and unaccepted at once", []uefi.MemoryDescriptor{region(uefi.ConventionalMemory, 2*giB-4*kiB, 2*giB)}, negotiate.ErrOverlap, "Unaccepted"},
		{"the same twice", []uefi.MemoryDescriptor{honest[1]}, negotiate.ErrOverlap, "Unaccepted"},
		{"one around all", []uefi.MemoryDescriptor{region(uefi.ReservedMemoryType, 0, 4*giB)}, negotiate.ErrOverlap, "Reserved"},
		{"devices in memory", []uefi.MemoryDescriptor{region(uefi.MemoryMappedIO, 4*kiB, 8*kiB)}, negotiate.ErrOverlap, "MemoryMappedIO"},
		{"pages around 2⁶⁴", []uefi.MemoryDescriptor{pages(uefi.UnacceptedMemory, 1<<64-2*miB, 1024)}, negotiate.ErrBeyond, "0x400 pages at 0xffffffffffe00000"},
		{"so many pages that their bytes wrap to few", []uefi.MemoryDescriptor{pages(uefi.UnacceptedMemory, 4*giB, 1<<52+1)}, negotiate.ErrBeyond, ""},
		{"all pages that a number can count", []uefi.MemoryDescriptor{pages(uefi.UnacceptedMemory, 4*giB, top)}, negotiate.ErrBeyond, ""},
		{"memory that ends at 2⁶⁴", []uefi.MemoryDescriptor{pages(uefi.ConventionalMemory, 1<<64-4*kiB, 1)}, negotiate.ErrBeyond, ""},
		{"memory that begins at the limit", []uefi.MemoryDescriptor{pages(uefi.ConventionalMemory, 1<<47, 1)}, negotiate.ErrBeyond, ""},
		{"memory that ends a page above it", []uefi.MemoryDescriptor{pages(uefi.ConventionalMemory, 1<<47-4*kiB, 2)}, negotiate.ErrBeyond, ""},
		{"memory that ends at it", []uefi.MemoryDescriptor{pages(uefi.ConventionalMemory, 1<<47-4*kiB, 1)}, 0, ""},
		{"no pages", []uefi.MemoryDescriptor{pages(uefi.UnacceptedMemory, 4*giB, 0)}, negotiate.ErrNoPages, ""},
		{"off a page", []uefi.MemoryDescriptor{pages(uefi.UnacceptedMemory, 4*giB+8, 512)}, negotiate.ErrNotAligned, "0x100000008"},
		{"unaccepted where a byte is in use", []uefi.MemoryDescriptor{region(uefi.UnacceptedMemory, 5*giB, 7*giB)}, negotiate.ErrInUse,
			"in use is [0x180000000, 0x180001000)"},
		{"unaccepted beside it", []uefi.MemoryDescriptor{region(uefi.UnacceptedMemory, 6*giB+4*kiB, 7*giB)}, 0, ""},
	} {
		list := slices.Concat(honest, c.more)
		for _, order := range []string{"as told", "backwards"} {
			buf := encode(list...)
			var m negotiate.Map
			err := m.Check(buf, infoOf(buf), negotiate.Bounds{Limit: 1 << 47, InUse: image})
			if c.want == 0 {
				if err != nil {
					t.Errorf("%s, %s: %v", c.name, order, err)
				}
			} else {
				var wrong *negotiate.MapError
				if !errors.As(err, &wrong) || wrong.Problem != c.want || !errors.Is(err, c.want) || !strings.Contains(err.Error(), c.says) {
					t.Errorf("%s, %s: %v, want %v with %q", c.name, order, err, c.want, c.says)
				}
				for d := range m.All() {
					t.Errorf("%s, %s: a map that was refused has %v", c.name, order, d)
				}
			}
			slices.Reverse(list)
		}
	}
}

func TestShapesThatLie(t *testing.T) {
	buf := encode(region(uefi.ConventionalMemory, 0, 1*giB), region(uefi.UnacceptedMemory, 1*giB, 2*giB))
	for _, c := range []struct {
		size, stride uint64
		version      uint32
		want         negotiate.Error
	}{
		{96, 48, 1, 0},
		{0, 48, 1, 0},
		{48, 48, 1, 0},
		{96, 39, 1, negotiate.ErrDescriptorSize},
		{96, 0, 1, negotiate.ErrDescriptorSize},
		{96, 44, 1, negotiate.ErrDescriptorSize},
		{8192, 8192, 1, negotiate.ErrDescriptorSize},
		{96, top &^ 7, 1, negotiate.ErrDescriptorSize},
		{96, 48, 0, negotiate.ErrDescriptorVersion},
		{96, 48, 0x8000_0001, negotiate.ErrDescriptorVersion},
		{144, 48, 1, negotiate.ErrMapSize},
		{top / 48 * 48, 48, 1, negotiate.ErrMapSize},
		{95, 48, 1, negotiate.ErrMapSize},
	} {
		var m negotiate.Map
		err := m.Check(buf, negotiate.MapInfo{Size: c.size, DescriptorSize: c.stride, DescriptorVersion: c.version}, negotiate.Bounds{})
		if c.want == 0 && err != nil || c.want != 0 && !errors.Is(err, c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	long := make([]byte, (negotiate.MaxDescriptors+1)*stride)
	var m negotiate.Map
	if err := m.Check(long, infoOf(long), negotiate.Bounds{}); !errors.Is(err, negotiate.ErrTooMany) {
		t.Errorf("too many: %v", err)
	}
}

// Neighbours are one range, whatever firmware cut them into; what is in use is left out, and so is what is not free.
func TestRanges(t *testing.T) {
	special, runtime, uncached := region(uefi.ConventionalMemory, 20*miB, 21*miB), region(uefi.LoaderData, 21*miB, 22*miB), region(uefi.ConventionalMemory, 22*miB, 23*miB)
	special.Attribute |= uefi.MemorySP
	runtime.Attribute |= uefi.MemoryRuntime
	uncached.Attribute = uefi.MemoryUC
	buf := encode(
		region(uefi.BootServicesData, 0, 4*kiB),
		region(uefi.BootServicesCode, 4*kiB, 8*kiB),
		region(uefi.LoaderCode, 8*kiB, 12*kiB),
		region(uefi.ConventionalMemory, 12*kiB, 1*miB),
		region(uefi.LoaderData, 1*miB, 16*miB),
		region(uefi.ACPIReclaimMemory, 16*miB, 17*miB),
		region(uefi.ConventionalMemory, 17*miB, 18*miB),
		region(uefi.RuntimeServicesCode, 18*miB, 19*miB),
		region(uefi.UnusableMemory, 19*miB, 20*miB),
		special, runtime, uncached,
		region(uefi.UnacceptedMemory, 23*miB, 24*miB),
		region(uefi.UnacceptedMemory, 24*miB, 32*miB),
		region(uefi.ConventionalMemory, 32*miB, 33*miB),
		region(uefi.UnacceptedMemory, 33*miB, 34*miB),
		region(uefi.PersistentMemory, 40*miB, 41*miB),
	)
	var m negotiate.Map
	inUse := []accept.Range{
		{Start: 17 * miB, End: 18 * miB},
		{Start: 2*miB + 100, End: 3 * miB}, {Start: 2 * miB, End: 2*miB + 200}, {}, // unsorted, overlapping, empty
		{Start: 0, End: 1},
		{Start: 15 * miB, End: 19 * miB},
	}
	if err := m.Check(buf, infoOf(buf), negotiate.Bounds{InUse: inUse}); err != nil {
		t.Fatal(err)
	}
	if got, want := fmt.Sprint(collect(m.Unaccepted())), fmt.Sprint([]accept.Range{{Start: 23 * miB, End: 32 * miB}, {Start: 33 * miB, End: 34 * miB}}); got != want {
		t.Errorf("unaccepted %v, want %v", got, want)
	}
	if got, want := fmt.Sprint(collect(m.Free())), fmt.Sprint([]accept.Range{{Start: 4 * kiB, End: 2 * miB}, {Start: 3 * miB, End: 15 * miB}, {Start: 32 * miB, End: 33 * miB}}); got != want {
		t.Errorf("free %v, want %v", got, want)
	}
	for range m.Free() {
		break // must not go on
	}
	for range m.All() {
		break
	}
	for r, want := range map[accept.Range]bool{
		{Start: 0, End: 19 * miB}:            true,
		{Start: 16 * miB, End: 16*miB + 24}:  true,
		{Start: 19*miB - 8, End: 19*miB + 8}: false, // into what is broken
		{Start: 23 * miB, End: 23*miB + 24}:  false, // unaccepted
		{Start: 50 * miB, End: 50*miB + 24}:  false, // nothing
		{Start: top - 8, End: top}:           false,
		{Start: 32*miB + 1, End: 33 * miB}:   true,
		{Start: 32*miB - 1, End: 33 * miB}:   false,
		{Start: 5 * miB, End: 5 * miB}:       true,  // no bytes
		{Start: ^uint64(7), End: 16}:         false, // around 2⁶⁴
	} {
		if m.Readable(r) != want {
			t.Errorf("Readable(%v) = %v", r, !want)
		}
	}
}

func collect(ranges func(func(accept.Range) bool)) (list []accept.Range) {
	for r := range ranges {
		list = append(list, r)
	}
	return list
}

// However a map is cut and shuffled, it says the same; and what lies between descriptors moves with them.
func TestShuffledMaps(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	kinds := []uefi.MemoryType{uefi.ConventionalMemory, uefi.UnacceptedMemory, uefi.ReservedMemoryType, uefi.LoaderData}
	for range 200 {
		var list []uefi.MemoryDescriptor
		at := uint64(0)
		for range 1 + r.IntN(100) {
			at += r.Uint64N(3) * uefi.PageSize
			d := region(kinds[r.IntN(len(kinds))], at, at+(1+r.Uint64N(1000))*uefi.PageSize)
			at = d.End()
			list = append(list, d)
		}
		buf := encode(list...)
		for i := range list {
			copy(buf[i*stride+uefi.MemoryDescriptorSize:], fmt.Sprintf("%08d", list[i].PhysicalStart>>12))
		}
		sorted := bytes.Clone(buf)
		r.Shuffle(len(list), func(i, j int) {
			a, b := buf[i*stride:][:stride], buf[j*stride:][:stride]
			c := bytes.Clone(a)
			copy(a, b)
			copy(b, c)
		})
		var m negotiate.Map
		if err := m.Check(buf, infoOf(buf), negotiate.Bounds{}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(buf, sorted) {
			t.Fatal("the map is not sorted")
		}
	}
}

// FuzzMemoryMap checks any bytes as a map. What passes keeps what a checked map promises, page by page.
func FuzzMemoryMap(f *testing.F) {
	honest := encode(
		region(uefi.LoaderCode, 1*miB, 2*miB), region(uefi.ConventionalMemory, 2*miB, 64*miB),
		region(uefi.UnacceptedMemory, 64*miB, 256*miB), region(uefi.ConventionalMemory, 0, 640*kiB),
	)
	f.Add(honest, uint64(len(honest)), uint64(stride), uint64(1<<47), uint64(1*miB), uint64(2*miB))
	wrapped := bytes.Clone(honest)
	copy(wrapped[24:], []byte{1, 0, 0, 0, 0, 0, 0x10})
	f.Add(wrapped, uint64(len(wrapped)), uint64(stride), uint64(0), uint64(0), uint64(0))
	f.Add(honest, uint64(2), uint64(24), uint64(1), uint64(top), uint64(top))
	f.Fuzz(func(t *testing.T, buf []byte, size, descriptorSize, limit, useStart, useEnd uint64) {
		before := bytes.Clone(buf)
		used := accept.Range{Start: useStart, End: useEnd}
		var m negotiate.Map
		err := m.Check(buf, negotiate.MapInfo{Size: size, DescriptorSize: descriptorSize, DescriptorVersion: 1},
			negotiate.Bounds{Limit: limit, InUse: []accept.Range{used}})
		if err != nil {
			if err.Error() == "" || strings.Contains(err.Error(), "no error") || strings.Contains(err.Error(), "\n") {
				t.Fatalf("an error %q", err)
			}
			return
		}
		if limit == 0 || limit > 1<<52 {
			limit = 1 << 52
		}
		if size > uint64(len(buf)) || !bytes.Equal(buf[size:], before[size:]) {
			t.Fatal("more was changed than the map")
		}
		if !slices.Equal(entries(before[:size], descriptorSize), entries(buf[:size], descriptorSize)) {
			t.Fatal("the descriptors are others")
		}
		last, bytesOf := uint64(0), map[uefi.MemoryType]uint64{}
		for d := range m.All() {
			if d.PhysicalStart < last || d.End() <= d.PhysicalStart || d.End() > limit || d.PhysicalStart%uefi.PageSize != 0 {
				t.Fatalf("%v after %#x", d, last)
			}
			last = d.End()
			bytesOf[d.Type] += d.End() - d.PhysicalStart
		}
		ordered := func(ranges func(func(accept.Range) bool)) (sum uint64) {
			last := uint64(0)
			for r := range ranges {
				if r.Empty() || r.Start < last || r.Start%uefi.PageSize != 0 || r.End%uefi.PageSize != 0 || !r.Intersect(used).Empty() {
					t.Fatalf("%v after %#x, and %v is in use", r, last, used)
				}
				last, sum = r.End, sum+r.Len()
			}
			return sum
		}
		if sum := ordered(m.Unaccepted()); sum != bytesOf[uefi.UnacceptedMemory] {
			t.Fatalf("%#x unaccepted, of %#x", sum, bytesOf[uefi.UnacceptedMemory])
		}
		ordered(m.Free())
		for r := range m.Free() {
			if !m.Readable(r) {
				t.Fatalf("%v is free and not readable", r)
			}
		}
		if h := m.Header(); h.Size > 256*miB || h.Size == 0 != (bytesOf[uefi.UnacceptedMemory] == 0) {
			t.Fatalf("%+v", h)
		}
	})
}

// entries returns the descriptors as text, sorted.
func entries(b []byte, size uint64) (list []string) {
	for ; len(b) > 0; b = b[size:] {
		list = append(list, string(b[:size]))
	}
	slices.Sort(list)
	return list
}
