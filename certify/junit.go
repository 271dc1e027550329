package certify

import (
	"encoding/xml"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// The elements of JUnit's XML that continuous integration systems read: a suite an image, a case a boot, and one for
// the verdict.
type junitSuites struct {
	XMLName xml.Name     `xml:"testsuites"`
	Suites  []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Class   string        `xml:"classname,attr"`
	Name    string        `xml:"name,attr"`
	Seconds string        `xml:"time,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Error   *junitMessage `xml:"error,omitempty"`
	Output  string        `xml:"system-out,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
}

// WriteJUnit writes the certificate for continuous integration. Failures are what is required and not so, in the case
// of the boot that does not show it and in that of the verdict, and claims that the boots contradict. Errors are boots
// that prove nothing, images that could not be booted, and what is required and could not be judged. A boot that ends
// with a violation, or loses memory, is no failure by itself: that is what the image does.
func (c *Certificate) WriteJUnit(w io.Writer) error {
	var all junitSuites
	for i, v := range c.Verdicts {
		s := junitSuite{Name: v.Image}
		for _, b := range of(i, c.Boots) {
			s.add(b.junit())
		}
		s.add(v.junit())
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(all)
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

func (b *Boot) junit() junitCase {
	c := junitCase{Class: b.Image, Name: b.title(), Seconds: "0"}
	r := b.Record
	if r == nil {
		c.Error = &junitMessage{b.Error}
		return c
	}
	c.Seconds = fmt.Sprintf("%.3f", float64(r.Host.WallNS)/1e9)
	c.Output = fmt.Sprintf("outcome %s", r.Outcome)
	if r.Diagnosis != nil {
		c.Output += ": " + r.Diagnosis.Summary
	}
	if !b.Proves() {
		c.Error = &junitMessage{"the boot did not come to an end of the guest's own: " + c.Output}
	}
	var unmet []string
	for _, name := range slices.Sorted(maps.Keys(b.Required)) {
		if b.Required[name] == No {
			unmet = append(unmet, fmt.Sprintf("required %s: no: %s", name, b.failing(criteria[name])))
		}
	}
	if len(unmet) > 0 {
		c.Failure = &junitMessage{strings.Join(unmet, "; ")}
	}
	return c
}

func (v *Verdict) junit() junitCase {
	c := junitCase{Class: v.Image, Name: "verdict", Seconds: "0", Output: v.Line}
	wrong := &junitMessage{strings.Join(append(slices.Clone(v.Disagreements), v.unmet...), "; ")}
	switch {
	case v.Error != "":
		c.Error = &junitMessage{v.Error}
	case v.Result == Failed:
		c.Failure = wrong
	case len(v.unmet) > 0:
		c.Error = wrong
	}
	return c
}
