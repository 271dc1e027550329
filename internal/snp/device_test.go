package snp_test

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/physical"
)

// A device reaches what is shared, and nothing that is assigned to the guest, validated or not.
func TestDevicesReachSharedMemoryOnly(t *testing.T) {
	m := newMachine(t)
	const assigned, unmapped, shared = 12 << 20, 14 << 20, 16 << 20
	m.mustValidate(page, size4K)
	if err := m.AddPage(m.cpu, assigned, physical.Size2M); err != nil {
		t.Fatal(err)
	}
	m.share(shared)
	for gpa, state := range map[uint64]string{page: m.State(page), assigned: m.State(assigned), unmapped: m.State(unmapped), 3 << 30: "no memory"} {
		for _, at := range []uint64{gpa + 8, gpa + 8 | snp.CBit} {
			for _, write := range []bool{false, true} {
				_, err := m.ResolveDevice(at, write)
				var e *confidential.DeviceError
				if !errors.As(err, &e) || e.GPA != at&^0xFFF || e.Write != write || at == gpa+8 && e.State != state {
					t.Errorf("a device at %#x, write %v: %v, want a refusal for a page that is %s", at, write, err, state)
				}
			}
		}
	}
	to, err := m.ResolveDevice(shared+8, true)
	if err != nil || to.GPA != shared || to.Frame.Plane() != physical.Shared {
		t.Fatalf("a device at shared memory: %+v, %v", to, err)
	}
	m.mem.Back(to.Frame)
	const v = 0x0123_4567_89AB_CDEF
	*(*uint64)(unsafe.Add(to.Host, 8)) = v
	if got := m.loadShared(shared + 8); got != v {
		t.Errorf("the guest reads %#x of what a device stored", got)
	}
	if _, err := m.ResolveDevice(shared+8|snp.CBit, false); err == nil {
		t.Error("a device reaches memory through an address with C-bit")
	}
}
