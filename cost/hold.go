package cost

import (
	"errors"
	"fmt"
	"slices"
)

// A Lock is what the processors of one guest have one at a time while an event is dealt with: the part of it that is not
// done in parallel.
type Lock uint8

// The locks.
const (
	// Unlocked is no lock: as many processors as there are do it at once.
	Unlocked Lock = iota
	// TD is what the TDX module and KVM keep for the guest as a whole and each exit and entry of a processor changes. It is
	// no one lock by name: it stands for what Dstack-TEE/dstack pull request 1220 has measured.
	TD
	// PageTables is KVM's tables of the guest's memory. Faults hold mmu_lock for reading, so they go on side by side, but
	// for what they all write: the count of readers, the page cache's xarray, and on TDX the counts of the module's shared
	// locks (the Secure-EPT tree's in TDH.MEM.PAGE.AUG and TDG.MEM.PAGE.ACCEPT; an entry's lock is exclusive, but two
	// processors do not accept one page).
	PageTables
	// Attributes is kvm->slots_lock, a mutex that KVM_SET_MEMORY_ATTRIBUTES holds throughout (virt/kvm/kvm_main.c,
	// kvm_vm_set_mem_attributes): conversions of two processors come one after the other.
	Attributes

	locks
)

var lockNames = [locks]string{TD: "td", PageTables: "page-tables", Attributes: "attributes"}

// Locks lists them in the order in which this package declares them, without Unlocked.
func Locks() []Lock { return []Lock{TD, PageTables, Attributes} }

// LockNamed is the lock that String calls so.
func LockNamed(name string) (l Lock, ok bool) {
	for _, l := range Locks() {
		if l.String() == name {
			return l, true
		}
	}
	return Unlocked, false
}

// String returns the lock's name as tables and records write it; that of Unlocked is empty.
func (l Lock) String() string {
	if l < locks {
		return lockNames[l]
	}
	return ""
}

// A Hold is for how long one event keeps other processors from what it needs.
type Hold struct {
	Event  Event
	Lock   Lock
	NS     int64 // virtual nanoseconds, from 0; the event takes as long at least, but for Halt
	Source string

	// Halt is what is held where a processor halts by this event, an exit, in addition to what the exit holds: until the
	// host has put it aside. Others wait for that; the processor itself has nothing to do meanwhile, so no event takes this
	// time.
	Halt bool
}

// Name is the event's, or that of what is held where a processor halts.
func (h Hold) Name() string {
	if h.Halt {
		return HaltName
	}
	return h.Event.String()
}

// HaltName is what tables and files call what is held where a processor halts.
const HaltName = "halt"

// Uncertain says whether the number is nothing but our own judgement.
func (h Hold) Uncertain() bool { return Row{Source: h.Source}.Uncertain() }

// Hold is what an event holds. A model of a file has the holds of its platform, unless it has its own; where its event takes
// less time than those of the platform, it is held for as long as it takes.
func (m Model) Hold(e Event) Hold { return m.hold(e, false) }

// HaltHold is what is held where a processor halts by an exit.
func (m Model) HaltHold() Hold { return m.hold(Exit, true) }

func (m Model) hold(e Event, halt bool) Hold {
	own := func(h Hold) bool { return h.Event == e && h.Halt == halt }
	if m.holds != nil {
		if i := slices.IndexFunc(*m.holds, own); i >= 0 {
			return (*m.holds)[i]
		}
	}
	i := slices.IndexFunc(holds[m.platform], own)
	if i < 0 {
		return Hold{Event: e, Halt: halt}
	}
	h := holds[m.platform][i]
	if !halt {
		h.NS = min(h.NS, m.NS(e))
	}
	return h
}

// Holds lists what a model's events hold, in the order in which this package declares the events, and last what is held
// where a processor halts.
func (m Model) Holds() []Hold {
	var all []Hold
	for _, e := range Events() {
		all = append(all, m.Hold(e))
	}
	return slices.DeleteFunc(append(all, m.HaltHold()), func(h Hold) bool { return h.Lock == Unlocked })
}

// A HoldError is what is wrong with one hold of a model.
type HoldError struct{ Hold, Err string }

func (e *HoldError) Error() string { return fmt.Sprintf("holds: %s %s", e.Hold, e.Err) }

// withHolds returns the model with holds of its own in the place of the platform's, and says which they are and for how
// long, for those that differ.
func (m Model) withHolds(own []Hold) (_ Model, differ string, err error) {
	var kept []Hold
	for _, h := range own {
		if err := h.check(m); err != nil {
			return m, "", &HoldError{h.Name(), err.Error()}
		}
		if slices.ContainsFunc(kept, func(k Hold) bool { return k.Event == h.Event && k.Halt == h.Halt }) {
			return m, "", &HoldError{h.Name(), "is there twice"}
		}
		kept = append(kept, h)
	}
	with := m
	with.holds = &kept
	for _, h := range with.Holds() {
		if was := m.hold(h.Event, h.Halt); was.Lock != h.Lock || was.NS != h.NS {
			differ += fmt.Sprintf("%s holds %v %d\n", h.Name(), h.Lock, h.NS)
		}
	}
	return with, differ, nil
}

func (h Hold) check(m Model) error {
	switch {
	case h.Halt && h.Event != Exit, m.Row(h.Event).Source == "":
		return fmt.Errorf("never happens on platform %s", m.platform)
	case h.Lock == Unlocked || h.Lock >= locks:
		return errors.New("holds no lock that there is")
	case h.NS < 0:
		return fmt.Errorf("cannot hold it for %d ns", h.NS)
	case h.Halt && h.NS > MaxNS:
		return fmt.Errorf("cannot hold it for %d ns: that is more than %d, ten seconds", h.NS, int64(MaxNS))
	case !h.Halt && h.NS > m.NS(h.Event):
		return fmt.Errorf("cannot hold it for %d ns: the event takes %d", h.NS, m.NS(h.Event))
	}
	return checkSource(h.Source)
}

// always is as long as the event takes.
const always = MaxNS

const (
	ticks = "derived: on the assumption that one lock is what is waited for: 247 idle processors halt once each millisecond, after a tick, " +
		"and leave time for one fault of 8 µs in each 153 (1 ms × (1 − 8/153) / 247), Dstack-TEE/dstack pull request 1220"
	readers = "estimate: a cache line or two that pass from processor to processor; held for reading, so no more of it is serial"
	slots   = "estimate: all of the event's time, since Linux virt/kvm/kvm_main.c, kvm_vm_set_mem_attributes, holds slots_lock from beginning " +
		"to end"
)

// holds are in no order: see Holds.
var holds = map[string][]Hold{
	"tdx": {
		{Exit, TD, 100, readers, false},
		{HostAdd4K, PageTables, 400, readers, false},
		{HostAdd2M, PageTables, 400, readers, false},
		{TDXAccept4K, PageTables, 100, readers, false},
		{TDXAccept2M, PageTables, 100, readers, false},
		{MapGPA, Attributes, always, slots, false},
		{MapGPA4K, Attributes, always, slots, false},
		{MapGPA2M, Attributes, always, slots, false},
		{Exit, TD, 3_838, ticks, true},
	},
	"snp": {
		{HostAdd4K, PageTables, 300, readers, false},
		{HostAdd2M, PageTables, 300, readers, false},
		{PageStateChange, Attributes, always, slots, false},
		{PageStateChange4K, Attributes, always, slots, false},
		{PageStateChange2M, Attributes, always, slots, false},
	},
	"none": {
		{HostAdd4K, PageTables, 300, readers, false},
		{HostAdd2M, PageTables, 300, readers, false},
	},
}
