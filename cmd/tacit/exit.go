package main

import (
	"fmt"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// exitStatus is what the process returns.
type exitStatus int

const (
	statusError = 1 // tacit could not do what was asked
	statusUsage = 2 // the command line is wrong
)

// outcomeStatus gives each outcome its exit status. They fit git bisect run: 1 to 124 is a bad kernel, 125 one that
// cannot be judged, and from 128 on the bisection stops.
var outcomeStatus = map[record.Outcome]exitStatus{
	record.PowerOff:    0,
	record.Stopped:     0,
	record.Violation:   3,
	record.GuestPanic:  4,
	record.Halted:      5,
	record.Limit:       6,
	record.Reset:       7,
	record.Exit:        1, // of code 0: exitStatusOf
	record.TripleFault: 8,
	record.NoReport:    9,
	record.Untested:    10,
	record.Unsupported: 125,
	record.Cancelled:   130, // as a shell reports SIGINT
}

// statusOf is the exit status of a run that ended so.
func statusOf(o record.Outcome) exitStatus {
	if status, known := outcomeStatus[o]; known {
		return status
	}
	return statusError
}

// exitStatusOf is the exit status of a run: QEMU's where a program has ended it with a code (hw/misc/debugexit.c).
func exitStatusOf(r *record.Record) exitStatus {
	if r.ExitCode != nil {
		return exitStatus(uint8(*r.ExitCode<<1 | 1))
	}
	return statusOf(r.Outcome)
}

// exitHelp is the part of --help that explains exit statuses.
func exitHelp() string {
	var b strings.Builder
	b.WriteString("Exit status, by outcome:\n")
	for _, o := range record.Outcomes() {
		fmt.Fprintf(&b, "  %3d  %-13s %s\n", statusOf(o.Outcome), o.Outcome, o.Meaning)
	}
	fmt.Fprintf(&b, "  %3d  %-13s tacit could not run the image, or not write what was asked for\n", statusError, "")
	fmt.Fprintf(&b, "  %3d  %-13s the command line is wrong\n", statusUsage, "")
	return b.String()
}

// statusMeaning explains an exit status of a command that answers a question.
type statusMeaning struct {
	status  exitStatus
	meaning string
}

// statusHelp is the part of --help that explains such statuses.
func statusHelp(statuses []statusMeaning) string {
	var b strings.Builder
	b.WriteString("Exit status:\n")
	for _, s := range statuses {
		fmt.Fprintf(&b, "  %3d  %s\n", s.status, s.meaning)
	}
	return b.String()
}
