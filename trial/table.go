package trial

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// WriteTable writes one row a trial, and one for all trials of a guest that never began, one after the other. The last line counts
// the verdicts.
func (r *Report) WriteTable(w io.Writer) error {
	var b bytes.Buffer
	t := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "image\tplatform\tattack\tverdict\twhat was seen")
	for i, trial := range r.Trials {
		name := trial.name()
		if trial.untried {
			if name = "others"; trial.guest.err != nil {
				name = "any"
			}
			if i > 0 && r.Trials[i-1].untried && r.Trials[i-1].guest == trial.guest {
				continue
			}
		}
		row := []string{trial.Image, trial.Platform, name, trial.shown(), trial.Why}
		for i := range row {
			row[i] = record.Printable(row[i])
		}
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%s\n", r.Summary())
	_, err := w.Write(b.Bytes())
	return err
}

// name is the attack's, with what was asked for or chosen where that is not the ordinary.
func (t *Trial) name() string {
	if t.kind.Lie != "" || t.As == t.Attack+":1" {
		return t.Attack
	}
	return t.As
}

// shown is the verdict as it catches the eye.
func (t *Trial) shown() string {
	if t.Verdict == Held {
		return string(t.Verdict)
	}
	return strings.ToUpper(string(t.Verdict))
}

// Summary counts the verdicts in one line.
func (r *Report) Summary() string {
	text := fmt.Sprintf("%d trials: %d held, %d broken, %d not reached", len(r.Trials), r.Count(Held), r.Count(Broken), r.Count(NotReached))
	if n := r.Count(Unjudged); n > 0 {
		text += fmt.Sprintf(", %d unjudged", n)
	}
	return text
}

// WriteJSON writes the report as indented JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	return schema.Write(w, r)
}
