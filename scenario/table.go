package scenario

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// Schema names the version of the JSON form.
const Schema = "tacit.scenarios/1"

// A List is what scenarios there are, as JSON.
type List struct {
	Schema    string      `json:"schema"`
	Scenarios []*Scenario `json:"scenarios"`
}

// ListSchema names the version of the JSON form of a List.
const ListSchema = "tacit.scenario-list/1"

// A Report is what came of scenarios.
type Report struct {
	Schema    string    `json:"schema"`
	Tool      string    `json:"tool"` // what made it, with its version; the caller's to say
	Scenarios []*Result `json:"scenarios"`
}

// WriteList writes what there is, a scenario at a time.
func WriteList(w io.Writer, all []*Scenario) error {
	var b bytes.Buffer
	for _, s := range all {
		long := ""
		if s.Long {
			long = ", takes long"
		}
		fmt.Fprintf(&b, "%s  (%s%s)\n  met       %s\n  in        %s\n  expected  %s\n", s.Name, s.Wants(), long, s.What, s.Source, s.Expected)
		if s.Why != "" {
			fmt.Fprintf(&b, "  but       %s\n", s.Why)
		}
		if len(s.Needs) > 0 {
			fmt.Fprintf(&b, "  needs     scripts/fetch-kernels %s\n", strings.Join(s.Needs, " "))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// WriteTable writes one row a scenario, and under them what was expected and seen of each. The last line counts the verdicts.
func (r *Report) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "scenario\tverdict\twhat users met")
	for _, s := range r.Scenarios {
		fmt.Fprintf(t, "%s\t%s\t%s\n", s.Scenario.Name, s.shown(), s.Scenario.What)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, s := range r.Scenarios {
		fmt.Fprintf(&b, "\n%s: %s\n  met       %s\n  in        %s\n  expected  %s\n  seen      %s\n",
			s.Scenario.Name, s.shown(), s.Scenario.What, s.Scenario.Source, s.Scenario.Expected, record.Printable(s.Seen))
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary())
	_, err := w.Write(b.Bytes())
	return err
}

// shown is the verdict as it catches the eye.
func (r *Result) shown() string {
	if r.AsKnown {
		return string(r.Verdict)
	}
	return strings.ToUpper(string(r.Verdict))
}

// Count says how many scenarios came to a verdict.
func (r *Report) Count(v Verdict) (n int) {
	for _, s := range r.Scenarios {
		if s.Verdict == v {
			n++
		}
	}
	return n
}

// Others says how many were run and came to another verdict than the one that they are known to come to.
func (r *Report) Others() (n int) {
	for _, s := range r.Scenarios {
		if s.Verdict != NotRun && !s.AsKnown {
			n++
		}
	}
	return n
}

// Summary counts the verdicts in one line.
func (r *Report) Summary() string {
	text := fmt.Sprintf("%d scenarios: %d reproduced, %d not reproduced, %d that cannot be had",
		len(r.Scenarios), r.Count(Reproduced), r.Count(NotReproduced), r.Count(CannotBeHad))
	if n := r.Count(NotRun); n > 0 {
		text += fmt.Sprintf(", %d not run", n)
	}
	return text
}

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	return schema.Write(w, r)
}
