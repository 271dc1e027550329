package firmware

import (
	"bytes"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

var (
	protocolA = uefi.MustParseGUID("00000000-0000-0000-0000-00000000000a")
	protocolB = uefi.MustParseGUID("00000000-0000-0000-0000-00000000000b")
	protocolC = uefi.MustParseGUID("00000000-0000-0000-0000-00000000000c")
)

func TestProtocolDatabase(t *testing.T) {
	m := newMachine(t, nil)
	a, b, c := m.guid(protocolA), m.guid(protocolB), m.guid(protocolC)
	at, h := m.room(2), m.room(2)
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, a, 0, 0x1111)
	one := m.word(h)
	m.wants(uefi.InvalidParameter, uefi.BSInstallProtocolInterface, h, a, 0, 0x2222) // once a handle
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, b, 0, 0)               // a null interface is allowed
	m.wants(uefi.InvalidParameter, uefi.BSInstallProtocolInterface, h, c, 1, 0)      // not native
	m.putWord(h+8, 0)
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h+8, a, 0, 0x3333)
	two := m.word(h + 8)

	m.wants(uefi.Success, uefi.BSHandleProtocol, one, a, at)
	if m.word(at) != 0x1111 {
		t.Errorf("interface %#x", m.word(at))
	}
	m.wants(uefi.Unsupported, uefi.BSHandleProtocol, one, c, at)
	m.wants(uefi.InvalidParameter, uefi.BSHandleProtocol, one+100, a, at)
	m.wants(uefi.InvalidParameter, uefi.BSHandleProtocol, one, a, 0)
	m.wants(uefi.Success, uefi.BSOpenProtocol, two, a, at, m.images[0].handle, 0, uefi.OpenProtocolGetProtocol)
	if m.word(at) != 0x3333 {
		t.Errorf("interface %#x", m.word(at))
	}
	m.wants(uefi.Success, uefi.BSOpenProtocol, two, a, 0, 0, 0, uefi.OpenProtocolTestProtocol)
	m.wants(uefi.Unsupported, uefi.BSOpenProtocol, two, b, 0, 0, 0, uefi.OpenProtocolTestProtocol)
	m.wants(uefi.InvalidParameter, uefi.BSOpenProtocol, two, a, at, 0, 0, 0)

	m.wants(uefi.Success, uefi.BSLocateProtocol, a, 0, at)
	if m.word(at) != 0x1111 {
		t.Errorf("the first is %#x", m.word(at))
	}
	m.wants(uefi.NotFound, uefi.BSLocateProtocol, c, 0, at)
	if m.word(at) != 0 {
		t.Error("a protocol that is not found is not null")
	}

	size, buffer := m.room(1), m.room(8)
	m.putWord(size, 15)
	m.wants(uefi.BufferTooSmall, uefi.BSLocateHandle, uefi.ByProtocol, a, 0, size, buffer)
	m.wants(uefi.Success, uefi.BSLocateHandle, uefi.ByProtocol, a, 0, size, buffer)
	if m.word(size) != 16 || m.word(buffer) != one || m.word(buffer+8) != two {
		t.Errorf("%d bytes: %#x %#x", m.word(size), m.word(buffer), m.word(buffer+8))
	}
	m.putWord(size, 0)
	m.wants(uefi.NotFound, uefi.BSLocateHandle, uefi.ByProtocol, c, 0, size, 0)
	m.wants(uefi.InvalidParameter, uefi.BSLocateHandle, uefi.ByRegisterNotify, 0, 0, size, 0)
	m.wants(uefi.InvalidParameter, uefi.BSLocateHandle, 3, a, 0, size, 0)
	m.wants(uefi.Success, uefi.BSLocateHandleBuffer, uefi.ByProtocol, a, 0, at, at+8)
	if m.word(at) != 2 || m.word(m.word(at+8)+8) != two {
		t.Errorf("%d handles", m.word(at))
	}
	m.wants(uefi.Success, uefi.BSFreePool, m.word(at+8))
	m.wants(uefi.NotFound, uefi.BSLocateHandleBuffer, uefi.ByProtocol, c, 0, at, at+8)
	m.wants(uefi.Success, uefi.BSLocateHandleBuffer, uefi.AllHandles, 0, 0, at, at+8)
	if m.word(at) != uint64(len(m.handles.handles)) {
		t.Errorf("%d handles of %d", m.word(at), len(m.handles.handles))
	}
	m.wants(uefi.Success, uefi.BSProtocolsPerHandle, one, at, at+8)
	if n := m.word(at + 8); n != 2 || uefi.GUID(m.bytes(m.word(m.word(at)), 16)) != protocolA {
		t.Errorf("%d protocols", n)
	}

	m.wants(uefi.NotFound, uefi.BSReinstallProtocolInterface, one, a, 0x9999, 0x4444)
	m.wants(uefi.Success, uefi.BSReinstallProtocolInterface, one, a, 0x1111, 0x4444)
	m.wants(uefi.NotFound, uefi.BSUninstallProtocolInterface, one, a, 0x1111)
	m.wants(uefi.Success, uefi.BSUninstallProtocolInterface, one, a, 0x4444)
	m.wants(uefi.Success, uefi.BSUninstallProtocolInterface, one, b, 0)
	m.wants(uefi.InvalidParameter, uefi.BSHandleProtocol, one, b, at) // gone with its last protocol
	m.wants(uefi.InvalidParameter, uefi.BSUninstallProtocolInterface, one, b, 0)
}

