package mem

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

func newMemory(t testing.TB, size uint64) *Memory {
	t.Helper()
	m, err := New(size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func read(t testing.TB, m *Memory, p physical.Plane, gpa, n uint64) []byte {
	t.Helper()
	b := make([]byte, n)
	if err := m.Read(p, gpa, b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPlanesAreApart(t *testing.T) {
	m := newMemory(t, 4<<20)
	if err := m.Write(physical.Private, 0x1FFE, []byte("abcd")); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, physical.Private, 0x1FFE, 4); string(got) != "abcd" {
		t.Errorf("private memory holds %q", got)
	}
	if got := read(t, m, physical.Shared, 0x1FFE, 4); !bytes.Equal(got, make([]byte, 4)) {
		t.Errorf("shared memory holds %q", got)
	}
	if p, s := m.BackedBytes(physical.Private), m.BackedBytes(physical.Shared); p != 2*PageSize || s != 0 {
		t.Errorf("%d private and %d shared bytes backed, want two pages and none", p, s)
	}
}

// Clearing memory that was never written must not take any.
func TestZerosAreFree(t *testing.T) {
	m := newMemory(t, 1<<30)
	zeros := make([]byte, 1<<20)
	for gpa := uint64(0); gpa < 64<<20; gpa += uint64(len(zeros)) {
		if err := m.Write(physical.Private, gpa, zeros); err != nil {
			t.Fatal(err)
		}
	}
	if n := m.BackedBytes(physical.Private); n != 0 {
		t.Errorf("%d bytes backed for zeros", n)
	}
	// Where something was, zeros are written.
	if err := m.Write(physical.Private, 0x5000, []byte{1}); err != nil {
		t.Fatal(err)
	}
	if err := m.Write(physical.Private, 0x5000, []byte{0}); err != nil {
		t.Fatal(err)
	}
	if got := read(t, m, physical.Private, 0x5000, 1)[0]; got != 0 {
		t.Errorf("a zero over %d did not arrive", got)
	}
}

func TestReleaseForgets(t *testing.T) {
	m := newMemory(t, 4<<20)
	for gpa := uint64(0); gpa < 5*PageSize; gpa += PageSize {
		if err := m.Write(physical.Private, gpa, []byte{0xAA}); err != nil {
			t.Fatal(err)
		}
	}
	if err := m.Release(physical.Private, PageSize, 3*PageSize); err != nil {
		t.Fatal(err)
	}
	for page, want := range []byte{0xAA, 0, 0, 0xAA, 0xAA} {
		if got := read(t, m, physical.Private, uint64(page)*PageSize, 1)[0]; got != want {
			t.Errorf("page %d holds %#x, want %#x", page, got, want)
		}
	}
	if n := m.BackedBytes(physical.Private); n != 3*PageSize {
		t.Errorf("%d bytes backed, want three pages", n)
	}
}

func TestWhatIsOutside(t *testing.T) {
	m := newMemory(t, 4<<20)
	for _, gpa := range []uint64{4 << 20, 4<<20 - 1, 1 << 63, ^uint64(0)} {
		if err := m.Write(physical.Private, gpa, []byte{1, 2}); !errors.Is(err, errOutside) {
			t.Errorf("write at %#x: %v", gpa, err)
		}
		if err := m.Read(physical.Shared, gpa, make([]byte, 2)); !errors.Is(err, errOutside) {
			t.Errorf("read at %#x: %v", gpa, err)
		}
	}
	for _, r := range [][2]uint64{{0, 8 << 20}, {PageSize, 0}, {1, PageSize}} {
		if err := m.Release(physical.Private, r[0], r[1]); !errors.Is(err, errOutside) {
			t.Errorf("release [%#x, %#x): %v", r[0], r[1], err)
		}
	}
	for _, size := range []uint64{0, 1 << 20, MaxSize + 2<<20} {
		if m, err := New(size); err == nil {
			t.Errorf("memory of %#x bytes was made", size)
			_ = m.Close()
		}
	}
}

// A codeChange is what a code holder hears.
type codeChange struct {
	f         Frame
	offset, n int
}

type codeEar struct {
	heard  []codeChange
	closed int
}

func (e *codeEar) Close() error {
	e.closed++
	return nil
}

func (e *codeEar) CodeChanged(f Frame, offset, n int) {
	e.heard = append(e.heard, codeChange{f, offset, n})
}

// Whatever changes the bytes of a frame with code is heard of, and nothing else.
func TestCodeHearsOfChanges(t *testing.T) {
	m := newMemory(t, 4<<20)
	ear := &codeEar{}
	m.HoldCode(ear)
	code := FrameOf(physical.Private, 0x3000)
	m.MarkCode(code)
	for _, w := range []struct {
		p   physical.Plane
		gpa uint64
	}{{physical.Private, 0x2FFF}, {physical.Private, 0x3010}, {physical.Shared, 0x3010}, {physical.Private, 0x4000}} {
		if err := m.Write(w.p, w.gpa, []byte{1, 2}); err != nil {
			t.Fatal(err)
		}
	}
	m.CodeWritten(code, 0x20, 8)
	for _, p := range []physical.Plane{physical.Shared, physical.Private} {
		for range 2 { // what reads as zeros already does not change
			if err := m.Release(p, 0x2000, 0x5000); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := []codeChange{{code, 0, 1}, {code, 0x10, 2}, {code, 0x20, 8}, {code, 0, PageSize}}
	if !slices.Equal(ear.heard, want) {
		t.Errorf("heard of %v, want %v", ear.heard, want)
	}
	m.UnmarkCode(code)
	if err := m.Write(physical.Private, 0x3000, []byte{1}); err != nil || len(ear.heard) != len(want) {
		t.Errorf("heard of a write to a frame without code: %v, %v", ear.heard, err)
	}
	if err := m.Close(); err != nil || ear.closed != 1 {
		t.Errorf("closed %d times with the memory: %v", ear.closed, err)
	}
}

// The bitmap against a map.
func TestBitmapRuns(t *testing.T) {
	const n = 3*chunkBits + 100
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	b, set := newBitmap(n), map[uint64]bool{}
	for range 200 {
		first, length := r.Uint64N(n), r.Uint64N(300)
		for i := first; i < min(first+length, n); i++ {
			b.set(i)
			set[i] = true
		}
		if first > n/2 {
			b.clearRun(first, min(length/2, n-first))
			for i := first; i < min(first+length/2, n); i++ {
				delete(set, i)
			}
		}
	}
	if b.count() != uint64(len(set)) {
		t.Errorf("%d bits set, want %d", b.count(), len(set))
	}
	for at := uint64(0); at < n; {
		first, length := b.nextRun(at, n)
		for i := at; i < first && i < n; i++ {
			if set[i] {
				t.Fatalf("bit %d is set and not in a run", i)
			}
		}
		if length == 0 {
			for i := at; i < n; i++ {
				if set[i] {
					t.Fatalf("bit %d is set beyond the last run", i)
				}
			}
			break
		}
		for i := first; i < first+length; i++ {
			if !set[i] {
				t.Fatalf("bit %d is in a run and not set", i)
			}
		}
		at = first + length
	}
}

// What is taken of the host's memory is told as it is taken and given back: pages of both planes, and page tables, which
// stay. Zeros that are written or read take nothing, but for the table of a page that somebody looks at by its pointer.
func TestOnGrowth(t *testing.T) {
	m := newMemory(t, 1<<30)
	var taken int64
	m.OnGrowth(func(bytes int64) { taken += bytes })
	const far = 1 << 29
	write := func(p physical.Plane, gpa uint64, b byte) func() error {
		return func() error { return m.Write(p, gpa, []byte{b}) }
	}
	for i, step := range []struct {
		do    func() error
		pages int64 // that are taken then
	}{
		{write(physical.Private, 0, 1), 2},
		{write(physical.Private, 0, 2), 2},
		{write(physical.Private, 5*PageSize, 0), 2},
		{write(physical.Private, 5*PageSize, 1), 3},
		{write(physical.Shared, 5*PageSize, 1), 5},
		{write(physical.Private, far, 0), 5},
		{func() error { return m.Read(physical.Private, far-100, make([]byte, 3*PageSize)) }, 5},
		{func() error { m.Page(FrameOf(physical.Private, far)); return nil }, 6},
		{write(physical.Private, far+PageSize, 1), 7},
		{func() error { return m.Release(physical.Private, 0, 1<<30) }, 4},
		{write(physical.Private, far, 1), 5},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if taken != step.pages*PageSize {
			t.Errorf("step %d: %d bytes are taken, want %d pages", i, taken, step.pages)
		}
	}
}
