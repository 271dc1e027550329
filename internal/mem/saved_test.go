package mem

import (
	"bytes"
	"errors"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/physical"
)

func saved(t testing.TB, m *Memory) []byte {
	t.Helper()
	var b bytes.Buffer
	w := state.NewWriter(&b)
	m.Save(w)
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func loaded(m *Memory, b []byte) error { return loadedWithin(m, b, math.MaxUint64) }

// loadedWithin loads at most so many bytes of pages.
func loadedWithin(m *Memory, b []byte, most uint64) error {
	r := state.NewReader(bytes.NewReader(b))
	if err := m.Load(r, most); err != nil {
		return err
	}
	return r.End()
}

// Contents and backing of both planes come back, also of pages that hold zeros.
func TestSaveAndLoad(t *testing.T) {
	const size = 64 << 20
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	m := newMemory(t, size)
	for range 100 {
		p, page := physical.Plane(r.IntN(2)), r.Uint64N(size>>PageShift)
		for n := r.IntN(1 << r.IntN(10)); n >= 0 && page < size>>PageShift; n-- {
			b := make([]byte, PageSize)
			if r.IntN(4) > 0 {
				b[r.IntN(len(b))] = byte(r.Uint32())
			}
			m.Back(FrameOf(p, page<<PageShift))
			if err := m.Write(p, page<<PageShift, b); err != nil {
				t.Fatal(err)
			}
			page++
		}
	}
	b := saved(t, m)
	again := newMemory(t, size)
	if err := loaded(again, b); err != nil {
		t.Fatal(err)
	}
	for _, p := range []physical.Plane{physical.Private, physical.Shared} {
		if !bytes.Equal(read(t, m, p, 0, size), read(t, again, p, 0, size)) {
			t.Errorf("%v memory has other contents", p)
		}
		for gpa := uint64(0); gpa < size; gpa += PageSize {
			if f := FrameOf(p, gpa); m.Backed(f) != again.Backed(f) {
				t.Fatalf("%v page %#x is backed %v, was %v", p, gpa, again.Backed(f), m.Backed(f))
			}
		}
	}
	if !bytes.Equal(saved(t, again), b) {
		t.Error("saved again it has other bytes")
	}
	small := newMemory(t, size/2)
	if err := loaded(small, b); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("pages beyond the end of memory: %v", err)
	}
	taken := m.BackedBytes(physical.Private) + m.BackedBytes(physical.Shared)
	if err := loadedWithin(newMemory(t, size), b, taken); err != nil {
		t.Errorf("pages up to the limit: %v", err)
	}
	if err := loadedWithin(newMemory(t, size), b, taken-1); !errors.Is(err, ErrTooMuch) {
		t.Errorf("pages beyond the limit: %v", err)
	}
}

// No page may come twice, in a section or in two.
func TestLoadRefusesPagesTwice(t *testing.T) {
	m := newMemory(t, 4<<20)
	if err := m.Write(physical.Private, 0x3000, []byte{1}); err != nil {
		t.Fatal(err)
	}
	one := m.pack(m.batches()[0])
	var b bytes.Buffer
	w := state.NewWriter(&b)
	w.Write(tablesName, stateVersion, m.carryTables)
	w.Section(sectionName, stateVersion, one)
	w.Section(sectionName, stateVersion, one)
	if err := w.End(); err != nil {
		t.Fatal(err)
	}
	if err := loaded(newMemory(t, 4<<20), b.Bytes()); !errors.Is(err, state.ErrDamaged) || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a page that comes twice: %v", err)
	}
}
