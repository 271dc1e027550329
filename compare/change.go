package compare

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/record"
)

// A Change is one who asked for another amount of memory than in the base.
type Change struct {
	Asked string `json:"asked"`      // in the words of [record.Stack.Asked]; "firmware" for firmware
	Base  uint64 `json:"base_bytes"` // that were accepted for it
	Now   uint64 `json:"bytes"`
}

// By is how much the two differ.
func (c Change) By() uint64 { return max(c.Base, c.Now) - min(c.Base, c.Now) }

// unnamed is for what the guest accepted and of which the record does not say who asked.
const unnamed = "not known"

// Changes are those whose acceptance differs, the one that differs most first. Their sum is by how much the two runs
// differ in accepted memory.
func Changes(r, base *record.Record) []Change {
	now, before := askedFor(r), askedFor(base)
	var all []Change
	for asked, bytes := range now {
		all = append(all, Change{asked, before[asked], bytes})
	}
	for asked, bytes := range before {
		if _, still := now[asked]; !still {
			all = append(all, Change{asked, bytes, 0})
		}
	}
	all = slices.DeleteFunc(all, func(c Change) bool { return c.By() == 0 })
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(b.By(), a.By()), cmp.Compare(a.Asked, b.Asked))
	})
	return all
}

// askedFor is for how much each asked; it adds up to all that was accepted.
func askedFor(r *record.Record) map[string]uint64 {
	by := &r.Acceptance.By
	all := map[string]uint64{}
	rest := by.Stub.Bytes + by.Kernel.Bytes
	for _, c := range r.Acceptance.Callers {
		bytes := min(c.Bytes, rest) // a record from elsewhere may not add up
		all[c.Stack.Asked()] += bytes
		rest -= bytes
	}
	if by.Firmware.Bytes > 0 {
		all["firmware"] += by.Firmware.Bytes
	}
	if rest > 0 {
		all[unnamed] += rest
	}
	return all
}
