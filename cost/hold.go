package cost

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
	NS     int64 // virtual nanoseconds, from 0; the event takes as long at least
	Source string
}

// Hold is what an event holds. A model of a file has the holds of its platform; where its event takes less time than that,
// it is held for as long as it takes.
func (m Model) Hold(e Event) Hold {
	for _, h := range holds[m.platform] {
		if h.Event == e {
			h.NS = min(h.NS, m.NS(e))
			return h
		}
	}
	return Hold{Event: e}
}

// HaltHold is what is held where a processor halts by an exit, in addition to what the exit holds: until the host has put
// it aside. Others wait for that; the processor itself has nothing to do meanwhile, so no event takes this time.
func (m Model) HaltHold() Hold {
	if m.platform == "tdx" {
		return Hold{Event: Exit, Lock: TD, NS: 3_838, Source: ticks}
	}
	return Hold{Event: Exit}
}

// Holds lists what a model's events hold, in the order in which this package declares the events.
func (m Model) Holds() []Hold {
	var all []Hold
	for _, e := range Events() {
		if h := m.Hold(e); h.Lock != Unlocked {
			all = append(all, h)
		}
	}
	return all
}

// always is as long as the event takes.
const always = MaxNS

const (
	ticks = "derived, on the assumption that one lock is what is waited for: 247 idle processors halt once each millisecond, after a tick, " +
		"and leave time for one fault of 8 µs in each 153 (1 ms × (1 − 8/153) / 247), Dstack-TEE/dstack pull request 1220"
	readers = "estimate: a cache line or two that pass from processor to processor; held for reading, so no more of it is serial"
	slots   = "Linux virt/kvm/kvm_main.c: kvm_vm_set_mem_attributes holds slots_lock from beginning to end; that all of the event's time is " +
		"spent there is an estimate"
)

// holds are in no order: see Holds.
var holds = map[string][]Hold{
	"tdx": {
		{Exit, TD, 100, readers},
		{HostAdd4K, PageTables, 400, readers},
		{HostAdd2M, PageTables, 400, readers},
		{TDXAccept4K, PageTables, 100, readers},
		{TDXAccept2M, PageTables, 100, readers},
		{MapGPA, Attributes, always, slots},
		{MapGPA4K, Attributes, always, slots},
		{MapGPA2M, Attributes, always, slots},
	},
	"snp": {
		{HostAdd4K, PageTables, 300, readers},
		{HostAdd2M, PageTables, 300, readers},
		{PageStateChange, Attributes, always, slots},
		{PageStateChange4K, Attributes, always, slots},
		{PageStateChange2M, Attributes, always, slots},
	},
	"none": {
		{HostAdd4K, PageTables, 300, readers},
		{HostAdd2M, PageTables, 300, readers},
	},
}
