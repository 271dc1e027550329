package storm

import (
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/record"
)

// A Storm is what came of the boots of a study of [Variants].
type Storm struct {
	Tool     string   // what ran them, with its version
	Complete bool     // every boot got to its first program, as what it is called
	Curves   []*Curve // in the order of the study
	Models   []string // that virtual time was charged by
}

// A Curve is boots that differ in their number of processors only.
type Curve struct {
	Image    string
	Platform string
	Memory   uint64 // bytes
	With     string // how memory is accepted and what pages the host has, in words of package study
	Rows     []Row  // in the order of processors
}

// A Row is what is said of a boot.
type Row struct {
	CPUs    int
	Outcome string
	Note    string // what keeps a reader from believing the numbers; empty is nothing
	*Boot          // nil where there is none to speak of
}

// A Boot is one that got to its first program.
type Boot struct {
	Init   int64             // virtual nanoseconds
	First  uint64            // bytes that the guest accepted on its first processor, which starts the others
	All    uint64            // and on all
	Most   int               // how many processors ever accepted at the same time
	Over   *record.Acceptors // and over time; nil where there is one processor
	Waited map[string]Waited // until the end, by lock
}

// Waited is how long processors waited for each other, in virtual nanoseconds.
type Waited struct {
	First int64 `json:"first_ns"` // the first one
	All   int64 `json:"all_ns"`   // all in sum
}

// Of returns what is said of a study.
func Of(s *study.Study) *Storm {
	out := &Storm{Tool: s.Tool, Complete: true}
	for _, b := range s.Boots {
		cpus := b.Variant.CPUs()
		row := Row{CPUs: cpus, Outcome: b.Outcome(), Note: b.Note()}
		if r := b.Record; r != nil && r.VirtualNS.Init != nil {
			row.Boot = boot(r)
			if left := r.Acceptance.UnacceptedAtInit; left != nil && *left == 0 {
				row.Note = "" // a lazy guest, too, which has accepted all that there is: that is a storm
			}
			if !slices.Contains(out.Models, r.CostModel) {
				out.Models = append(out.Models, r.CostModel)
			}
		}
		out.Complete = out.Complete && row.Note == ""
		c := out.curve(b, strings.TrimSuffix(b.With, suffix(cpus)))
		c.Rows = append(c.Rows, row)
	}
	for _, c := range out.Curves {
		slices.SortStableFunc(c.Rows, func(a, b Row) int { return a.CPUs - b.CPUs })
	}
	return out
}

// curve is the one that a boot is of.
func (s *Storm) curve(b *study.Boot, with string) *Curve {
	for _, c := range s.Curves {
		if c.Image == b.Image && c.Platform == b.Platform && c.Memory == b.Memory && c.With == with {
			return c
		}
	}
	c := &Curve{Image: b.Image, Platform: b.Platform, Memory: b.Memory, With: with}
	s.Curves = append(s.Curves, c)
	return c
}

func boot(r *record.Record) *Boot {
	by := &r.Acceptance.By
	b := &Boot{Init: *r.VirtualNS.Init, All: by.Stub.Bytes + by.Kernel.Bytes, Over: r.Acceptance.Acceptors, Waited: map[string]Waited{}}
	if on := r.Acceptance.Processors; len(on) > 0 {
		b.First = on[0].Bytes
	} else {
		b.First = b.All
	}
	switch {
	case b.Over != nil:
		b.Most = b.Over.Most
	case b.All > 0:
		b.Most = 1
	}
	for lock, c := range r.Costs.Total.Contended {
		b.Waited[lock] = Waited{All: c.NS}
	}
	for _, c := range r.Costs.Contention {
		if c.CPU == 0 {
			b.Waited[c.Lock] = Waited{First: c.NS, All: b.Waited[c.Lock].All}
		}
	}
	return b
}
