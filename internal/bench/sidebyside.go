package bench

import (
	"context"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// A Contender is one of several ways to do the same work.
type Contender struct {
	Name    string
	About   string
	Missing error // why it cannot be measured here; nil where it can
	Run     func(ctx context.Context) (Usage, error)
}

// Measured is a contender's runs, in the order of the rounds.
type Measured struct {
	Contender
	Runs []Usage
}

// A SideBySide is contenders that were measured in turn, so that what else the host did hit them alike.
type SideBySide struct {
	All  []*Measured
	Base string // the name of the one that the others are held against
}

// MeasureSideBySide runs each contender once a round. It calls progress before each run.
func MeasureSideBySide(ctx context.Context, base string, contenders []Contender, rounds int, progress func(name string, round int)) (*SideBySide, error) {
	s := &SideBySide{Base: base}
	for _, c := range contenders {
		s.All = append(s.All, &Measured{Contender: c})
	}
	for round := range rounds {
		for _, m := range s.All {
			if m.Missing != nil {
				continue
			}
			progress(m.Name, round)
			u, err := m.Run(ctx)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", m.Name, err)
			}
			m.Runs = append(m.Runs, u)
		}
	}
	return s, nil
}

// Find returns a contender's runs, nil where it is missing.
func (s *SideBySide) Find(name string) *Measured {
	for _, m := range s.All {
		if m.Name == name && len(m.Runs) > 0 {
			return m
		}
	}
	return nil
}

// A Spread is a median with the smallest and the largest value.
type Spread struct{ Median, Min, Max float64 }

func spreadOf(values []float64) Spread {
	s := slices.Sorted(slices.Values(values))
	n := len(s)
	return Spread{(s[(n-1)/2] + s[n/2]) / 2, s[0], s[n-1]}
}

// CPU returns the processor time of the runs, in seconds.
func (m *Measured) CPU() Spread { return m.spread(func(u Usage) float64 { return u.CPU.Seconds() }) }

// Wall returns the time that passed, in seconds.
func (m *Measured) Wall() Spread { return m.spread(func(u Usage) float64 { return u.Wall.Seconds() }) }

// Peak returns the resident memory, in bytes.
func (m *Measured) Peak() Spread { return m.spread(func(u Usage) float64 { return float64(u.Peak) }) }

func (m *Measured) spread(of func(Usage) float64) Spread {
	var values []float64
	for _, u := range m.Runs {
		values = append(values, of(u))
	}
	return spreadOf(values)
}

// Ratio returns by how much processor time m took more than other, round by round.
func (m *Measured) Ratio(other *Measured) Spread {
	var values []float64
	for i, u := range m.Runs {
		values = append(values, float64(u.CPU)/float64(max(other.Runs[i].CPU, time.Microsecond)))
	}
	return spreadOf(values)
}

// WriteTable prints what was measured, with ratios to the base, and why something was not.
func (s *SideBySide) WriteTable(w io.Writer) error {
	base := s.Find(s.Base)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(t, "name\tprocessor time\tmin – max\twall\tmemory\tto %s\tmin – max\n", s.Base)
	for _, m := range s.All {
		if len(m.Runs) == 0 {
			fmt.Fprintf(t, "%s\t–\t–\t–\t–\t–\t–\n", m.Name)
			continue
		}
		cpu, ratio, between := m.CPU(), "–", "–"
		if base != nil {
			r := m.Ratio(base)
			ratio, between = fmt.Sprintf("%.3f", r.Median), fmt.Sprintf("%.3f – %.3f", r.Min, r.Max)
		}
		fmt.Fprintf(t, "%s\t%.2f s\t%.2f – %.2f\t%.2f s\t%.0f MiB\t%s\t%s\n", m.Name, cpu.Median, cpu.Min, cpu.Max, m.Wall().Median, m.Peak().Median/(1<<20), ratio, between)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, m := range s.All {
		if m.Missing != nil {
			if _, err := fmt.Fprintf(w, "\n%s was not measured: %v", m.Name, m.Missing); err != nil {
				return err
			}
		}
	}
	_, err := fmt.Fprintln(w)
	return err
}
