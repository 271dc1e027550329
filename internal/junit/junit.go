// Package junit writes the XML of JUnit that continuous integration systems read.
package junit

import (
	"encoding/xml"
	"fmt"
	"io"
)

// A Suite is cases that belong together.
type Suite struct {
	Name     string `xml:"name,attr"`
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Cases    []Case `xml:"testcase"`
}

// A Case is one test.
type Case struct {
	Class   string   `xml:"classname,attr"`
	Name    string   `xml:"name,attr"`
	Seconds Seconds  `xml:"time,attr"`
	Failure *Message `xml:"failure,omitempty"` // it shows what it should not
	Error   *Message `xml:"error,omitempty"`   // it shows nothing
	Output  string   `xml:"system-out,omitempty"`
}

// A Message says what is wrong, in one line.
type Message struct {
	Text string `xml:"message,attr"`
}

// Seconds is how long a case took.
type Seconds float64

// SecondsOf converts nanoseconds.
func SecondsOf(ns int64) Seconds { return Seconds(float64(ns) / 1e9) }

// MarshalText writes milliseconds, and no exponent.
func (s Seconds) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "%.3f", float64(s)), nil }

// Add adds a case, and counts it.
func (s *Suite) Add(c Case) {
	s.Tests++
	if c.Failure != nil {
		s.Failures++
	}
	if c.Error != nil {
		s.Errors++
	}
	s.Cases = append(s.Cases, c)
}

// Write writes suites.
func Write(w io.Writer, suites []Suite) error {
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	e := xml.NewEncoder(w)
	e.Indent("", "  ")
	return e.Encode(struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []Suite  `xml:"testsuite"`
	}{Suites: suites})
}
