package firmware

import (
	"errors"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/uefi"
)

// exitBootServices0 leaves boot services as an operating system does, at its first try.
func (m *machine) exitBootServices0() {
	m.Helper()
	_, key := m.memoryMap()
	m.wants(uefi.Success, uefi.BSExitBootServices, m.images[0].handle, key)
}

const virtualBase = 0xFFFF_FFEE_0000_0000

// switchToVirtual does what Linux does in efi_enter_virtual_mode: a place for each runtime region, then
// SetVirtualAddressMap.
func (m *machine) switchToVirtual() {
	m.Helper()
	var b []byte
	next := uint64(virtualBase)
	for _, g := range m.memory.regions {
		if !isRuntime(g.kind) {
			continue
		}
		d := make([]byte, descriptorSize)
		uefi.MemoryDescriptor{
			Type: g.kind, PhysicalStart: g.start, VirtualStart: next, NumberOfPages: (g.end - g.start) / pageSize, Attribute: attributes(g.kind),
		}.Put(d)
		b = append(b, d...)
		m.moved = append(m.moved, mapping{next, g.start, g.end - g.start})
		next += g.end - g.start + 0x10_0000
	}
	const at = 0x20_0000 // the operating system's own by now
	m.poke(at, b)
	if s := m.runs(uefi.RTSetVirtualAddressMap, uint64(len(b)), descriptorSize, uefi.MemoryDescriptorVersion, at); s != uefi.Success {
		m.Fatalf("SetVirtualAddressMap: %v", s)
	}
}

func TestExitBootServicesNeedsTheKey(t *testing.T) {
	m := newMachine(t, nil)
	m.cost = cost.Plain()
	_, key := m.memoryMap()
	page := m.room(1)
	m.putWord(page, 0)
	m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), 1, page)
	boot := m.bootPointer(uefi.BSExitBootServices)
	m.wants(uefi.InvalidParameter, uefi.BSExitBootServices, m.images[0].handle, key)
	if m.Exited() || m.flags&flagIF == 0 {
		t.Error("boot services are gone after a call that failed")
	}
	m.wants(uefi.Success, uefi.BSFreePages, m.word(page), 1) // memory services still work
	getMemoryMap := m.bootPointer(uefi.BSGetMemoryMap)
	m.exitBootServices0()
	if !m.Exited() || m.flags&flagIF != 0 {
		t.Error("interrupts must be off")
	}
	if got := m.Negotiation().ExitAttempts; got != 2 {
		t.Errorf("%d attempts counted", got)
	}
	for _, offset := range []uint64{uefi.SystemTableBootServices, uefi.SystemTableConOut, uefi.SystemTableConIn} {
		if m.word(m.systemTable+offset) != 0 {
			t.Errorf("the system table still has a pointer at %d", offset)
		}
	}
	for _, p := range []uint64{boot, getMemoryMap} {
		if s := m.must(p, 1, 2, 3, 4); s != uefi.Unsupported {
			t.Errorf("a boot service gives %v", s)
		}
	}
	at := uint64(0x20_0000)
	if s := m.runs(uefi.RTGetTime, at, 0); s != uefi.Success {
		t.Errorf("GetTime: %v", s)
	}
}

