package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/tacit-vm/tacit/internal/schema"
)

// Schema names the form of a report's file.
const Schema = "tacit-bench-1"

// A Report is what a call of tacit bench measured, and on what.
type Report struct {
	Schema  string    `json:"schema"`
	Host    string    `json:"host"` // operating system, architecture and Go version
	Results []*Result `json:"results"`
}

// NewReport returns an empty report about this host.
func NewReport() *Report {
	return &Report{Schema: Schema, Host: fmt.Sprintf("%s/%s, %s", runtime.GOOS, runtime.GOARCH, runtime.Version())}
}

// Write writes the report, for Read.
func (r *Report) Write(w io.Writer) error {
	return schema.Write(w, r)
}

// Read reads a report that Write has written.
func Read(text []byte) (*Report, error) {
	r := new(Report)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("no report of tacit bench --save: %w", err)
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("no report of tacit bench --save: its schema is %q and not %s", r.Schema, Schema)
	}
	return r, nil
}

// find returns the result of a workload, or nil.
func (r *Report) find(name string) *Result {
	for _, one := range r.Results {
		if one.Name == name {
			return one
		}
	}
	return nil
}

// WriteTable prints the report for people; with how it compares to earlier, where that is not nil. A ratio above 1 is
// faster than before. It is marked where the spreads of the two do not meet, so that it is more than noise.
func (r *Report) WriteTable(w io.Writer, earlier *Report) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	header := "name\tmedian\tmin – max\t\truns\twall\t"
	if earlier != nil {
		header += "before\tratio\t"
	}
	fmt.Fprintln(t, header)
	for _, one := range r.Results {
		fmt.Fprintf(t, "%s\t%.1f\t%.1f – %.1f\t%s\t%d\t%v\t", one.Name, one.Median(), one.Min(), one.Max(), one.Unit, len(one.Runs), one.Wall().Round(10*time.Millisecond))
		if earlier != nil {
			before, ratio := "–", "–"
			if old := earlier.find(one.Name); old != nil && old.Unit == one.Unit && old.Median() > 0 {
				before, ratio = fmt.Sprintf("%.1f", old.Median()), fmt.Sprintf("%.2f", one.Median()/old.Median())
				if one.Min() > old.Max() || one.Max() < old.Min() {
					ratio += " *"
				}
			}
			fmt.Fprintf(t, "%s\t%s\t", before, ratio)
		}
		fmt.Fprintln(t)
	}
	return t.Flush()
}
