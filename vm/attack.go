package vm

import (
	"strings"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/record"
)

// accuse says in d what the host did to a guest that did not get over it. The guest is not to blame for pages that it
// had accepted.
func accuse(d *record.Diagnosis, a *record.Attack) {
	if a == nil || len(a.Steps) == 0 {
		return
	}
	var did []string
	for _, s := range a.Steps {
		did = append(did, s.String())
	}
	d.Summary = strings.Join(did, "; ") + "; then: " + d.Summary
	if d.GPA != nil && excuse(a, uint64(*d.GPA), nil) {
		d.Advice = "The host is to blame, as --host-attack " + a.Kind + " told it: it attacked this page after it had given it to the guest."
	}
}

// excuse says whether the host has taken a page from the guest that was the guest's, or said so of one that was to become
// it. Then the rule that the guest has met is not the reason, and is replaced where why is not nil.
func excuse(a *record.Attack, gpa uint64, why *string) bool {
	if a == nil {
		return false
	}
	for _, s := range a.Steps {
		if record.Address(gpa) < s.GPA || gpa-uint64(s.GPA) >= s.Bytes || s.Refused != "" {
			continue
		}
		reason := ""
		switch {
		case a.Kind == host.Lie:
			reason = "the host said that it had converted it, and had not"
		case s.State == "accepted" || s.State == "validated":
			reason = "the guest had " + s.State + " it before the host did that"
		default:
			continue
		}
		if why != nil {
			*why = reason
		}
		return true
	}
	return false
}
