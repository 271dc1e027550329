package record

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/tacit-vm/tacit/cost"
)

// WriteDetails writes what the summary leaves out: when each phase was reached, how often what was called, and what
// virtual time went to.
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
	r.costsTable(&b)
	_, err := w.Write(b.Bytes())
	return err
}

// costsTable says what virtual time went to.
func (r *Record) costsTable(w io.Writer) {
	total := r.Costs.Total
	if len(total.Events) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%-14s%34s%34s\n", "virtual time", "until init", "until the end")
	row := func(name string, of func(Spent) (count string, ns int64)) {
		count, ns := of(total)
		atInit, nsAtInit := "", "-"
		if r.Costs.Init != nil {
			text, ns := of(*r.Costs.Init)
			atInit, nsAtInit = text, FormatNS(ns)
		}
		fmt.Fprintf(w, "%-14s%18s%16s%18s%16s\n", Printable(name), atInit, nsAtInit, count, FormatNS(ns))
	}
	known := slices.DeleteFunc(cost.Events(), func(e cost.Event) bool { return total.Events[e.String()].Count == 0 })
	for _, e := range known {
		row(e.String(), func(s Spent) (string, int64) { c := s.Events[e.String()]; return FormatCount(c.Count) + " ×", c.NS })
	}
	for _, l := range cost.Locks() {
		if total.Contended[l.String()].Count > 0 {
			row("for "+l.String(), func(s Spent) (string, int64) { c := s.Contended[l.String()]; return FormatCount(c.Count) + " ×", c.NS })
		}
	}
	row("waited", func(s Spent) (string, int64) { return "", s.Waited })
}
