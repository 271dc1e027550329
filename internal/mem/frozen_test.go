package mem

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

// Memories of one frozen one have its contents, and what is written or released in one is not seen by another.
func TestFrozenMemoryIsShared(t *testing.T) {
	const size = 32 << 20
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	write := func(m *Memory, n int) {
		t.Helper()
		for range n {
			b := bytes.Repeat([]byte{byte(r.Uint32())}, 1+r.IntN(3*PageSize))
			if err := m.Write(physical.Plane(r.IntN(2)), r.Uint64N(size-uint64(len(b))), b); err != nil {
				t.Fatal(err)
			}
		}
	}
	contents := func(m *Memory) []byte {
		return append(read(t, m, physical.Private, 0, size), read(t, m, physical.Shared, 0, size)...)
	}
	first := newMemory(t, size)
	write(first, 200)
	frozen, err := first.Freeze()
	if err != nil {
		t.Fatal(err)
	}
	want, taken := contents(first), int64(0)
	first.OnGrowth(func(bytes int64) { taken += bytes })
	atFreeze := taken
	write(first, 50) // which the others do not see

	var forks [3]*Memory
	for i := range forks {
		if forks[i], err = frozen.New(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = forks[i].Close() })
		took := int64(0)
		forks[i].OnGrowth(func(bytes int64) { took += bytes })
		if !bytes.Equal(contents(forks[i]), want) || took != atFreeze {
			t.Fatalf("fork %d has other contents, or takes %d bytes of %d", i, took, atFreeze)
		}
	}
	if err := frozen.Close(); err != nil {
		t.Fatal(err)
	}
	write(forks[0], 50)
	model := contents(forks[1])
	for range 40 {
		start := r.Uint64N(size) &^ pageMask
		end := min(start+uint64(r.IntN(300))*PageSize, size)
		if err := forks[1].Release(physical.Private, start, end); err != nil {
			t.Fatal(err)
		}
		clear(model[start:end])
	}
	if !bytes.Equal(contents(forks[1]), model) {
		t.Error("what was released is not zeros, or something else is")
	}
	if !bytes.Equal(contents(forks[2]), want) {
		t.Error("one fork sees what happened in the others")
	}
}
