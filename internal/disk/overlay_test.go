package disk

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
)

// A disk reads as an array that starts with the image and is written to, and the image stays as it was.
func TestOverlay(t *testing.T) {
	const size, seed = 10*blockSize + 700, 1
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	image := make([]byte, size)
	for i := range image {
		image[i] = byte(r.Uint32())
	}
	before, want := bytes.Clone(image), bytes.Clone(image)
	o := New(bytes.NewReader(image), size, size+blockSize)
	for range 2000 {
		at := r.IntN(size)
		b := make([]byte, r.IntN(min(3*blockSize, size-at)+1))
		if r.IntN(3) > 0 {
			for i := range b {
				b[i] = byte(r.Uint32())
			}
			if n, err := o.WriteAt(b, int64(at)); n != len(b) || err != nil {
				t.Fatal(n, err)
			}
			copy(want[at:], b)
			continue
		}
		if n, err := o.ReadAt(b, int64(at)); n != len(b) || err != nil || !bytes.Equal(b, want[at:][:n]) {
			t.Fatalf("%d bytes at %d: %d, %v; or other bytes", len(b), at, n, err)
		}
	}
	if !bytes.Equal(image, before) {
		t.Error("the image was written to")
	}
	s := state.Out()
	o.Carry(s)
	other := New(bytes.NewReader(image), size, size+blockSize)
	in := state.In(s.Bytes())
	if other.Carry(in); in.End() != nil {
		t.Fatal(in.End())
	}
	b := make([]byte, size)
	if _, err := other.ReadAt(b, 0); err != nil || !bytes.Equal(b, want) {
		t.Errorf("what was carried reads otherwise, %v", err)
	}
}

func TestOverlayRefuses(t *testing.T) {
	o := New(bytes.NewReader(make([]byte, 10*blockSize)), 10*blockSize, 2*blockSize)
	for _, at := range []int64{-1, 10*blockSize - 1, 1 << 62} {
		if _, err := o.ReadAt(make([]byte, 2), at); !errors.Is(err, errOutside) {
			t.Errorf("read at %d: %v", at, err)
		}
		if _, err := o.WriteAt(make([]byte, 2), at); !errors.Is(err, errOutside) {
			t.Errorf("write at %d: %v", at, err)
		}
	}
	if n, err := o.WriteAt(bytes.Repeat([]byte{1}, 3*blockSize), 0); n != 2*blockSize || !errors.Is(err, errFull) || o.Changed() != 2*blockSize {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, err := o.WriteAt([]byte{2}, 5); err != nil { // what is changed already can be changed again
		t.Error(err)
	}
	short := New(bytes.NewReader(make([]byte, 100)), 2*blockSize, blockSize)
	if _, err := short.ReadAt(make([]byte, blockSize), 0); err == nil {
		t.Error("an image that is shorter than it says reads without an error")
	}
	if _, err := short.WriteAt([]byte{1}, 0); err == nil || short.Changed() != 0 {
		t.Errorf("a part of a block that cannot be read was changed: %v", err)
	}
}
