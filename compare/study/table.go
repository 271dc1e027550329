package study

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/record"
)

// Options are how a table is written.
type Options struct {
	Callers bool // say whose acceptance changed, also where boots differ in their variant
}

// WriteTable writes a table for each block, what changed, the conditions that are met, and what has to be known.
func (s *Study) WriteTable(w io.Writer, o Options) error {
	var b bytes.Buffer
	for _, block := range s.Blocks {
		fmt.Fprintf(&b, "%s\n\n", record.Printable(block.Title))
		rows := s.Rows(block)
		writeTable(&b, s.head(), slices.Collect(func(yield func([]string) bool) {
			for _, row := range rows {
				if !yield(s.cells(row)) {
					return
				}
			}
		}))
		fmt.Fprintln(&b)
		for _, row := range rows {
			if row.Note != "" {
				fmt.Fprintf(&b, "%s: %s\n\n", record.Printable(s.label(row.Boot)), record.Printable(row.Note))
			}
		}
		if s.ByImage || o.Callers {
			for _, row := range rows[1:] {
				s.writeChanges(&b, row)
			}
		}
	}
	for _, v := range s.Verdicts {
		if text := v.text(); text != "" {
			fmt.Fprintf(&b, "%s\n", record.Printable(text))
		}
	}
	if len(s.Verdicts) > 0 {
		fmt.Fprintf(&b, "%s\n\n", s.summary())
	}
	for i, paragraph := range s.words() {
		if i > 0 {
			fmt.Fprintln(&b)
		}
		fmt.Fprintln(&b, paragraph)
	}
	_, err := w.Write(b.Bytes())
	return err
}

func writeTable(w io.Writer, head []string, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, strings.Join(head, "\t"))
	for _, row := range rows {
		for i := range row {
			row[i] = record.Printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	_ = t.Flush() // into memory
}

// label is what tells a boot from the others of its block.
func (s *Study) label(b *Boot) string {
	if s.ByImage {
		return b.Image
	}
	return b.With
}

// shown are the metrics that have a column.
var shown = []string{"init", "end", "firmware", "kernel", "operations", "exits", "host"}

// eager says whether some boot is held against a lazy one.
func (s *Study) anyEager() bool {
	return slices.ContainsFunc(s.Boots, func(b *Boot) bool { return s.eager(b) != nil })
}

// head are the heads of the columns.
func (s *Study) head() []string {
	head := []string{"with"}
	if s.ByImage {
		head[0] = "image"
	}
	for _, name := range shown {
		m, _ := compare.MetricNamed(name)
		head = append(head, m.Head)
		if name == "init" {
			head = append(head, "times")
		}
	}
	if s.anyEager() {
		head = append(head, "eager : lazy", "range", "series")
	}
	return append(head, "outcome")
}

// cells are a row of the table.
func (s *Study) cells(row Row) []string {
	cells := []string{s.label(row.Boot)}
	for _, name := range shown {
		m, _ := compare.MetricNamed(name)
		cells = append(cells, inTable(m, m.Of(row.Record)))
		if name == "init" {
			cells = append(cells, times(row.Times, name))
		}
	}
	if s.anyEager() {
		cells = append(cells, row.Eager.cells()...)
	}
	return append(cells, row.Outcome())
}

// cells are the ratio, its range, and what the series says.
func (e *Eager) cells() []string {
	cells := []string{"-", "-", "-"}
	if e == nil {
		return cells
	}
	cells[0] = ratio(e.Times)
	if e.Why == "" {
		cells[1] = ratio(e.Range.Low) + " to " + ratio(e.Range.High)
	}
	if e.Series != 0 {
		cells[2] = ratio(e.Series)
	}
	return cells
}

// inTable writes a number as a column has it: memory in one unit.
func inTable(m *compare.Metric, n *uint64) string {
	switch {
	case n == nil:
		return "-"
	case m.Unit == compare.Bytes:
		return record.FormatCount(*n>>20) + " MiB"
	}
	return m.Unit.Format(*n)
}

func times(all map[string]float64, name string) string {
	if n, ok := all[name]; ok {
		return ratio(n)
	}
	return "-"
}

// ratio writes three digits, which is what a ratio of estimates deserves, and those of 1 more exactly.
func ratio(n float64) string {
	switch {
	case n >= 100:
		return fmt.Sprintf("%.0f", n)
	case n >= 10:
		return fmt.Sprintf("%.1f", n)
	case n > 0.9 && n < 1.1:
		return fmt.Sprintf("%.3f", n)
	}
	return fmt.Sprintf("%.2f", n)
}

// mostChanges is how many of those that changed are told of one by one.
const mostChanges = 10

// writeChanges says in what a boot differs from its base.
func (s *Study) writeChanges(w io.Writer, row Row) {
	if row.Record == nil || row.Base.Record == nil {
		return
	}
	what := fmt.Sprintf("%s : %s", s.label(row.Boot), s.label(row.Base))
	var rows [][]string
	for _, m := range compare.Metrics() {
		n, base := m.Of(row.Record), m.Of(row.Base.Record)
		if n == nil || base == nil || *n == *base {
			continue
		}
		rows = append(rows, []string{m.Head, m.Unit.Format(*base), m.Unit.Format(*n), difference(m.Unit, *n, *base), times(row.Times, m.Name)})
	}
	if len(rows) == 0 {
		fmt.Fprintf(w, "%s: the same in all that is compared\n\n", record.Printable(what))
		return
	}
	changes := compare.Changes(row.Record, row.Base.Record)
	for i, c := range changes {
		if i == mostChanges {
			rows = append(rows, []string{fmt.Sprintf("… and %d others", len(changes)-i)})
			break
		}
		factor := "-"
		if c.Base > 0 {
			factor = ratio(float64(c.Now) / float64(c.Base))
		}
		rows = append(rows, []string{"for " + c.Asked, compare.Bytes.Format(c.Base), compare.Bytes.Format(c.Now), difference(compare.Bytes, c.Now, c.Base), factor})
	}
	writeTable(w, []string{what, "base", "now", "difference", "times"}, rows)
	fmt.Fprintln(w)
}

func difference(u compare.Unit, n, base uint64) string {
	if n < base {
		return "-" + u.Format(base-n)
	}
	return "+" + u.Format(n-base)
}

// summary counts what the conditions say.
func (s *Study) summary() string {
	met, unknown := 0, 0
	for _, v := range s.Verdicts {
		switch {
		case v.Err != nil:
			unknown++
		case v.Met:
			met++
		}
	}
	return fmt.Sprintf("conditions: %d judged, %d met, %d could not be told", len(s.Verdicts), met, unknown)
}
