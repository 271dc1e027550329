package firmware

import (
	"errors"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// on puts a notification function at a made-up address.
func (m *machine) on(address uint64, do func(event, context uint64)) uint64 {
	m.functions[address] = func(rcx, rdx uint64) uint64 { do(rcx, rdx); return 0 }
	return address
}

const codeAddress = 0x7FFF_0000_0000 // where guest functions pretend to be

func (m *machine) newEvent0(kind uint32, tpl, function, context uint64) uint64 {
	m.Helper()
	at := m.room(1)
	m.wants(uefi.Success, uefi.BSCreateEvent, uint64(kind), tpl, function, context, at)
	return m.word(at)
}

// Signals run notification functions when the task priority level allows, the highest first, and in the order of
// signals within one.
func TestNotificationsFollowTPL(t *testing.T) {
	m := newMachine(t, nil)
	var ran []uint64
	notify := m.on(codeAddress, func(_, context uint64) {
		if m.tpl != context/10 {
			t.Errorf("notification %d runs at level %d", context, m.tpl)
		}
		ran = append(ran, context)
	})
	var events []uint64
	for _, context := range []uint64{81, 82, 161, 83, 162} {
		events = append(events, m.newEvent0(uefi.EventNotifySignal, context/10, notify, context))
	}
	if old := m.boots(uefi.BSRaiseTPL, uefi.TPLHighLevel); old != uefi.TPLApplication || m.flags&flagIF != 0 {
		t.Errorf("RaiseTPL gives %d", old)
	}
	for _, e := range events {
		m.wants(uefi.Success, uefi.BSSignalEvent, e)
		m.wants(uefi.Success, uefi.BSSignalEvent, e)
	}
	if len(ran) != 0 {
		t.Errorf("%v ran at the highest level", ran)
	}
	m.boots(uefi.BSRestoreTPL, uefi.TPLCallback)
	if want := []uint64{161, 162}; !slices.Equal(ran, want) {
		t.Errorf("%v, want %v", ran, want)
	}
	m.boots(uefi.BSRestoreTPL, uefi.TPLApplication)
	if want := []uint64{161, 162, 81, 82, 83}; !slices.Equal(ran, want) {
		t.Errorf("%v, want %v", ran, want)
	}
	if m.flags&flagIF == 0 || len(m.frames) != 1 {
		t.Errorf("IF %v, %d frames", m.flags&flagIF != 0, len(m.frames))
	}
	m.wants(uefi.Success, uefi.BSCloseEvent, events[0])
	m.wants(uefi.InvalidParameter, uefi.BSSignalEvent, events[0])
	ran = nil
	m.wants(uefi.Success, uefi.BSSignalEvent, events[1])
	if want := []uint64{82}; !slices.Equal(ran, want) {
		t.Errorf("signalled again: %v", ran)
	}
}

// A notification function may call services, also such that notify others; registers that a function preserves come
// back.
func TestNotificationsNest(t *testing.T) {
	m := newMachine(t, nil)
	var ran []string
	inner := m.newEvent0(uefi.EventNotifySignal, uefi.TPLNotify, m.on(codeAddress, func(uint64, uint64) {
		ran = append(ran, "inner")
		m.gpr[3], m.xmm[6] = 0xBAD, [2]uint64{1, 2} // RBX
	}), 0)
	outer := m.newEvent0(uefi.EventNotifySignal, uefi.TPLCallback, m.on(codeAddress+16, func(uint64, uint64) {
		ran = append(ran, "outer")
		m.wants(uefi.Success, uefi.BSSignalEvent, inner)
		ran = append(ran, "outer again")
	}), 0)
	m.gpr[3], m.xmm[6] = 0x600D, [2]uint64{3, 4}
	m.wants(uefi.Success, uefi.BSSignalEvent, outer)
	if want := []string{"outer", "inner", "outer again"}; !slices.Equal(ran, want) {
		t.Errorf("%v, want %v", ran, want)
	}
	if m.gpr[3] != 0x600D || m.xmm[6] != [2]uint64{3, 4} {
		t.Errorf("RBX is %#x", m.gpr[3])
	}
}

func TestEventGroups(t *testing.T) {
	m := newMachine(t, nil)
	var ran []string
	at := m.room(1)
	group := m.guid(uefi.EventGroupReadyToBootGUID)
	for i, name := range []string{"one", "two"} {
		fn := m.on(codeAddress+uint64(i)*16, func(uint64, uint64) { ran = append(ran, name) })
		m.wants(uefi.Success, uefi.BSCreateEventEx, uefi.EventNotifySignal, uefi.TPLCallback, fn, 0, group, at)
	}
	m.wants(uefi.Success, uefi.BSSignalEvent, m.word(at))
	if want := []string{"one", "two"}; !slices.Equal(ran, want) {
		t.Errorf("%v, want %v", ran, want)
	}
	for _, bad := range [][]uint64{
		{uefi.EventNotifySignal, uefi.TPLApplication, codeAddress, 0, 0, at},
		{uefi.EventNotifySignal, uefi.TPLHighLevel, codeAddress, 0, 0, at},
		{uefi.EventNotifySignal, uefi.TPLCallback, 0, 0, 0, at},
		{uefi.EventNotifySignal | uefi.EventNotifyWait, uefi.TPLCallback, codeAddress, 0, 0, at},
		{1, uefi.TPLCallback, codeAddress, 0, 0, at},
		{uefi.EventSignalExitBootServices, uefi.TPLCallback, codeAddress, 0, group, at},
	} {
		m.wants(uefi.InvalidParameter, uefi.BSCreateEventEx, bad...)
	}
}

// The groups of ExitBootServices and SetVirtualAddressMap run in the guest, each once and in order; what they allocate
// makes the key wrong.
func TestExitNotifies(t *testing.T) {
	m := newMachine(t, nil)
	var ran []string
	at := m.room(1)
	before := m.on(codeAddress, func(uint64, uint64) {
		ran = append(ran, "before")
		m.putWord(at, 0)
		m.wants(uefi.Success, uefi.BSAllocatePages, uefi.AllocateAnyPages, uint64(uefi.LoaderData), 1, at)
	})
	m.wants(uefi.Success, uefi.BSCreateEventEx, uefi.EventNotifySignal, uefi.TPLCallback, before, 0,
		m.guid(uefi.EventGroupBeforeExitBootServicesGUID), m.room(1))
	m.newEvent0(uefi.EventSignalExitBootServices, uefi.TPLNotify, m.on(codeAddress+16, func(uint64, uint64) { ran = append(ran, "exit") }), 0)
	const pointerAt = 0x20_0000
	m.newEvent0(uefi.EventSignalVirtualAddressChange, uefi.TPLNotify, m.on(codeAddress+32, func(uint64, uint64) {
		ran = append(ran, "virtual")
		m.putWord(pointerAt, m.systemTable+8)
		if s := m.runs(uefi.RTConvertPointer, 0, pointerAt); s != uefi.Success {
			t.Errorf("ConvertPointer: %v", s)
		}
	}), 0)
	timer := m.newEvent0(uefi.EventTimer|uefi.EventNotifySignal, uefi.TPLNotify,
		m.on(codeAddress+48, func(uint64, uint64) { ran = append(ran, "timer") }), 0)
	m.wants(uefi.Success, uefi.BSSetTimer, timer, uefi.TimerPeriodic, 1_000_000)

	_, key := m.memoryMap()
	m.wants(uefi.InvalidParameter, uefi.BSExitBootServices, m.images[0].handle, key)
	m.exitBootServices0()
	m.now += 1e9
	m.switchToVirtual()
	if want := []string{"before", "exit", "virtual"}; !slices.Equal(ran, want) {
		t.Errorf("%v, want %v", ran, want)
	}
	if got := m.word(pointerAt); got < virtualBase || m.word(got-8) != uefi.SystemTableSignature {
		t.Errorf("converted to %#x", got)
	}
	if m.flags&flagIF != 0 {
		t.Error("interrupts are on")
	}
}

// What is due and could not run before boot services ended does not run afterwards.
func TestNothingIsNotifiedAfterExit(t *testing.T) {
	m := newMachine(t, nil)
	late := func(uint64, uint64) { t.Error("notified after ExitBootServices") }
	e := m.newEvent0(uefi.EventNotifySignal|uefi.EventRuntime, uefi.TPLCallback, m.on(codeAddress, late), 0)
	timer := m.newEvent0(uefi.EventTimer|uefi.EventNotifySignal|uefi.EventRuntime, uefi.TPLNotify, m.on(codeAddress+16, late), 0)
	// Only events of type EVT_RUNTIME outlive boot services.
	m.wants(uefi.Success, uefi.BSCreateEventEx, uefi.EventNotifySignal, uefi.TPLNotify, m.on(codeAddress+32, late), 0,
		m.guid(uefi.EventGroupVirtualAddressChangeGUID), m.room(1))
	m.wants(uefi.Success, uefi.BSSetTimer, timer, uefi.TimerPeriodic, 1_000_000)
	m.boots(uefi.BSRaiseTPL, uefi.TPLCallback)
	m.wants(uefi.Success, uefi.BSSignalEvent, e)
	m.exitBootServices0()
	m.now += 1e9
	m.switchToVirtual()
}

func TestTimers(t *testing.T) {
	m := newMachine(t, nil)
	count := 0
	e := m.newEvent0(uefi.EventTimer|uefi.EventNotifySignal, uefi.TPLCallback, m.on(codeAddress, func(uint64, uint64) { count++ }), 0)
	m.wants(uefi.Success, uefi.BSSetTimer, e, uefi.TimerPeriodic, 10_000) // 1 ms
	m.wants(uefi.Success, uefi.BSStall, 999)
	if count != 0 {
		t.Error("early")
	}
	m.wants(uefi.Success, uefi.BSStall, 2)
	m.wants(uefi.Success, uefi.BSStall, 500)
	if count != 1 {
		t.Errorf("%d times", count)
	}
	m.wants(uefi.Success, uefi.BSStall, 10_000) // late by many periods: once
	m.wants(uefi.Success, uefi.BSSetTimer, e, uefi.TimerCancel, 0)
	m.wants(uefi.Success, uefi.BSStall, 10_000)
	if count != 2 {
		t.Errorf("%d times", count)
	}
	plain := m.newEvent0(0, 0, 0, 0)
	m.wants(uefi.InvalidParameter, uefi.BSSetTimer, plain, uefi.TimerRelative, 1)
	m.wants(uefi.InvalidParameter, uefi.BSSetTimer, e, 3, 1)
	m.wants(uefi.Success, uefi.BSSetTimer, e, uefi.TimerRelative, ^uint64(0))
	m.wants(uefi.InvalidParameter, uefi.BSSetTimer, 12345, uefi.TimerRelative, 1)
}

// Waiting moves time to the next timer. With none, it would be for ever, and that is the end.
func TestWaitForEvent(t *testing.T) {
	m := newMachine(t, nil)
	timer, never := m.newEvent0(uefi.EventTimer, 0, 0, 0), m.newEvent0(0, 0, 0, 0)
	list, index := m.room(2), m.room(1)
	m.putWord(list, never)
	m.putWord(list+8, timer)
	start := m.now
	m.wants(uefi.Success, uefi.BSSetTimer, timer, uefi.TimerRelative, 50_000_000) // 5 s, as a boot menu
	m.wants(uefi.Success, uefi.BSWaitForEvent, 2, list, index)
	if m.word(index) != 1 || m.now-start != 5e9 {
		t.Errorf("event %d after %d ns", m.word(index), m.now-start)
	}
	m.wants(uefi.NotReady, uefi.BSCheckEvent, timer)
	m.wants(uefi.Success, uefi.BSSignalEvent, never)
	m.wants(uefi.Success, uefi.BSWaitForEvent, 2, list, index)
	if m.word(index) != 0 {
		t.Errorf("event %d", m.word(index))
	}
	notified := m.newEvent0(uefi.EventNotifySignal, uefi.TPLCallback, codeAddress, 0)
	m.putWord(list+8, notified)
	m.wants(uefi.InvalidParameter, uefi.BSWaitForEvent, 2, list, index)
	m.wants(uefi.InvalidParameter, uefi.BSCheckEvent, notified)
	m.wants(uefi.InvalidParameter, uefi.BSWaitForEvent, 0, list, index)
	m.boots(uefi.BSRaiseTPL, uefi.TPLCallback)
	m.wants(uefi.Unsupported, uefi.BSWaitForEvent, 1, list, index)
	m.boots(uefi.BSRestoreTPL, uefi.TPLApplication)
	if _, err := m.callAt(m.bootPointer(uefi.BSWaitForEvent), 1, list, index); !errors.Is(err, ErrWaitsForever) {
		t.Errorf("%v", err)
	}
}

// The notification function of an event that is waited for is asked each time somebody looks.
func TestNotifyWait(t *testing.T) {
	m := newMachine(t, nil)
	asked, ready := 0, 3
	var e uint64
	fn := m.on(codeAddress, func(id, _ uint64) {
		if asked++; asked == ready {
			m.wants(uefi.Success, uefi.BSSignalEvent, id)
		}
	})
	e = m.newEvent0(uefi.EventNotifyWait, uefi.TPLCallback, fn, 0)
	m.wants(uefi.NotReady, uefi.BSCheckEvent, e)
	m.wants(uefi.NotReady, uefi.BSCheckEvent, e)
	m.wants(uefi.Success, uefi.BSCheckEvent, e)
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	asked = 0
	list, index := m.room(1), m.room(1)
	m.putWord(list, e)
	timer := m.newEvent0(uefi.EventTimer, 0, 0, 0)
	m.wants(uefi.Success, uefi.BSSetTimer, timer, uefi.TimerPeriodic, 100_000)
	m.wants(uefi.Success, uefi.BSWaitForEvent, 1, list, index)
	if asked != 3 {
		t.Errorf("asked %d times", asked)
	}
	// There is no keyboard: its event never comes.
	key := m.word(m.word(m.systemTable+uefi.SystemTableConIn) + uefi.TextInputWaitForKey)
	m.wants(uefi.NotReady, uefi.BSCheckEvent, key)
}
