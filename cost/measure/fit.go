package measure

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/cost"
)

// A Refusal says why a measurement gives no number.
type Refusal struct {
	Kind string
	Why  string
}

// What a sample has to be to count.
const (
	fewest = 8   // times
	widest = 1.5 // its quartiles are at most so many times from the median
)

// Fit returns the rows of base with those replaced that follow from what was measured, and why others do not. The error
// says that base is not for the platform, or that nothing follows.
//
// Where a measurement is the sum of events of which several are unknown, such as a page that the host adds and the guest
// accepts in one, each gets the share of it that it has in base: so the sum is right, which is what a boot takes, and
// "derived" is said of the shares.
func Fit(s Set, base cost.Model) ([]cost.Row, []Refusal, error) {
	if base.Platform() != s.Platform {
		return nil, nil, fmt.Errorf("measured on platform %q, and %s is for %s", s.Platform, base.Name(), base.Platform())
	}
	f := fitting{set: s, base: base, found: map[cost.Event]cost.Row{}}
	for _, k := range KindsOf(s.Platform) {
		if k.HostPage == "" || k.HostPage == s.HostPage {
			f.use(k)
		}
	}
	if _, has := s.Measured[Accept]; has && !slices.ContainsFunc(KindsOf(s.Platform), func(k Kind) bool {
		return k.Name == Accept && k.HostPage == s.HostPage
	}) {
		why := "host_page does not say which pages the host maps, 2M or 4K, and no guest can see that"
		if s.HostPage != "" {
			why = fmt.Sprintf("what a block consists of is not known where the host maps %s on %s", s.HostPage, s.Platform)
		}
		f.refuse(Accept, "%s", why)
	}
	if len(f.found) == 0 {
		return nil, f.refusals, fmt.Errorf("nothing follows from these measurements")
	}
	rows := base.Table()
	for i, row := range rows {
		if found, ok := f.found[row.Event]; ok {
			rows[i] = found
		}
	}
	return rows, f.refusals, nil
}

type fitting struct {
	set      Set
	base     cost.Model
	found    map[cost.Event]cost.Row
	refusals []Refusal
}

func (f *fitting) refuse(kind, format string, args ...any) {
	f.refusals = append(f.refusals, Refusal{kind, fmt.Sprintf(format, args...)})
}

// use takes what follows from a kind.
func (f *fitting) use(k Kind) {
	sample, ok := f.set.Measured[k.Name]
	if len(k.Gives) == 0 {
		return
	}
	if !ok {
		f.refuse(k.Name, "it was not measured")
		return
	}
	if why := sample.unfit(); why != "" {
		f.refuse(k.Name, "%s", why)
		return
	}
	rest, less := sample.Median, []string{}
	if k.Over != "" {
		over, ok := f.set.Measured[k.Over]
		if !ok || over.unfit() != "" {
			f.refuse(k.Name, "%s is part of it, and was not measured well", k.Over)
			return
		}
		if slices.ContainsFunc(f.refusals, func(r Refusal) bool { return r.Kind == k.Over }) {
			// It may be something else than it is taken for: newer modules can be told to answer what was #VE.
			f.refuse(k.Name, "%s is part of it, from which nothing followed", k.Over)
			return
		}
		rest -= over.Median
		less = append(less, fmt.Sprintf("%s %.0f", k.Over, over.Median))
	}
	for _, p := range k.Of {
		row, ok := f.found[p.Event]
		if !ok {
			f.refuse(k.Name, "it consists of %v, too, which is not known", p.Event)
			return
		}
		rest -= float64(p.N * row.NS)
		less = append(less, fmt.Sprintf("%d × %v %d", p.N, p.Event, row.NS))
	}
	inBase := 0.0
	for _, p := range k.Gives {
		inBase += float64(p.N * f.base.NS(p.Event))
	}
	if rest <= 0 || inBase <= 0 {
		f.refuse(k.Name, "nothing is left of %.0f ns less %s", sample.Median, strings.Join(less, ", "))
		return
	}
	source := fmt.Sprintf("%s, median of %d: %.0f ns (%.0f to %.0f)", k.About, sample.Count, sample.Median, sample.Low, sample.High)
	if len(less) > 0 {
		source += ", less " + strings.Join(less, ", ")
	}
	if f.set.Kernel != "" {
		source += "; kernel " + f.set.Kernel
	}
	if f.set.Processor != "" {
		source += "; " + f.set.Processor
	}
	for _, p := range k.Gives {
		row := cost.Row{Event: p.Event, Source: "measured: " + source}
		row.NS = int64(math.Round(rest * float64(f.base.NS(p.Event)) / inBase))
		if len(k.Gives) > 1 {
			row.Source = "derived: its share, as in " + f.base.Name() + ", of what was measured: " + source
		}
		if row.NS > cost.MaxNS {
			f.refuse(k.Name, "%v would cost %d ns, more than anything can", p.Event, row.NS)
			return
		}
		f.found[p.Event] = row
	}
}

// unfit says why a sample does not count; empty where it does.
func (s Sample) unfit() string {
	switch {
	case s.Count < fewest:
		return fmt.Sprintf("%d times are too few: want %d", s.Count, fewest)
	case !(s.Low >= 0 && s.Low <= s.Median && s.Median <= s.High && s.High < math.MaxInt64):
		return "its quartiles are not in order"
	case s.High > widest*s.Median || s.Low*widest < s.Median:
		return fmt.Sprintf("its quartiles, %.0f and %.0f ns, are too far from the median of %.0f", s.Low, s.High, s.Median)
	}
	return ""
}
