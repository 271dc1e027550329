package firmware

import (
	"cmp"
	"math"
	"slices"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/uefi"
)

// An event is an EFI_EVENT (UEFI 2.10, section 7.1).
//
// There are no timer interrupts: whether a timer is due is looked at when a service is called, and waiting moves
// virtual time.
type event struct {
	id      uint64 // what the guest holds
	kind    uint32 // uefi.EventTimer and so on
	tpl     uint64 // of the notification function
	notify  uint64
	context uint64

	argument uint64 // what the function gets in place of the event; 0 where it gets that

	group uefi.GUID // zero where it is in none

	signalled bool
	armed     bool
	due       int64 // virtual time, in nanoseconds
	period    int64 // 0 for a timer that fires once
}

const (
	maxEvents = 1024
	ownEvents = 2                     // firmware's, of keys
	eventBase = 0x7AC1_E000_0000_0000 // not canonical: a guest that takes an event for a pointer faults
	tick100ns = 100                   // ns in the specification's unit
	// A period of 0 means every timer tick, which the specification leaves to firmware.
	shortestPeriod = 1_000_000 // ns
)

func (e *event) has(bits uint32) bool { return e.kind&bits == bits }

func (f *Firmware) event(id uint64) (*event, error) {
	i, ok := slices.BinarySearchFunc(f.events, id, func(e event, id uint64) int {
		switch {
		case e.id < id:
			return -1
		case e.id > id:
			return 1
		}
		return 0
	})
	if !ok {
		return nil, invalidParameter
	}
	return &f.events[i], nil
}

// createEvent(Type, NotifyTpl, NotifyFunction, *NotifyContext, *Event)
func (f *Firmware) createEvent(a args) error {
	e := event{kind: uint32(a[0]), tpl: a[1], notify: a[2], context: a[3]}
	// These two are groups under an older name.
	switch e.kind {
	case uefi.EventSignalExitBootServices:
		e.group, e.kind = uefi.EventGroupExitBootServicesGUID, uefi.EventNotifySignal
	case uefi.EventSignalVirtualAddressChange:
		e.group, e.kind = uefi.EventGroupVirtualAddressChangeGUID, uefi.EventNotifySignal|uefi.EventRuntime
	}
	return f.newEvent(e, a[4])
}

// createEventEx(Type, NotifyTpl, NotifyFunction, *NotifyContext, *EventGroup, *Event)
func (f *Firmware) createEventEx(a args) error {
	e := event{kind: uint32(a[0]), tpl: a[1], notify: a[2], context: a[3]}
	if a[4] == 0 {
		return f.createEvent(args{a[0], a[1], a[2], a[3], a[5]})
	}
	group, err := f.loadGUID(a[4])
	if err != nil {
		return err
	}
	e.group = group
	return f.newEvent(e, a[5])
}

func (f *Firmware) newEvent(e event, at uint64) error {
	switch e.kind &^ (uefi.EventRuntime | uefi.EventTimer) {
	case 0:
		e.notify = 0 // the other arguments are ignored
	case uefi.EventNotifyWait, uefi.EventNotifySignal:
		if e.notify == 0 || e.tpl <= uefi.TPLApplication || e.tpl >= uefi.TPLHighLevel {
			return invalidParameter
		}
	default:
		return invalidParameter
	}
	if _, err := f.load64(at); err != nil {
		return err
	}
	if len(f.events) >= maxEvents {
		return outOfResources
	}
	return f.store64(at, f.addEvent(e))
}

func (f *Firmware) addEvent(e event) (id uint64) {
	f.eventSeq++
	e.id = eventBase + f.eventSeq
	f.events = append(f.events, e)
	return e.id
}

// closeEvent(Event)
func (f *Firmware) closeEvent(a args) error {
	e, err := f.event(a[0])
	if err != nil {
		return err
	}
	id := e.id
	f.events = slices.DeleteFunc(f.events, func(e event) bool { return e.id == id })
	f.queue = slices.DeleteFunc(f.queue, func(q uint64) bool { return q == id })
	f.unregister(id)
	return nil
}

// signalEvent(Event)
func (f *Firmware) signalEvent(a args) error {
	e, err := f.event(a[0])
	if err != nil {
		return err
	}
	if e.signalled {
		return nil
	}
	if e.group == (uefi.GUID{}) {
		f.signal(e)
	} else {
		f.signalGroup(e.group)
	}
	return nil
}

func (f *Firmware) signalGroup(group uefi.GUID) {
	for i := range f.events {
		if f.events[i].group == group {
			f.signal(&f.events[i])
		}
	}
}

func (f *Firmware) signal(e *event) {
	e.signalled = true
	if e.has(uefi.EventNotifySignal) {
		f.enqueue(e)
	}
}

func (f *Firmware) enqueue(e *event) {
	if !slices.Contains(f.queue, e.id) {
		f.queue = append(f.queue, e.id)
	}
}

// nextDue takes the event whose notification function is to run next from the queue: of those above the present task
// priority level the one of the highest level, among these the one that was signalled first.
func (f *Firmware) nextDue() *event {
	var next *event
	for _, id := range f.queue {
		e, err := f.event(id)
		if err == nil && e.tpl > f.tpl && (next == nil || e.tpl > next.tpl) {
			next = e
		}
	}
	if next != nil {
		f.queue = slices.DeleteFunc(f.queue, func(id uint64) bool { return id == next.id })
		if next.has(uefi.EventNotifySignal) {
			next.signalled = false // the notification is all that such a signal is for
		}
	}
	return next
}