// The variable argument lists do all or nothing, whatever is wrong and wherever it stands.
func TestInstallMultiple(t *testing.T) {
	m := newMachine(t, nil)
	a, b, c := m.guid(protocolA), m.guid(protocolB), m.guid(protocolC)
	h := m.room(1)
	state := func() handleDatabase {
		d := m.handles
		d.handles = slices.Clone(d.handles)
		for i := range d.handles {
			d.handles[i].interfaces = slices.Clone(d.handles[i].interfaces)
		}
		return d
	}
	same := func(x, y handleDatabase) bool {
		return x.pieces == y.pieces && slices.EqualFunc(x.handles, y.handles, func(h, g handle) bool {
			return h.id == g.id && slices.EqualFunc(h.interfaces, g.interfaces, func(a, b installed) bool { return a.protocolInterface == b.protocolInterface })
		})
	}
	before := state()
	m.wants(uefi.InvalidParameter, uefi.BSInstallMultipleProtocolInterfaces, h, a, 1, b, 2, a, 3, 0)
	m.wants(uefi.InvalidParameter, uefi.BSInstallMultipleProtocolInterfaces, h, a, 1, b, 2, 1<<46, 3, 0)
	endless := []uint64{h}
	for range 100 {
		endless = append(endless, a, 1)
	}
	m.wants(uefi.InvalidParameter, uefi.BSInstallMultipleProtocolInterfaces, endless...)
	if !same(before, state()) {
		t.Error("failed, and installed something")
	}
	m.wants(uefi.Success, uefi.BSInstallMultipleProtocolInterfaces, h, a, 1, b, 2, c, 3, 0)
	id := m.word(h)
	before = state()
	m.wants(uefi.InvalidParameter, uefi.BSInstallMultipleProtocolInterfaces, h, m.guid(uefi.TCG2ProtocolGUID), 1, b, 2, 0)
	m.wants(uefi.InvalidParameter, uefi.BSUninstallMultipleProtocolInterfaces, id, a, 1, b, 99, 0)
	m.wants(uefi.InvalidParameter, uefi.BSUninstallMultipleProtocolInterfaces, id, a, 1, b, 2, a, 1, 0)
	m.wants(uefi.InvalidParameter, uefi.BSUninstallMultipleProtocolInterfaces, id+1, a, 1, 0)
	if !same(before, state()) {
		t.Error("failed, and changed something")
	}
	m.wants(uefi.Success, uefi.BSUninstallMultipleProtocolInterfaces, id, a, 1, b, 2, c, 3, 0)
	if _, ok := m.handles.find(id); ok {
		t.Error("a handle without protocols")
	}
	path := endPath(pathNode(pathHardware, pathVendor, protocolA[:]))
	dp := m.guid(uefi.DevicePathProtocolGUID)
	m.putWord(h, 0)
	m.wants(uefi.Success, uefi.BSInstallMultipleProtocolInterfaces, h, dp, m.alloc(path), 0)
	m.putWord(h, 0)
	m.wants(uefi.AlreadyStarted, uefi.BSInstallMultipleProtocolInterfaces, h, dp, m.alloc(path), a, 1, 0)
}

// What a guest can make the host hold is bounded.
func TestHandlesAndEventsAreBounded(t *testing.T) {
	m := newMachine(t, nil)
	a, h := m.guid(protocolA), m.room(1)
	s, n := uefi.Success, 0
	for ; s == uefi.Success && n < 100_000; n++ {
		m.putWord(h, 0)
		s = m.boots(uefi.BSInstallProtocolInterface, h, a, 0, 1)
	}
	if s != uefi.OutOfResources {
		t.Errorf("%d handles, then %v", n, s)
	}
	for s, n = uefi.Success, 0; s == uefi.Success && n < 100_000; n++ {
		s = m.boots(uefi.BSCreateEvent, 0, 0, 0, 0, h)
	}
	if s != uefi.OutOfResources {
		t.Errorf("%d events, then %v", n, s)
	}
}

