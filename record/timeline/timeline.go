// Package timeline keeps what happened in a run over virtual time and over guest-physical addresses, in bounded memory
// however long the guest runs. Pictures and traces are made from it.
package timeline

import "github.com/tacit-vm/tacit/record"

// UnitBytes is the size of a unit of the address space: what one bit of the guest's bitmap stands for.
const UnitBytes = 2 << 20

// A State is what a unit of guest-physical memory is, for the most part of its bytes.
type State uint8

// States.
const (
	Unaccepted State = iota // private memory that the guest has not accepted
	ByFirmware              // accepted by firmware, before or at ExitBootServices
	ByStub                  // accepted by the EFI stub or the EFI application
	ByKernel                // accepted by the kernel
	Shared                  // shared with the host
	States                  // how many there are
)

// A Timeline is one run. Amounts are in bytes, instants in virtual nanoseconds since the machine started.
type Timeline struct {
	Memory uint64 // what the guest was given
	RAM    []Area // where its memory lies, ascending
	End    int64  // when the machine stopped

	Phases  []record.Marked
	Lines   []Line   // what the guest wrote on its console
	Samples []Sample // ascending in time; the first is at the machine's start, the last at its end
	Exits   []string // names of the kinds of exits that Sample.Exits counts
	Changes []Change // of the address space, ascending in time; before them all is Unaccepted
	Taken   []Taken  // acceptances, ascending in time; neighbours are joined where there are too many
	Added   []Added  // what the host added, in the same way

	// What was left out so that the rest fits: lines, and acceptances, additions and changes that were joined to others.
	DroppedLines, Joined uint64
}

// An Area is a range of guest-physical addresses.
type Area struct{ Start, End uint64 }

// A Line is one line of the guest's console, with nothing in it that a terminal or a page would take for a command.
type Line struct {
	NS   int64
	Text string
}

// A Sample is the state of the machine's memory at one instant. Exits are counted since the machine started.
type Sample struct {
	NS         int64
	Given      uint64   // private memory that the host has added and not taken away again
	Accepted   uint64   // private memory that is accepted
	Shared     uint64   // memory that is shared
	Unaccepted uint64   // memory that is neither
	Touched    uint64   // memory that the guest has used, or firmware has written, at any time: pages of 4 KiB
	Exits      []uint64 // by kind, as Timeline.Exits names them
}

// A Change says that units became something else.
type Change struct {
	NS    int64
	First uint32 // unit: guest-physical address / UnitBytes
	Units uint32
	To    State
}

// A Taken is an acceptance, or several that are neighbours in time: of one agent, and of one stretch of memory, unless
// there were too many of those, too. Those of one agent do not overlap.
type Taken struct {
	NS, Last   int64 // when the first operation began, and when the last ended
	Cost       int64 // virtual nanoseconds that they took
	By         record.Agent
	GPA        uint64 // the lowest
	Bytes      uint64
	Operations uint64        // one a page
	Stack      *record.Stack // who asked; nil where that is not known, and where they differ
}

// An Added is private memory that the host added, at once or as neighbours in time: of one stretch of memory, unless
// there were too many of those, too.
type Added struct {
	NS, Last   int64 // when the first page came, and the last
	GPA        uint64
	Bytes      uint64
	Operations uint64 // one a page
}
