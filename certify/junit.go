package certify

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/internal/junit"
)

// WriteJUnit writes the certificate for continuous integration: a suite an image, a case a boot, and one for the verdict.
// Failures are what is required and not so, in the case of the boot that does not show it and in that of the verdict, and
// claims that the boots contradict. Errors are boots that prove nothing, images that could not be booted, and what is required
// and could not be judged. A boot that ends with a violation, or loses memory, is no failure by itself: that is what the image
// does.
func (c *Certificate) WriteJUnit(w io.Writer) error {
	var all []junit.Suite
	for i, v := range c.Verdicts {
		s := junit.Suite{Name: v.Image}
		for _, b := range of(i, c.Boots) {
			s.Add(b.junit())
		}
		s.Add(v.junit())
		all = append(all, s)
	}
	return junit.Write(w, all)
}

func (b *Boot) junit() junit.Case {
	c := junit.Case{Class: b.Image, Name: b.title()}
	r := b.Record
	if r == nil {
		c.Error = &junit.Message{Text: b.Error}
		return c
	}
	c.Seconds = junit.SecondsOf(r.Host.WallNS)
	c.Output = fmt.Sprintf("outcome %s", r.Outcome)
	if r.Diagnosis != nil {
		c.Output += ": " + r.Diagnosis.Summary
	}
	if !b.Proves() {
		c.Error = &junit.Message{Text: "the boot did not come to an end of the guest's own: " + c.Output}
	}
	var unmet []string
	for _, name := range slices.Sorted(maps.Keys(b.Required)) {
		if b.Required[name] == No {
			unmet = append(unmet, fmt.Sprintf("required %s: no: %s", name, b.failing(criteria[name])))
		}
	}
	if len(unmet) > 0 {
		c.Failure = &junit.Message{Text: strings.Join(unmet, "; ")}
	}
	return c
}

func (v *Verdict) junit() junit.Case {
	c := junit.Case{Class: v.Image, Name: "verdict", Output: v.Line}
	wrong := &junit.Message{Text: strings.Join(append(slices.Clone(v.Disagreements), v.unmet...), "; ")}
	switch {
	case v.Error != "":
		c.Error = &junit.Message{Text: v.Error}
	case v.Result == Failed:
		c.Failure = wrong
	case len(v.unmet) > 0:
		c.Error = wrong
	}
	return c
}