// The initrd, found and read the way Linux's stub does (efi_load_initrd_dev_path).
func TestInitrdAsLinuxLoadsIt(t *testing.T) {
	initrd := bytes.Repeat([]byte("0123456789abcde\n"), 5000)
	m := newMachine(t, func(c *Config) { c.Initrd = initrd })
	path := m.alloc(endPath(pathNode(pathMedia, pathVendorMedia, uefi.LinuxInitrdMediaGUID[:])))
	pathAt, handle, at, size := m.room(1), m.room(1), m.room(1), m.room(1)
	m.putWord(pathAt, path)
	m.wants(uefi.Success, uefi.BSLocateDevicePath, m.guid(uefi.LoadFile2ProtocolGUID), pathAt, handle)
	rest := m.word(pathAt)
	if rest != path+20 {
		t.Errorf("the rest of the path is at %#x, the path at %#x", rest, path)
	}
	m.wants(uefi.Success, uefi.BSHandleProtocol, m.word(handle), m.guid(uefi.LoadFile2ProtocolGUID), at)
	loader := m.word(at)
	load := func(rest, policy, size, buffer uint64) uefi.Status {
		return m.must(m.word(loader+uefi.LoadFile2LoadFile), loader, rest, policy, size, buffer)
	}
	if s := load(rest, 0, size, 0); s != uefi.BufferTooSmall || m.word(size) != uint64(len(initrd)) {
		t.Errorf("asking for the size: %v, %d", s, m.word(size))
	}
	buffer := m.alloc(make([]byte, len(initrd)))
	if s := load(rest, 1, size, buffer); s != uefi.Unsupported {
		t.Errorf("boot policy: %v", s)
	}
	if s := load(path, 0, size, buffer); s != uefi.NotFound {
		t.Errorf("a path that leads on: %v", s)
	}
	m.putWord(size, uint64(len(initrd)-1))
	if s := load(rest, 0, size, buffer); s != uefi.BufferTooSmall {
		t.Errorf("a byte too small: %v", s)
	}
	if s := load(rest, 0, size, buffer); s != uefi.Success || !bytes.Equal(m.bytes(buffer, len(initrd)), initrd) {
		t.Errorf("%v", s)
	}

	without := newMachine(t, nil)
	path = without.alloc(endPath(pathNode(pathMedia, pathVendorMedia, uefi.LinuxInitrdMediaGUID[:])))
	pathAt = without.room(1)
	without.putWord(pathAt, path)
	without.wants(uefi.NotFound, uefi.BSLocateDevicePath, without.guid(uefi.LoadFile2ProtocolGUID), pathAt, without.room(1))
}

// The longest path that leads to a device counts, in whatever order the devices are, and the caller gets the rest.
func TestLongestDevicePathWins(t *testing.T) {
	m := newMachine(t, nil)
	node := func(n byte) []byte { return pathNode(pathHardware, pathVendor, bytes.Repeat([]byte{n}, 16)) }
	g, dp := m.guid(protocolA), m.guid(uefi.DevicePathProtocolGUID)
	paths := [][]byte{endPath(node(1), node(2)), endPath(node(1), node(2), node(3)), endPath(node(1)), endPath(node(2))}
	var handles []uint64
	for _, p := range paths {
		h := m.room(1)
		m.wants(uefi.Success, uefi.BSInstallMultipleProtocolInterfaces, h, dp, m.alloc(p), g, 1, 0)
		handles = append(handles, m.word(h))
	}
	pathAt, handle := m.room(1), m.room(1)
	for _, c := range []struct {
		path   []byte
		handle uint64
		used   uint64
	}{
		{endPath(node(1), node(2), node(3), node(4)), handles[1], 60},
		{endPath(node(1), node(2), node(4)), handles[0], 40},
		{endPath(node(1)), handles[2], 20},
		{endPath(node(2), node(1)), handles[3], 20},
	} {
		at := m.alloc(c.path)
		m.putWord(pathAt, at)
		m.wants(uefi.Success, uefi.BSLocateDevicePath, g, pathAt, handle)
		if m.word(handle) != c.handle || m.word(pathAt)-at != c.used {
			t.Errorf("handle %#x, %d bytes used; want %#x, %d", m.word(handle), m.word(pathAt)-at, c.handle, c.used)
		}
	}
	m.putWord(pathAt, m.alloc(endPath(node(9))))
	m.wants(uefi.NotFound, uefi.BSLocateDevicePath, g, pathAt, handle)
}

// Paths that go round in circles, never end or claim impossible lengths.
func TestHostileDevicePaths(t *testing.T) {
	m := newMachine(t, func(c *Config) { c.Initrd = []byte("x") })
	pathAt, handle := m.room(1), m.room(1)
	g := m.guid(uefi.LoadFile2ProtocolGUID)
	for name, path := range map[string][]byte{
		"length 0":  {4, 3, 0, 0},
		"length 3":  {4, 3, 3, 0},
		"long":      {4, 3, 0xFF, 0xFF},
		"endless":   bytes.Repeat([]byte{4, 3, 4, 0}, 3000),
		"off a map": nil,
	} {
		at := uint64(1 << 46)
		if path != nil {
			at = m.alloc(path)
		}
		m.putWord(pathAt, at)
		if s := m.boots(uefi.BSLocateDevicePath, g, pathAt, handle); s != uefi.InvalidParameter {
			t.Errorf("%s: %v", name, s)
		}
	}
	// One that a guest installed does not spoil the look-up for others.
	m.putWord(handle, 0)
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, handle, m.guid(uefi.DevicePathProtocolGUID), 0, 1<<46)
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, handle, g, 0, 1)
	m.putWord(pathAt, m.alloc(endPath(pathNode(pathMedia, pathVendorMedia, uefi.LinuxInitrdMediaGUID[:]))))
	m.wants(uefi.Success, uefi.BSLocateDevicePath, g, pathAt, handle)
}
