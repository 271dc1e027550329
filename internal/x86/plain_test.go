package x86

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
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

// From ROM code is executed, and read; stores to it go to the bus, where no device is, and change nothing. The page walker does
// not get that far: an update of a page table there ends the run.
func TestROM(t *testing.T) {
	const rom = 0x40_0000
	code := []byte{
		0xB8, 0, 0, 0x40, 0, // mov eax, rom
		0xC6, 0x00, 0x55, // mov byte [rax], 0x55
		0x0F, 0xB6, 0x18, // movzx ebx, byte [rax]
		0xC6, 0x00, 0x66, // … again, with the page in the TLB
		0x0F, 0xB6, 0x08, // movzx ecx, byte [rax]
		0xF4,
	}
	m := newBare(t, 0, nil)
	p := m.platform.(*Plain)
	ram := p.RAM
	p.RAM = func(gpa uint64) bool { return ram(gpa) && gpa != rom }
	p.ROM = func(gpa uint64) bool { return gpa == rom }
	if err := m.mem.Write(physical.Private, rom, code); err != nil {
		t.Fatal(err)
	}
	m.SetRIP(rom)
	if exit := m.Run(1000); exit.Kind != ExitHalted {
		t.Fatalf("%+v", exit)
	}
	if m.R[uop.RBX] != 0xB8 || m.R[uop.RCX] != 0xB8 {
		t.Errorf("after stores of 0x55 and 0x66 ROM has %#x and %#x", m.R[uop.RBX], m.R[uop.RCX])
	}
	if _, r := p.Resolve(m.CPU, rom, Access{Kind: WalkWrite}); r == nil {
		t.Error("a page table in ROM can be updated")
	}
}
