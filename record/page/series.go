package page

import (
	"fmt"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// A series is a line of the picture of memory over time.
type series struct {
	Key, Name, Means string
	Shown            bool // at first
}

// seriesOf returns them. Unaccepted memory is not shown at first: what is not accepted is all the rest, and of a large guest
// so much that the other lines would lie on the ground.
func seriesOf(r *record.Record) []series {
	touched := series{"touched", "touched", "memory that has been read or written at any time, in pages of 4 KiB", true}
	if !confidential(r) {
		return []series{touched}
	}
	return []series{
		{"given", "given", "private memory that the host has added and not taken away again", true},
		{"accepted", "accepted", "private memory that the guest or its firmware has accepted, and may touch", true},
		touched,
		{"shared", "shared", "memory that the guest has opened to its host, for devices; it is no longer among the accepted", true},
		{"unaccepted", "not accepted", "private memory that may not be touched yet: all the rest", false},
	}
}

// A state is what a square of the map can be.
type state struct {
	State            timeline.State
	Key, Name, Means string
}

func statesOf(r *record.Record) []state {
	if !confidential(r) {
		return nil
	}
	stub := stubName(r)
	return []state{
		{timeline.ByFirmware, "firmware", "accepted by firmware", "before or at ExitBootServices"},
		{timeline.ByStub, "stub", "accepted by " + stub, "before the kernel’s first instruction"},
		{timeline.ByKernel, "kernel", "accepted by the kernel", "when it needed it, or ahead of that"},
		{timeline.Shared, "shared", "shared with the host", "for devices, in buffers that the host may read; no longer counted above"},
		{timeline.Unaccepted, "unaccepted", "not accepted", "untouched, and no cost to guest or host"},
	}
}

// chartSays is the picture of memory over time for those who do not see it.
func chartSays(r *record.Record) string {
	if !confidential(r) {
		return "Memory touched over virtual time"
	}
	text := "Memory given, accepted and touched over virtual time"
	for _, p := range r.Phases {
		text += fmt.Sprintf("; %s at %s: %s not accepted", phaseWords[p.Phase].name, nanoseconds(p.VirtualNS), mib(p.Unaccepted))
	}
	return text
}