// notifies says whether a notification function can run now.
func (f *Firmware) notifies() bool {
	return slices.ContainsFunc(f.queue, func(id uint64) bool {
		e, err := f.event(id)
		return err == nil && e.tpl > f.tpl
	})
}

// checkEvent(Event)
func (f *Firmware) checkEvent(a args) error {
	e, err := f.event(a[0])
	if err != nil {
		return err
	}
	if e.has(uefi.EventNotifySignal) {
		return invalidParameter
	}
	switch {
	case e.signalled:
		e.signalled = false
		return nil
	case f.unfinished.polled || !e.has(uefi.EventNotifyWait):
		return notReady
	}
	// The notification function may signal the event; look again when it has run.
	f.enqueue(e)
	f.unfinished.polled = true
	return errAgain
}

// waitForEvent(NumberOfEvents, *Event, *Index)
func (f *Firmware) waitForEvent(a args) error {
	n, at, indexAt := a[0], a[1], a[2]
	if n == 0 || n > maxEvents {
		return invalidParameter
	}
	if f.tpl != uefi.TPLApplication {
		return unsupported
	}
	polled := f.unfinished.polled
	f.unfinished.polled = false
	wait := false
	for i := range n {
		id, err := f.load64(at + 8*i)
		if err != nil {
			return err
		}
		e, err := f.event(id)
		if err != nil {
			return err
		}
		if e.signalled || e.has(uefi.EventNotifySignal) {
			if err := f.store64(indexAt, i); err != nil {
				return err
			}
			if e.has(uefi.EventNotifySignal) {
				return invalidParameter
			}
			e.signalled = false
			return nil
		}
		if e.has(uefi.EventNotifyWait) && !polled {
			f.enqueue(e)
			wait = true
		}
	}
	if wait {
		f.unfinished.polled = true
		return errAgain
	}
	// Nothing but a timer can change anything now.
	// … or somebody who types.
	due, ok := f.nextTimer()
	now := f.cpu.Now()
	if f.typing() {
		due, ok = f.cfg.Keyboard.Rest(now, min(due, now+keyRest)), true
	}
	if f.working() { // … or another processor
		due, ok = min(due, now+apPoll), true
	}
	if !ok {
		return ErrWaitsForever
	}
	if due > now {
		f.cpu.Idle(uint64(due - now))
	}
	return errAgain
}

// setTimer(Event, Type, TriggerTime)
func (f *Firmware) setTimer(a args) error {
	e, err := f.event(a[0])
	if err != nil {
		return err
	}
	if !e.has(uefi.EventTimer) {
		return invalidParameter
	}
	delay := int64(min(a[2], math.MaxInt64/tick100ns/2) * tick100ns)
	switch uint32(a[1]) {
	case uefi.TimerCancel:
		e.armed = false
		return nil
	case uefi.TimerPeriodic:
		delay = max(delay, shortestPeriod)
		e.period = delay
	case uefi.TimerRelative:
		e.period = 0
	default:
		return invalidParameter
	}
	e.armed, e.due = true, f.cpu.Now()+delay
	return nil
}

// tick signals the timers that have become due, in the order of their times.
func (f *Firmware) tick() {
	f.signalKeys()
	now := f.cpu.Now()
	var due []*event
	for i := range f.events {
		if e := &f.events[i]; e.armed && e.due <= now {
			due = append(due, e)
		}
	}
	slices.SortStableFunc(due, func(a, b *event) int { return cmp.Compare(a.due, b.due) })
	for _, e := range due { // one that is late by several periods makes up for them in one
		f.signal(e)
		e.armed = e.period != 0
		if e.armed {
			e.due += ((now-e.due)/e.period + 1) * e.period
		}
	}
}

func (f *Firmware) nextTimer() (due int64, ok bool) {
	due = x86.Never
	for _, e := range f.events {
		if e.armed && e.due < due {
			due, ok = e.due, true
		}
	}
	return due, ok
}

// raiseTPL(NewTpl)
func (f *Firmware) raiseTPL(a args) error {
	f.ret = f.tpl
	// Lower is forbidden and undefined; higher than the highest means nothing.
	if a[0] > f.tpl {
		f.setTPL(min(a[0], uefi.TPLHighLevel))
	}
	return nil
}

// restoreTPL(OldTpl)
func (f *Firmware) restoreTPL(a args) error {
	if a[0] < f.tpl {
		f.setTPL(max(a[0], uefi.TPLApplication))
	}
	return nil
}

// setTPL changes the task priority level. At the highest one interrupts are off (UEFI 2.10, section 7.1). An operating
// system's are its own business.
func (f *Firmware) setTPL(tpl uint64) {
	f.tpl = tpl
	switch {
	case f.exited:
	case tpl >= uefi.TPLHighLevel:
		f.cpu.SetFlags(f.cpu.Flags() &^ flagIF)
	default:
		f.cpu.SetFlags(f.cpu.Flags() | flagIF)
	}
}
