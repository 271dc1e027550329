package alloc

import "github.com/tacit-vm/tacit/accept"

// Meminfo is the state of an allocator's memory, in bytes, and what happened so far. Total is the sum of Used,
// FreeAccepted, FreeUnaccepted and Held.
type Meminfo struct {
	Total          uint64
	Used           uint64 // handed out, or about to be
	FreeAccepted   uint64
	FreeUnaccepted uint64 // also what can no longer be accepted, after an error
	Held           uint64 // accepted, and held back since what follows is unaccepted: a page for each run of accepted units

	ByWaiters    uint64 // units accepted by those who needed memory
	ByBackground uint64 // units accepted for the reserve
	Waits        uint64 // how often somebody waited for what others had accepted
}

// Meminfo returns what is so at one moment.
func (a *Allocator) Meminfo() Meminfo {
	a.acquire()
	m := Meminfo{
		Total:          a.total * accept.PageSize,
		Used:           a.used * accept.PageSize,
		FreeAccepted:   a.free * accept.PageSize,
		FreeUnaccepted: a.raw * accept.PageSize,
		Held:           a.held * accept.PageSize,
		ByWaiters:      a.byWaiters,
		ByBackground:   a.byBackground,
		Waits:          a.waits,
	}
	a.release()
	return m
}