// The three policies, with an operating system that says that it can accept memory and with one that does not.
func TestNegotiation(t *testing.T) {
	const total, accepts = 4 * gib, 64 * mib
	for _, c := range []struct {
		policy  Policy
		says    bool
		offered bool
		left    bool // memory is unaccepted after ExitBootServices
		tries   int
	}{
		{Negotiate, true, true, true, 1},
		{Negotiate, false, true, false, 2},
		{Lazy, false, false, true, 1},
		{Eager, false, false, false, 1},
	} {
		t.Run(c.policy.String(), func(t *testing.T) {
			m := newMachine(t, func(cfg *Config) {
				cfg.TotalMemory, cfg.FirmwareAccepts, cfg.Unaccepted, cfg.Policy, cfg.Misalign = total, accepts, true, c.policy, true
			})
			at := m.room(1)
			m.callSite = m.images[0].entry + 5
			s := m.boots(uefi.BSLocateProtocol, m.guid(uefi.MemoryAcceptanceProtocolGUID), 0, at)
			if (s == uefi.Success) != c.offered {
				t.Fatalf("LocateProtocol: %v", s)
			}
			if c.says {
				m.must(m.word(m.word(at)), m.word(at))
			}
			left := sum(m.Leaves())
			if got := m.memory.total(uefi.UnacceptedMemory); got != left {
				t.Errorf("%#x unaccepted, left %#x", got, left)
			}
			tries := 0
			for s := uefi.InvalidParameter; s == uefi.InvalidParameter && tries < 3; tries++ {
				_, key := m.memoryMap()
				s = m.boots(uefi.BSExitBootServices, m.images[0].handle, key)
			}
			if tries != c.tries || !m.Exited() {
				t.Errorf("%d tries", tries)
			}
			got := m.memory.total(uefi.UnacceptedMemory)
			if c.left != (got != 0) || c.left && got != left {
				t.Errorf("%#x unaccepted in the end", got)
			}
			if uint64(len(m.accepted))*pageSize+got != total {
				t.Errorf("%#x accepted, %#x unaccepted", len(m.accepted)*pageSize, got)
			}
			n := m.Negotiation()
			want := Negotiation{Offered: c.offered, LookedUpBy: []string{"test.efi"}, ExitAttempts: c.tries}
			if c.says {
				want.AllowedBy = []string{"test.efi"}
			}
			if c.tries == 2 {
				want.AcceptedLate = left
			}
			if n.Offered != want.Offered || n.ExitAttempts != want.ExitAttempts || n.AcceptedLate != want.AcceptedLate ||
				!slices.Equal(n.LookedUpBy, want.LookedUpBy) || !slices.Equal(n.AllowedBy, want.AllowedBy) {
				t.Errorf("%+v, want %+v", n, want)
			}
		})
	}
}

// Without a platform there is nothing to negotiate about, and no type 15.
func TestNothingToNegotiate(t *testing.T) {
	m := newMachine(t, nil)
	m.wants(uefi.NotFound, uefi.BSLocateProtocol, m.guid(uefi.MemoryAcceptanceProtocolGUID), 0, m.room(1))
	if m.memory.total(uefi.UnacceptedMemory) != 0 {
		t.Error("unaccepted memory")
	}
	m.exitBootServices0()
	if m.Negotiation().ExitAttempts != 1 {
		t.Error("ExitBootServices has failed once")
	}
}

// A pointer into memory that has not been accepted ends the run with what the platform says; a pointer into nothing is
// the caller's mistake.
func TestPointersIntoUnacceptedMemory(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.TotalMemory, c.Unaccepted = 4*gib, true })
	pending := m.Leaves()[1].Start + 0x1000
	if _, err := m.callAt(m.bootPointer(uefi.BSGetMemoryMap), pending, 0, 0, 0, 0); !errors.Is(err, errPending) {
		t.Errorf("reading: %v", err)
	}
	if _, err := m.callAt(m.bootPointer(uefi.BSSetMem), pending-0x1000, 0x2000, 1); !errors.Is(err, errPending) {
		t.Errorf("writing: %v", err)
	}
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, 1<<46, 0, 0, 0, 0)
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, 1<<63, 0, 0, 0, 0)
	m.wants(uefi.InvalidParameter, uefi.BSGetMemoryMap, 0, 0, 0, 0, 0)
}

