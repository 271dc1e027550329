package page

import (
	"maps"
	"slices"

	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// An agent is who accepted memory.
type agent struct {
	Class, Name, Means                            string
	Memory, Operations, Until, After, Time, Pages string
}

func agents(r *record.Record) []agent {
	by := &r.Acceptance.By
	var all []agent
	for _, a := range []struct {
		class, name, means string
		*record.AgentAcceptance
	}{
		{"firmware", "firmware", "the UEFI firmware, also for those who called it", &by.Firmware},
		{"stub", stubName(r), "what firmware started, until the kernel’s first instruction", &by.Stub},
		{"kernel", "kernel", "the operating system, and all under it", &by.Kernel},
	} {
		all = append(all, agent{
			a.class, a.name, a.means, mib(a.Bytes), record.FormatCount(a.Operations), mib(a.UntilInit.Bytes), mib(a.AfterInit.Bytes),
			nanoseconds(a.VirtualNS), pages(a.Sizes),
		})
	}
	return all
}

// pages are how many pages of each size.
func pages(sizes map[string]record.Count) string {
	text := ""
	for _, size := range []physical.PageSize{physical.Size1G, physical.Size2M, physical.Size4K} {
		if c := sizes[size.String()]; c.Operations > 0 {
			if text != "" {
				text += ", "
			}
			text += record.FormatCount(c.Operations) + " × " + size.String()
		}
	}
	return text
}

// A call is how often what was called, and answered how.
type call struct{ On, Means, Name, Status, Times string }

var boundaries = map[string]string{
	"uefi": "firmware’s services", "tdcall": "the TDX module, called by the guest", "tdvmcall": "the host, called through the TDX module",
	"host_exit": "what left the guest for its host", "ve": "exceptions by which the TDX module hands work to the guest",
	"vc": "exceptions by which an SEV-SNP processor hands work to the guest", "rmp": "instructions on the table of pages’ owners",
	"ghcb": "the host, called through the page that guest and host share",
}

const callsRoom = 100_000 // bytes of markup; a boot takes a tenth of it

func calls(r *record.Record) []call {
	room := budget(callsRoom)
	var all []call
	for _, on := range slices.Sorted(maps.Keys(r.Calls)) {
		means := boundaries[on]
		for _, name := range slices.Sorted(maps.Keys(r.Calls[on])) {
			answers := r.Calls[on][name]
			for _, status := range slices.Sorted(maps.Keys(answers)) {
				c := call{
					clean(on, nameLength), means, clean(name, nameLength), clean(status, nameLength), record.FormatCount(answers[status]),
				}
				if !room.markup(c.On+c.Means+c.Name+c.Status, 150) {
					return append(all, call{On: "…", Means: "There are more, for which there was no room."})
				}
				all = append(all, c)
				means = "" // once a boundary
			}
		}
	}
	return all
}
