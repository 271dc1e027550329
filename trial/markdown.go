package trial

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// WriteMarkdown writes what was seen as a table for docs/attacks.md: a row an attack, a column an image and platform that
// could be tried, and below it what broke which.
func (r *Report) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	guests := slices.DeleteFunc(r.columns(), func(g Guest) bool { return g.Error != "" })
	b.WriteString("| attack |")
	for _, g := range guests {
		fmt.Fprintf(&b, " %s, %s |", strings.ToUpper(g.Platform), markdown(g.Image))
	}
	fmt.Fprintf(&b, "\n|---|%s\n", strings.Repeat("---|", len(guests)))
	for _, a := range r.Attacks {
		row, some := fmt.Sprintf("| `%s` |", a.Name), false
		for _, g := range guests {
			cell := "–"
			for _, t := range r.Trials {
				if t.Image == g.Image && t.Platform == g.Platform && t.Attack == a.Name {
					cell, some = t.brief(), true
					break
				}
			}
			row += " " + cell + " |"
		}
		if some {
			fmt.Fprintln(&b, row)
		}
	}
	b.WriteString("\n")
	for _, t := range r.Trials {
		if t.Verdict == Broken {
			fmt.Fprintf(&b, "- `%s`, %s, %s: %s.\n", t.name(), strings.ToUpper(t.Platform), markdown(t.Image), markdown(t.Why))
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// columns are the guests without those that differ from an earlier one by nothing but their machine.
func (r *Report) columns() (all []Guest) {
	for _, g := range r.Guests {
		if !slices.ContainsFunc(all, func(o Guest) bool { return o.Image == g.Image && o.Platform == g.Platform }) {
			all = append(all, g)
		}
	}
	return all
}

// brief is the verdict with how the guest ended.
func (t *Trial) brief() string {
	switch {
	case t.Verdict == Broken:
		return "**broken**"
	case t.Verdict != Held:
		return string(t.Verdict)
	case t.Record == nil:
		return "held"
	}
	if _, refused := occurred(t.Record); refused != "" {
		return "held: refused"
	}
	if t.Record.Outcome == record.PowerOff || t.Record.Outcome == record.Untested {
		if happened, _ := occurred(t.Record); !happened {
			return "held: never asked"
		}
		return "held: unharmed"
	}
	return "held: " + string(t.Record.Outcome)
}

// markdown makes a guest's text harmless in a table.
func markdown(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "\n", " ", "`", "'").Replace(record.Printable(text))
}
