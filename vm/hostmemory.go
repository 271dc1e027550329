package vm

import (
	"fmt"
	"math"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// What a run takes of the host's memory is bounded, so that a guest which writes to all of a large memory ends the run,
// with a record, and not the host's OOM killer the process, without one. What the guest decides is counted as it grows:
// pages that it has written to, what is known of the state of each page, firmware's books. The rest has bounds of its own
// and is set aside.

const (
	// programBytes is what the program takes by itself: its code, the collector's reserve, decoding an image.
	programBytes = 128 << 20
	// minGuestBytes is what must be left for a guest.
	minGuestBytes = 64 << 20
	// leastHostMemory is what a run may take by default however little there is: a boot of a kernel takes half of it.
	leastHostMemory = 1 << 30
)

// DefaultMaxHostMemory is what a run may take of the host's memory by default: most of what is available to this
// process, in bytes; 0 where the host does not tell.
func DefaultMaxHostMemory() uint64 { return availableMemory() / 8 * 7 &^ (1<<20 - 1) }

// hostLimit returns what Config.MaxHostMemory stands for, in bytes; 0 is no limit.
func hostLimit(given uint64) uint64 {
	switch given {
	case 0:
		if n := DefaultMaxHostMemory(); n > 0 {
			return max(n, leastHostMemory)
		}
	case math.MaxUint64:
		return 0
	}
	return given
}

// A hostBudget is how the host's memory is divided.
type hostBudget struct {
	all    uint64 // 0 is no limit
	inputs uint64 // image and initrd
	code   uint64 // decoded code, and as much again until the collector has been there
	guest  uint64 // what the guest decides
}

// A grower takes memory of the host's as the guest goes on, and tells how much more or less than before, in bytes.
type grower interface {
	OnGrowth(grew func(bytes int64))
}

// grown is what the guest has made growers take, in bytes.
type grown struct {
	pages    int64 // that it has written to, with the host's page tables
	states   int64 // of its pages: twice, since the collector lets as much lie as is in use
	firmware int64 // firmware's books
}

func (g *grown) all() int64 { return g.pages + g.states + g.firmware }

// count has the run end when all growers together take more than there is for the guest. It counts what g takes in sum,
// times as much as it says.
func (m *Machine) count(g grower, times int64, sum *int64) {
	if m.budget.all == 0 {
		return
	}
	g.OnGrowth(func(bytes int64) {
		*sum += times * bytes
		if bytes > 0 && m.grown.all() > int64(m.budget.guest) {
			m.runsOutOfMemory()
		}
	})
}

// budget divides what the run may take; an error says why it is not enough.
func (c *Config) budget() (b hostBudget, err error) {
	b.inputs = uint64(len(c.Image.Data)) + uint64(len(c.Initrd))
	b.code = 2 * x86.DefaultCodeBytes
	if c.MaxHostMemory == 0 {
		return b, nil
	}
	b.all = c.MaxHostMemory
	b.code = min(b.code, b.all/8)
	if taken := programBytes + b.inputs + b.code; b.all > taken {
		b.guest = b.all - taken
	}
	if b.guest < minGuestBytes {
		return b, fmt.Errorf("a limit of %s of the host's memory is not enough: image and initrd take %s, and the program up to %s", record.FormatBytes(b.all),
			record.FormatBytes(b.inputs), record.FormatBytes(programBytes+b.code))
	}
	return b, nil
}

// exhausted is how a run ends that would take more.
func (m *Machine) exhausted() error {
	format := func(bytes int64) string { return record.FormatBytes((uint64(bytes) + 1<<20 - 1) &^ (1<<20 - 1)) } // in whole MiB
	return &limitError{fmt.Sprintf("%s of the host's memory (%s of guest memory that has been written to, with its page tables, "+
		"%s of page states, %s of firmware's books, %s of image and initrd, up to %s of decoded code, up to %s of the program's own)",
		record.FormatBytes(m.budget.all), format(m.grown.pages), format(m.grown.states), format(m.grown.firmware),
		record.FormatBytes(m.budget.inputs), record.FormatBytes(m.budget.code), record.FormatBytes(programBytes))}
}
