package demo

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// A chart draws one guest's memory over virtual time. Its numbers are units of an SVG's view box.
type chart struct {
	Name, Says     string
	Width, Height  int
	Accepted, Held string // points of polygons

	Init               string // where the program started; empty where it did not
	InitText           string
	TextAt, TextAnchor string // of InitText: where there is room

	Lost                bool // from a moment on, what is not accepted is lost
	LostFrom, LostWidth string

	End, EndText string // where the guest ended, and how
}

const (
	chartWidth  = 640
	chartHeight = 96
)

// A point is one that the record knows: between two of them memory is drawn as if it changed evenly.
type point struct {
	ns             int64
	accepted, held uint64
}

// points are those of one guest, in the order of time.
func (r *Result) points() []point {
	var all []point
	holds := map[int64]uint64{}
	for _, s := range r.Record.Guest.Steps {
		holds[s.VirtualNS] = held(s)
		all = append(all, point{s.VirtualNS, s.Accepted, held(s)})
	}
	for _, p := range r.Record.Phases {
		all = append(all, point{ns: p.VirtualNS, accepted: r.Record.MemoryBytes - p.Unaccepted})
	}
	slices.SortStableFunc(all, func(a, b point) int { return cmp.Compare(a.ns, b.ns) })
	// Phases do not know what the program holds: what it held before.
	for i := 1; i < len(all); i++ {
		if _, told := holds[all[i].ns]; !told {
			all[i].held = all[i-1].held
		}
	}
	return all
}

// charts are those of the guests, with one scale of time.
func charts(results []*Result) []chart {
	longest := int64(1)
	for _, r := range results {
		longest = max(longest, r.Record.VirtualNS.Total)
	}
	var all []chart
	for i, name := range heads(results) {
		all = append(all, results[i].chart(name, longest))
	}
	return all
}

// chart draws the guest; the whole width is so many virtual nanoseconds.
func (r *Result) chart(name string, width int64) chart {
	number := func(n float64) string { return fmt.Sprintf("%.1f", n) }
	at := func(ns int64) float64 { return float64(ns) / float64(width) * chartWidth }
	y := func(n uint64) string {
		return number(chartHeight - float64(n)/float64(r.Record.MemoryBytes)*chartHeight)
	}
	total := r.Record.VirtualNS.Total
	c := chart{
		Name: name, Says: r.Story, Width: chartWidth, Height: chartHeight,
		End: number(at(total)), EndText: r.End() + " at " + record.FormatNS(total),
	}
	var accepted, held []string
	for _, p := range r.points() {
		accepted = append(accepted, number(at(p.ns))+","+y(p.accepted))
		held = append(held, number(at(p.ns))+","+y(min(p.held, p.accepted)))
	}
	corners := []string{c.End + "," + y(0), "0.0," + y(0)}
	c.Accepted = strings.Join(append(accepted, corners...), " ")
	c.Held = strings.Join(append(held, corners...), " ")

	init := r.Init()
	if init == 0 {
		return c
	}
	c.Init, c.InitText = number(at(init)), "program starts at "+record.FormatNS(init)
	if c.TextAt, c.TextAnchor = number(at(init)+6), "start"; init > width/2 {
		c.TextAt, c.TextAnchor = number(at(init)-6), "end"
	}
	if r.Lost() > 0 {
		c.Lost, c.LostFrom, c.LostWidth = true, c.Init, number(at(total)-at(init))
	}
	return c
}
