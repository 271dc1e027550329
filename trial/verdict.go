package trial

import (
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/guest/report"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/record"
)

// A Verdict is what a trial shows.
type Verdict string

// Verdicts.
const (
	Held       Verdict = "held"        // the guest died as is promised, or was not harmed
	Broken     Verdict = "broken"      // it took its host's bytes for its own, lost memory in silence, or went on after a fatal answer
	NotReached Verdict = "not reached" // there was no occasion for the attack: nothing is shown
	Unjudged   Verdict = "unjudged"    // there was no run that could be judged
)

// judge holds a guest under attack against the same guest with an honest host.
func judge(k attack.Kind, control, r *record.Record) (Verdict, string) {
	end := string(r.Outcome)
	if r.Diagnosis != nil {
		end += ": " + r.Diagnosis.Summary
		if r.Attack != nil { // what the host did is told apart
			if _, after, ok := strings.Cut(r.Diagnosis.Summary, "; then: "); ok {
				end = string(r.Outcome) + ": " + after
			}
		}
	}
	if r.Outcome == record.Cancelled || r.Outcome == record.Unsupported {
		return Unjudged, end
	}
	switch happened, refused := occurred(r); {
	case !happened && k.Unasked:
		return Held, "the guest never asked"
	case !happened:
		return NotReached, "there was no occasion; the guest ended with " + end
	case refused != "":
		return Held, "the architecture refused it: " + refused
	}
	broken := shows(k, control, r)
	switch {
	case broken != "" && k.Survived && r.Outcome != record.PowerOff:
		return Held, "the guest died of it (" + broken + "): " + end
	case broken != "":
		return Broken, broken
	case k.Hardware:
		return Broken, "what is promised was broken, and nothing told the guest, which ended with " + end
	}
	switch r.Outcome {
	case record.PowerOff:
		if k.Fatal {
			return Broken, "the guest went on after an answer that leaves it no way to"
		}
		return Held, "unharmed"
	case record.Limit:
		if k.Fatal && !k.Waits {
			return Broken, "the guest goes on for ever: " + end
		}
		return Held, "the guest stands still, which a host can have at any time: " + end
	}
	return Held, "the guest died: " + end
}

// occurred says whether the attack happened, and what the architecture said where it let the host do nothing of it.
func occurred(r *record.Record) (happened bool, refused string) {
	if r.Lie != nil {
		return r.Lie.Told > 0, ""
	}
	if r.Attack == nil || len(r.Attack.Steps) == 0 {
		return false, ""
	}
	for _, s := range r.Attack.Steps {
		if s.Refused == "" {
			return true, ""
		}
	}
	return true, r.Attack.Steps[0].Refused
}

// shows says what shows that the guest was broken; it is empty where nothing does.
func shows(k attack.Kind, control, r *record.Record) string {
	if r.Attack != nil && len(r.Attack.Broken) > 0 {
		return strings.Join(r.Attack.Broken, "; ")
	}
	if k.Believed != "" && r.Diagnosis != nil && strings.Contains(r.Diagnosis.Summary, k.Believed) {
		return "the guest believed its host: " + k.Believed
	}
	if was, is := control.Detected, r.Detected; is.AcceptedTwice.Bytes > was.AcceptedTwice.Bytes {
		return fmt.Sprintf("the guest accepted %s anew that was its own already: what was there is lost", record.FormatBytes(is.AcceptedTwice.Bytes-was.AcceptedTwice.Bytes))
	} else if is.Ignored > was.Ignored {
		return fmt.Sprintf("the guest was told %d times that a page is accepted already, and went on", is.Ignored-was.Ignored)
	}
	if taken := overtaken(r); taken != "" {
		return taken
	}
	if was, is := control.Guest.MemInfo, r.Guest.MemInfo; was != nil && is != nil {
		const slack = 64 // of what a kernel takes for itself, and may take for other reasons
		if least, most := min(was.MemTotal, is.MemTotal), max(was.MemTotal, is.MemTotal); least < most-most/slack {
			return fmt.Sprintf("the guest has %s of memory, and %s with an honest host", record.FormatBytes(is.MemTotal), record.FormatBytes(was.MemTotal))
		}
	}
	if was, is := control.Guest.Flags, r.Guest.Flags; len(was) > 0 && len(is) > 0 {
		if differ := difference(was, is); len(differ) > 0 {
			return "what the guest thinks its processor can do is what its host says: " + strings.Join(differ, " ")
		}
	}
	if k.Lie != "" && r.Outcome == record.PowerOff {
		was, is := *control.Acceptance.UnacceptedAtEnd, *r.Acceptance.UnacceptedAtEnd
		const slack = 64 << 20
		if max(was, is)-min(was, is) > slack {
			return fmt.Sprintf("the guest accepted other memory: %s are left, and %s with an honest host", record.FormatBytes(is), record.FormatBytes(was))
		}
	}
	return ""
}

// overtaken says of what the guest took more from its host than that has given: the rest is memory of its own.
func overtaken(r *record.Record) string {
	for _, a := range r.Guest.Took {
		given := uint64(0)
		switch a.What {
		case report.Random:
			for _, d := range r.Devices {
				if d.Name == "virtio-rng" {
					given += d.ReadBytes
				}
			}
		case report.Quote:
			if r.Attack == nil || len(r.Attack.Steps) == 0 {
				continue
			}
			given = r.Attack.Steps[0].Bytes
		default:
			continue
		}
		switch {
		case a.Bytes > 0 && given == 0:
			return fmt.Sprintf("the guest took %d bytes for an answer (%s) that its host had said there is none of", a.Bytes, a.What)
		case a.Bytes > given:
			return fmt.Sprintf("the guest took %d bytes for an answer (%s) of which its host had given %d: the rest is memory of its own", a.Bytes, a.What, given)
		}
	}
	return ""
}

// difference lists what is in one of two lists alone, with a sign.
func difference(was, is []string) (differ []string) {
	for _, f := range is {
		if !slices.Contains(was, f) {
			differ = append(differ, "+"+f)
		}
	}
	for _, f := range was {
		if !slices.Contains(is, f) {
			differ = append(differ, "-"+f)
		}
	}
	return differ
}

// Count is how many trials have the verdict.
func (r *Report) Count(v Verdict) (n int) {
	for _, t := range r.Trials {
		if t.Verdict == v {
			n++
		}
	}
	return n
}
