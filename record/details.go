package record

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
)

// WriteDetails writes what the summary leaves out: when each phase was reached, and how often what was called.
func (r *Record) WriteDetails(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "\n%-20s%16s%18s%16s\n", "phase", "virtual time", "instructions", "not accepted")
	for _, p := range r.Phases {
		fmt.Fprintf(&b, "%-20s%16s%18s%16s\n",
			p.Phase, FormatNS(p.VirtualNS), FormatCount(p.Instructions), FormatBytes(p.Unaccepted))
	}
	fmt.Fprintf(&b, "\n%-12s%14s  %s\n", "calls", "times", "what")
	for _, on := range slices.Sorted(maps.Keys(r.Calls)) {
		for _, name := range slices.Sorted(maps.Keys(r.Calls[on])) {
			for _, status := range slices.Sorted(maps.Keys(r.Calls[on][name])) {
				what := name
				if status != "" {
					what += ": " + status
				}
				fmt.Fprintf(&b, "%-12s%14s  %s\n", Printable(on), FormatCount(r.Calls[on][name][status]), Printable(what))
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}
