package trial

import (
	"encoding/xml"
	"fmt"
	"io"
)

// The elements of JUnit's XML that continuous integration systems read: a suite a guest, a case a trial.
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

// WriteJUnit writes the report for continuous integration. Failures are attacks that broke the guest, errors those that were
// not reached or could not be judged.
func (r *Report) WriteJUnit(w io.Writer) error {
	var all junitSuites
	for _, g := range r.Guests {
		s := junitSuite{Name: g.Image + " " + g.Platform}
		for _, t := range r.Trials {
			if t.Image == g.Image && t.Platform == g.Platform {
				s.add(t)
			}
		}
		all.Suites = append(all.Suites, s)
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(all)
}

func (s *junitSuite) add(t *Trial) {
	c := junitCase{Class: s.Name, Name: t.name(), Seconds: "0", Output: t.Why}
	if t.Record != nil {
		c.Seconds = fmt.Sprintf("%.3f", float64(t.Record.Host.WallNS)/1e9)
	}
	message := &junitMessage{string(t.Verdict) + ": " + t.Why}
	switch t.Verdict {
	case Held:
	case Broken:
		c.Failure = message
		s.Failures++
	default:
		c.Error = message
		s.Errors++
	}
	s.Tests++
	s.Cases = append(s.Cases, c)
}