func TestRuntimeServicesMove(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.RTCStart = 1_700_000_000 })
	if s := m.runs(uefi.RTSetVirtualAddressMap, 0, descriptorSize, 1, 0x1000); s != uefi.Unsupported {
		t.Errorf("before ExitBootServices: %v", s)
	}
	m.exitBootServices0()
	const at = 0x30_0000
	for _, bad := range [][]uint64{
		{0, descriptorSize, 1, at}, // no place for anything
		{descriptorSize, 39, 1, at},
		{descriptorSize, descriptorSize, 2, at},
		{1 << 40, descriptorSize, 1, at},
		{descriptorSize, 0, 1, at},
		{descriptorSize, descriptorSize, 1, 1 << 46},
	} {
		if s := m.runs(uefi.RTSetVirtualAddressMap, bad...); !s.IsError() {
			t.Errorf("%#x: %v", bad, s)
		}
	}
	// Descriptors that are not for runtime do not count, and two may not speak of one page.
	try := func(change func(list []uefi.MemoryDescriptor) []uefi.MemoryDescriptor) uefi.Status {
		var list []uefi.MemoryDescriptor
		for _, g := range m.memory.regions {
			if isRuntime(g.kind) {
				list = append(list, uefi.MemoryDescriptor{
					PhysicalStart: g.start, VirtualStart: g.start, NumberOfPages: (g.end - g.start) / pageSize, Attribute: uefi.MemoryRuntime,
				})
			}
		}
		var b []byte
		for _, d := range change(list) {
			b = append(b, make([]byte, descriptorSize)...)
			d.Put(b[len(b)-descriptorSize:])
		}
		m.poke(at, b)
		return m.runs(uefi.RTSetVirtualAddressMap, uint64(len(b)), descriptorSize, 1, at)
	}
	if s := try(func(list []uefi.MemoryDescriptor) []uefi.MemoryDescriptor {
		list[0].Attribute = uefi.MemoryWB
		return list
	}); s != uefi.NoMapping {
		t.Errorf("not for runtime: %v", s)
	}
	if s := try(func(list []uefi.MemoryDescriptor) []uefi.MemoryDescriptor { return append(list, list[0]) }); s != uefi.InvalidParameter {
		t.Errorf("a page twice: %v", s)
	}
	if s := try(func(list []uefi.MemoryDescriptor) []uefi.MemoryDescriptor { list[0].VirtualStart++; return list }); s != uefi.InvalidParameter {
		t.Errorf("off a page boundary: %v", s)
	}
	physical := m.runtimePointer(uefi.RTGetTime)
	m.switchToVirtual()
	moved := m.runtimePointer(uefi.RTGetTime)
	if moved < virtualBase || m.word(m.systemTable+uefi.SystemTableRuntimeServices) < virtualBase ||
		m.word(m.systemTable+uefi.SystemTableFirmwareVendor) < virtualBase {
		t.Errorf("GetTime is at %#x", moved)
	}
	vendorAt := m.word(m.systemTable + uefi.SystemTableFirmwareVendor)
	if got := m.bytes(vendorAt, 12); string(got) != string(wide("tacit")) {
		t.Errorf("vendor %q", got)
	}
	for _, p := range []uint64{physical, moved} {
		if s := m.must(p, at, 0); s != uefi.Success || m.bytes(at, 1)[0] != 2023&0xFF {
			t.Errorf("GetTime at %#x: %v", p, s)
		}
	}
	if s := m.runs(uefi.RTSetVirtualAddressMap, descriptorSize, descriptorSize, 1, at); s != uefi.Unsupported {
		t.Errorf("a second time: %v", s)
	}
	if s := m.runs(uefi.RTConvertPointer, 0, at); s != uefi.Unsupported {
		t.Errorf("ConvertPointer outside of notifications: %v", s)
	}
}

func TestResetEndsTheRun(t *testing.T) {
	m := newMachine(t, nil)
	m.exitBootServices0()
	m.switchToVirtual()
	_, err := m.callAt(m.runtimePointer(uefi.RTResetSystem), uefi.ResetShutdown, 0, 0, 0)
	var reset *Reset
	if !errors.As(err, &reset) || reset.Type != uefi.ResetShutdown || reset.Error() != "ResetSystem: power-off" {
		t.Errorf("%v", err)
	}
	const at = 0x30_0000
	text := wide("out of order")
	m.poke(at, text)
	_, err = m.callAt(m.runtimePointer(uefi.RTResetSystem), uefi.ResetCold, uint64(uefi.DeviceError), uint64(len(text)), at)
	if !errors.As(err, &reset) || reset.Error() != `ResetSystem: cold reset, EFI_DEVICE_ERROR, "out of order"` {
		t.Errorf("%v", err)
	}
}
