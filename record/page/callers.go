package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// callers is who asked for memory, as a table.
type callers struct {
	Known bool
	Says  string // how much of what was accepted has a stack; where none has, why
	Rows  []caller
	All   caller
}

// A caller is a row: those who asked in the same few words.
type caller struct {
	Asked                           string
	Stack                           []string
	Class                           string // whose colour
	Share                           float64
	Memory, Operations, Time, After string
}

// Bounds of the table: of rows, and of the stacks in them, of which the first have room.
const (
	maxRows     = 100
	maxDepth    = 64
	askedLength = 160     // characters
	stacksRoom  = 100_000 // bytes of markup
)

func callersOf(r *record.Record, t *timeline.Timeline) callers {
	by := &r.Acceptance.By
	rows := r.AskedFor()
	if len(rows) == 0 {
		switch {
		case by.Kernel.Operations == 0 && by.Stub.Operations == 0:
			return callers{Says: "The guest accepted nothing itself, so there is no one to ask."}
		default:
			return callers{Says: "This run did not look for the callers."}
		}
	}
	c := callers{Known: true}
	var bytes, count uint64
	var ns int64
	var after record.Count
	for _, row := range rows {
		bytes, count, ns = bytes+row.Bytes, count+row.Operations, ns+row.VirtualNS
		after.Bytes += row.AfterInit.Bytes
	}
	guest := record.Count{Bytes: by.Stub.Bytes + by.Kernel.Bytes, Operations: by.Stub.Operations + by.Kernel.Operations}
	c.Says = fmt.Sprintf("Of the %s that the guest accepted itself, %s have a stack; firmware’s %s are beside them.",
		mib(guest.Bytes), mib(bytes), mib(by.Firmware.Bytes))
	if bytes == guest.Bytes {
		c.Says = fmt.Sprintf("Together they are all %s that the guest accepted itself; firmware’s %s are beside them.",
			mib(bytes), mib(by.Firmware.Bytes))
	}
	if slices.ContainsFunc(rows, func(row record.AskedFor) bool { return strings.Contains(key(row.Stack), "(guessed)") }) {
		c.Says += " An EFI stub has no names: of its functions the place in the image is given, and “(guessed)” marks what was found by looking through its stack."
	}
	all := bytes + by.Firmware.Bytes
	share := func(n uint64) float64 { return thousandths(n, all) / 10 }
	room, ofStub := budget(stacksRoom), stubs(t)
	for _, row := range rows[:min(len(rows), maxRows)] {
		shown := caller{
			Asked: clean(row.Asked, askedLength), Class: "kernel", Share: share(row.Bytes),
			Memory: mib(row.Bytes), Operations: record.FormatCount(row.Operations), Time: nanoseconds(row.VirtualNS),
			After: mib(row.AfterInit.Bytes),
		}
		if ofStub[key(row.Stack)] {
			shown.Class = "stub"
		}
		for _, place := range row.Stack[:min(len(row.Stack), maxDepth)] {
			place = clean(place, functionLength)
			if !room.markup(place, 30) {
				shown.Stack = nil
				break
			}
			shown.Stack = append(shown.Stack, place)
		}
		c.Rows = append(c.Rows, shown)
	}
	if len(rows) > maxRows {
		var rest, restAfter, restCount uint64
		var restNS int64
		for _, row := range rows[maxRows:] {
			rest, restCount, restNS, restAfter = rest+row.Bytes, restCount+row.Operations, restNS+row.VirtualNS, restAfter+row.AfterInit.Bytes
		}
		c.Rows = append(c.Rows, caller{
			Asked: record.FormatCount(uint64(len(rows)-maxRows)) + " others", Class: "kernel", Share: share(rest), Memory: mib(rest),
			Operations: record.FormatCount(restCount), Time: nanoseconds(restNS), After: mib(restAfter),
		})
	}
	if f := by.Firmware; f.Operations > 0 {
		c.Rows = append(c.Rows, caller{
			Asked: "firmware, which has no stack", Class: "firmware", Share: share(f.Bytes), Memory: mib(f.Bytes),
			Operations: record.FormatCount(f.Operations), Time: nanoseconds(f.VirtualNS), After: mib(f.AfterInit.Bytes),
		})
	}
	c.All = caller{
		Memory: mib(all), Operations: record.FormatCount(count + by.Firmware.Operations),
		Time: nanoseconds(ns + by.Firmware.VirtualNS), After: mib(after.Bytes + by.Firmware.AfterInit.Bytes),
	}
	return c
}
