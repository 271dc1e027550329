package firmware

import (
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// openings reads what OpenProtocolInformation says.
func (m *machine) openings(handle, guid uint64) (all []opening) {
	m.Helper()
	at := m.room(2)
	m.wants(uefi.Success, uefi.BSOpenProtocolInformation, handle, guid, at, at+8)
	for i := range m.word(at + 8) {
		e := m.word(at) + i*uefi.OpenProtocolInformationSize
		counts := m.word(e + uefi.OpenProtocolInformationAttributes)
		all = append(all, opening{
			agent: m.word(e + uefi.OpenProtocolInformationAgentHandle), controller: m.word(e + uefi.OpenProtocolInformationControllerHandle),
			attributes: uint32(counts), count: uint32(counts >> 32),
		})
	}
	m.wants(uefi.Success, uefi.BSFreePool, m.word(at))
	return all
}

// Who has a protocol open is kept and told, drivers are alone, and what is in use is not taken away (UEFI 2.10, section 7.3).
func TestOpenings(t *testing.T) {
	const (
		byHandle, get, test = uefi.OpenProtocolByHandleProtocol, uefi.OpenProtocolGetProtocol, uefi.OpenProtocolTestProtocol
		byChild, byDriver   = uefi.OpenProtocolByChildController, uefi.OpenProtocolByDriver
		exclusive           = uefi.OpenProtocolExclusive
	)
	m := newMachine(t, nil)
	a, b := m.guid(protocolA), m.guid(protocolB)
	install := func(guid, address uint64) uint64 {
		h := m.room(1)
		m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, guid, 0, address)
		return m.word(h)
	}
	device, child, driver, other := install(a, 0x1111), install(b, 0), install(b, 0), install(b, 0)
	at := m.room(1)
	open := func(want uefi.Status, agent, controller, attributes uint64) {
		m.Helper()
		m.putWord(at, 77)
		m.wants(want, uefi.BSOpenProtocol, device, a, at, agent, controller, attributes)
		expected := uint64(77)
		if want == uefi.Success && attributes != test || want == uefi.AlreadyStarted {
			expected = 0x1111
		}
		if got := m.word(at); got != expected {
			t.Errorf("%v: the interface is %#x, want %#x", want, got, expected)
		}
	}
	is := func(want ...opening) {
		m.Helper()
		got := m.openings(device, a)
		if len(got) != len(want) {
			t.Errorf("open: %+v, want %+v", got, want)
			return
		}
		for i := range want {
			if got[i] != want[i] {
				t.Errorf("open: %+v, want %+v", got, want)
			}
		}
	}
	is()
	open(uefi.Success, 0, 0, byHandle) // by nobody that could be told
	open(uefi.Success, other, 0, test)
	open(uefi.Success, other, 0, get)
	open(uefi.Success, other, 0, get)
	is(opening{other, 0, test, 1}, opening{other, 0, get, 2})
	for _, bad := range [][3]uint64{{0, device, byDriver}, {driver, 0, byDriver}, {0, 0, exclusive}, {driver, device, byChild}, {0, child, byChild}, {driver, device, byDriver | byChild}, {driver, 0, byDriver | exclusive}, {other, 0, 0}} {
		open(uefi.InvalidParameter, bad[0], bad[1], bad[2])
	}
	m.wants(uefi.InvalidParameter, uefi.BSOpenProtocol, device, a, 0, other, 0, get) // nowhere to put it
	open(uefi.Success, driver, device, byDriver)
	open(uefi.AlreadyStarted, driver, device, byDriver)
	open(uefi.AccessDenied, other, device, byDriver)
	open(uefi.AccessDenied, other, device, exclusive)
	open(uefi.Success, driver, child, byChild)
	is(opening{other, 0, test, 1}, opening{other, 0, get, 2}, opening{driver, device, byDriver, 1}, opening{driver, child, byChild, 1})

	m.wants(uefi.AccessDenied, uefi.BSUninstallProtocolInterface, device, a, 0x1111)
	m.wants(uefi.InvalidParameter, uefi.BSUninstallMultipleProtocolInterfaces, device, a, 0x1111, 0)
	m.wants(uefi.AccessDenied, uefi.BSReinstallProtocolInterface, device, a, 0x1111, 0x2222)
	m.wants(uefi.NotFound, uefi.BSCloseProtocol, device, a, driver, other)
	m.wants(uefi.NotFound, uefi.BSCloseProtocol, device, b, driver, device)
	m.wants(uefi.InvalidParameter, uefi.BSCloseProtocol, device, a, 0, 0)
	m.wants(uefi.InvalidParameter, uefi.BSCloseProtocol, device, a, driver, 1)
	m.wants(uefi.Success, uefi.BSCloseProtocol, device, a, driver, device)
	m.wants(uefi.Success, uefi.BSCloseProtocol, device, a, driver, child)
	open(uefi.Success, driver, device, byDriver|exclusive)
	open(uefi.AccessDenied, other, device, byDriver)
	m.wants(uefi.Success, uefi.BSCloseProtocol, device, a, driver, device)
	m.wants(uefi.Success, uefi.BSCloseProtocol, device, a, other, 0)
	is()

	open(uefi.Success, other, 0, get)
	m.wants(uefi.NotFound, uefi.BSOpenProtocolInformation, device, b, at, at)
	m.wants(uefi.Success, uefi.BSUninstallProtocolInterface, device, a, 0x1111) // looking at it does not keep it
	m.wants(uefi.InvalidParameter, uefi.BSOpenProtocolInformation, device, a, at, at)
	if m.Firmware.handles.openings != 0 {
		t.Errorf("%d openings of nothing", m.Firmware.handles.openings)
	}
}

