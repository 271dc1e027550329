package tdx_test

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A device reaches what is shared, and no private memory in whatever state, with the shared bit in its address or without.
func TestDevicesReachSharedMemoryOnly(t *testing.T) {
	m := newMachine(t)
	const accepted, pending, absent, shared = 8 << 20, 10 << 20, 12 << 20, 14 << 20
	if s := m.accept(accepted, 1); s != abi.Success {
		t.Fatal(s)
	}
	if err := m.AddPage(m.cpu, pending, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	if err := m.Share(m.cpu, shared, shared+mem.PageSize); err != nil {
		t.Fatal(err)
	}
	for state, gpa := range map[string]uint64{
		"accepted": accepted, "pending": pending, "absent": absent, "no memory": holeStart,
	} {
		for _, at := range []uint64{gpa + 8, gpa + 8 | m.SharedBit()} {
			for _, write := range []bool{false, true} {
				_, err := m.ResolveDevice(at, write)
				var e *confidential.DeviceError
				if !errors.As(err, &e) || e.GPA != gpa || e.State != state || e.Write != write {
					t.Errorf("a device at %#x, write %v: %v, want a refusal for a page that is %s", at, write, err, state)
				}
			}
		}
	}
	if s := m.State(absent); s != "absent" {
		t.Errorf("a device's attempt has made the page %s", s)
	}
	for _, at := range []uint64{shared + 8, shared + 8 | m.SharedBit()} {
		to, err := m.ResolveDevice(at, true)
		if err != nil || to.GPA != shared || to.Frame.Plane() != physical.Shared {
			t.Fatalf("a device at %#x: %+v, %v", at, to, err)
		}
		m.mem.Back(to.Frame)
		*(*uint64)(unsafe.Add(to.Host, 8)) = at
		if got := m.word(physical.Shared, shared+8); got != at {
			t.Errorf("the guest reads %#x of what a device stored at %#x", got, at)
		}
	}
}
