package page

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// A step of the loader's path is one phase, with what was said in it.
type step struct {
	At, Name string
	Says     []string
	Left     string // how much was not accepted then
}

// negotiated says what firmware and operating system made out, in words.
func negotiated(r *record.Record) string {
	n := &r.Negotiation
	const why = "Firmware does not know whether the system that it starts can accept memory. "
	switch {
	case !confidential(r):
		return "On this platform no memory needs to be accepted, and there is nothing to negotiate."
	case len(n.AllowedBy) > 0:
		return why + "It offered to be told, and " + names(n.AllowedBy) +
			" called AllowUnacceptedMemory: “I can; leave the rest to me”. So firmware left the rest unaccepted."
	case n.AcceptedAtExit > 0:
		return why + "It offered to be told, and was not. So it accepted " + mib(n.AcceptedAtExit) +
			" itself at ExitBootServices, and the system had to know of nothing."
	case n.Offered:
		return why + "It offered to be told, and was not; its policy is to leave memory unaccepted all the same."
	}
	return why + "It did not ask: its policy, " + clean(r.Config.FirmwarePolicy, nameLength) + ", decided."
}

// names are images by their names.
func names(images []string) string {
	var all []string
	for _, i := range images[:min(len(images), 10)] {
		all = append(all, clean(i, nameLength))
	}
	return strings.Join(all, ", ")
}

func steps(r *record.Record) []step {
	var all []step
	before := r.MemoryBytes
	for _, p := range r.Phases {
		words := phaseWords[p.Phase]
		s := step{At: nanoseconds(p.VirtualNS), Name: words.name, Says: []string{words.means}}
		if words.acceptance != "" && confidential(r) {
			s.Says[0] += " " + words.acceptance
		}
		switch p.Phase {
		case record.StubEntry:
			if n := r.Negotiation.LookedUpBy; len(n) > 0 && confidential(r) {
				s.Says = append(s.Says, "Looked for the memory acceptance protocol, by which firmware can be told: "+names(n)+".")
			}
		case record.ExitBootServices:
			s.Says = append(s.Says, exitCalls(r))
		}
		if confidential(r) {
			s.Left = fmt.Sprintf("Not accepted: %s (%s)", mib(p.Unaccepted), of(p.Unaccepted, r.MemoryBytes))
			if p.Unaccepted < before {
				s.Left += ", " + mib(before-p.Unaccepted) + " less than in the step before"
			}
			before = p.Unaccepted
		}
		all = append(all, s)
	}
	return all
}

// exitCalls says how often ExitBootServices was called. A caller whose memory map is no longer the newest is refused, and
// tries again.
func exitCalls(r *record.Record) string {
	text := "Called " + times(uint64(r.Negotiation.ExitBootServices))
	answers := r.Calls[record.UEFI.String()]["ExitBootServices"]
	var said []string
	for _, status := range slices.Sorted(maps.Keys(answers)) {
		said = append(said, clean(status, nameLength)+" "+times(answers[status]))
	}
	if len(said) > 0 {
		text += ": " + strings.Join(said, ", ")
	}
	return text + ". A caller whose memory map is out of date is refused, and tries again."
}
