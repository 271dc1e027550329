package trial

import (
	"io"

	"github.com/tacit-vm/tacit/internal/junit"
)

// WriteJUnit writes the report for continuous integration: a suite an image and platform, a case a trial. Failures are attacks that broke the
// guest, errors those that were not reached or could not be judged.
func (r *Report) WriteJUnit(w io.Writer) error {
	var all []junit.Suite
	for _, g := range r.columns() {
		s := junit.Suite{Name: g.Image + " " + g.Platform}
		for _, t := range r.Trials {
			if t.Image == g.Image && t.Platform == g.Platform {
				s.Add(t.junit(s.Name))
			}
		}
		all = append(all, s)
	}
	return junit.Write(w, all)
}

func (t *Trial) junit(class string) junit.Case {
	c := junit.Case{Class: class, Name: t.name(), Output: t.Why}
	if t.Record != nil {
		c.Seconds = junit.SecondsOf(t.Record.Host.WallNS)
	}
	message := &junit.Message{Text: string(t.Verdict) + ": " + t.Why}
	switch t.Verdict {
	case Held:
	case Broken:
		c.Failure = message
	default:
		c.Error = message
	}
	return c
}