// What an image has open is closed with it.
func TestOpeningsOfAnImage(t *testing.T) {
	m := newMachine(t, nil)
	a, h, at := m.guid(protocolA), m.room(1), m.room(1)
	m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, a, 0, 0x1111)
	file := testImage(nil)
	m.wants(uefi.Success, uefi.BSLoadImage, 0, m.images[0].handle, 0, m.alloc(file), uint64(len(file)), at)
	image := m.word(at)
	m.wants(uefi.Success, uefi.BSOpenProtocol, m.word(h), a, at, image, 0, uefi.OpenProtocolExclusive)
	m.wants(uefi.AccessDenied, uefi.BSUninstallProtocolInterface, m.word(h), a, 0x1111)
	m.wants(uefi.Success, uefi.BSUnloadImage, image)
	if left := m.openings(m.word(h), a); len(left) != 0 {
		t.Errorf("it has %+v open, and is gone", left)
	}
}

// A program hears of interfaces that are installed later, and finds each once, in their order.
func TestRegisterProtocolNotify(t *testing.T) {
	m := newMachine(t, nil)
	a, b := m.guid(protocolA), m.guid(protocolB)
	at, event, key, size := m.room(2), m.room(1), m.room(1), m.room(1)
	install := func(guid, address uint64) uint64 {
		h := m.room(1)
		m.wants(uefi.Success, uefi.BSInstallProtocolInterface, h, guid, 0, address)
		return m.word(h)
	}
	told := 0
	m.functions[codeAddress] = func(uint64, uint64) uint64 { told++; return 0 }
	install(a, 1) // before
	m.wants(uefi.Success, uefi.BSCreateEvent, uefi.EventNotifySignal, uefi.TPLCallback, codeAddress, 0, event)
	m.wants(uefi.InvalidParameter, uefi.BSRegisterProtocolNotify, a, 1, key)
	m.wants(uefi.InvalidParameter, uefi.BSRegisterProtocolNotify, a, m.word(event), 0)
	m.wants(uefi.Success, uefi.BSRegisterProtocolNotify, a, m.word(event), key)
	m.wants(uefi.NotFound, uefi.BSLocateProtocol, a, m.word(key), at)
	install(b, 2)
	if told != 0 {
		t.Error("it is told of another protocol")
	}
	one, two, three := install(a, 3), install(a, 4), install(a, 5)
	if told != 3 {
		t.Errorf("it is told %d times of 3", told)
	}
	m.putWord(size, 7)
	m.wants(uefi.BufferTooSmall, uefi.BSLocateHandle, uefi.ByRegisterNotify, 0, m.word(key), size, at)
	m.wants(uefi.Success, uefi.BSLocateHandle, uefi.ByRegisterNotify, 0, m.word(key), size, at)
	if m.word(at) != one || m.word(size) != 8 {
		t.Errorf("%#x in %d bytes, want %#x", m.word(at), m.word(size), one)
	}
	m.wants(uefi.Success, uefi.BSLocateProtocol, a, m.word(key), at)
	if m.word(at) != 4 {
		t.Errorf("interface %d, want 4", m.word(at))
	}
	m.wants(uefi.Success, uefi.BSReinstallProtocolInterface, two, a, 4, 6) // it is new again
	if told != 4 {
		t.Errorf("it is told %d times of 4", told)
	}
	for _, want := range []uint64{three, two} {
		m.wants(uefi.Success, uefi.BSLocateHandleBuffer, uefi.ByRegisterNotify, 0, m.word(key), at, at+8)
		if m.word(at) != 1 || m.word(m.word(at+8)) != want {
			t.Errorf("%d handles, %#x; want %#x", m.word(at), m.word(m.word(at+8)), want)
		}
	}
	m.wants(uefi.NotFound, uefi.BSLocateHandle, uefi.ByRegisterNotify, 0, m.word(key), size, at)
	m.wants(uefi.InvalidParameter, uefi.BSLocateProtocol, a, m.word(key)+1, at)
	m.wants(uefi.Success, uefi.BSCloseEvent, m.word(event))
	install(a, 7)
	m.wants(uefi.InvalidParameter, uefi.BSLocateProtocol, a, m.word(key), at)
	if told != 4 {
		t.Error("it is told after its event was closed")
	}
}
