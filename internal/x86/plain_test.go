package x86

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
)

// devices is a bus with a device at one address.
type devices struct {
	Bus
	at uint64
}

func (d devices) Claims(gpa uint64) bool { return gpa == d.at }

// A walk or a fetch where there is no memory is refused, and what is there instead is told rightly.
func TestOutsideOfMemory(t *testing.T) {
	memory, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	const device = 0xFEC00000
	p := &Plain{Memory: memory, Bus: devices{at: device}, RAM: func(uint64) bool { return true }}
	for gpa, want := range map[uint64]string{device: "a device and no memory", 0xFED00000: "neither memory nor a device"} {
		for _, kind := range []AccessKind{Fetch, Walk, WalkWrite} {
			_, r := p.Resolve(nil, gpa, Access{Kind: kind})
			if r == nil || r.Stop == nil || !strings.HasSuffix(r.Stop.Error(), want) {
				t.Errorf("%v at %#x: %+v", kind, gpa, r)
			}
		}
		if tr, r := p.Resolve(nil, gpa, Access{Kind: Read}); r != nil || !tr.MMIO {
			t.Errorf("read at %#x: %+v, %+v", gpa, tr, r)
		}
		if _, err := p.ResolveDevice(gpa, true); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("a device's write to %#x: %v", gpa, err)
		}
	}
}
