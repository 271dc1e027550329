package vm

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"

	"github.com/tacit-vm/tacit/record"
)

// An expectation is what somebody waits for on the console.
type expectation struct {
	text []byte         // or
	re   *regexp.Regexp // which is looked for in whole lines

	found []string // what the expression and its groups matched, or the text; nil before
}

// look looks for it in what has been shown, and returns where it ends, or -1.
func (e *expectation) look(shown []byte) int {
	if e.re == nil {
		at := bytes.Index(shown, e.text)
		if at < 0 {
			return -1
		}
		e.found = []string{string(e.text)}
		return at + len(e.text)
	}
	shown = shown[:bytes.LastIndexByte(shown, '\n')+1]
	at := e.re.FindSubmatchIndex(shown)
	if at == nil {
		return -1
	}
	for i := 0; i < len(at); i += 2 {
		text := ""
		if at[i] >= 0 {
			text = string(shown[at[i]:at[i+1]])
		}
		e.found = append(e.found, text)
	}
	return at[1]
}

// maxShown is how much of the console an expectation looks back on, in bytes.
const maxShown = 64 << 10

// show keeps what has been shown since the last expectation, and looks whether it is what is expected.
func (c *console) show(b byte) {
	if len(c.shown) >= 2*maxShown {
		c.shown = append(c.shown[:0], c.shown[maxShown:]...)
	}
	c.shown = append(c.shown, b)
	if e := c.expected; e != nil && e.found == nil && (e.re == nil && bytes.HasSuffix(c.shown, e.text) || e.re != nil && b == '\n') {
		if c.meet() {
			c.pause()
		}
	}
}

// meet looks for what is expected, and forgets what was shown up to its end.
func (c *console) meet() bool {
	end := c.expected.look(c.shown)
	if end < 0 {
		return false
	}
	c.shown = append(c.shown[:0], c.shown[end:]...)
	return true
}

// ExpectString runs the machine until its console has shown a text: since the start of the run, since [Load] or
// [Machine.Fork], or since what was expected last. The machine stands after the instruction that showed its last byte, and
// can be forked, saved or run on. Where the run ends without it, the error is an *[ExpectError]; where ctx is done, so does
// the run.
func (m *Machine) ExpectString(ctx context.Context, text string) error {
	_, err := m.expectOutput(ctx, &expectation{text: []byte(text)})
	return err
}

// ExpectRE is [Machine.ExpectString] for an expression, which is looked for in whole lines. It returns what the expression
// and its groups match.
func (m *Machine) ExpectRE(ctx context.Context, re *regexp.Regexp) ([]string, error) {
	return m.expectOutput(ctx, &expectation{re: re})
}

func (m *Machine) expectOutput(ctx context.Context, e *expectation) ([]string, error) {
	c := &m.console
	c.expected = e
	defer func() { c.expected = nil }()
	if c.meet() {
		return e.found, nil
	}
	came, err := m.Run(ctx, Event{kind: atOutput})
	if err != nil || came {
		return e.found, err
	}
	if e.found != nil { // the last that it showed
		return e.found, nil
	}
	r, err := m.Record()
	if err != nil {
		return nil, err
	}
	what := string(e.text)
	if e.re != nil {
		what = e.re.String()
	}
	return nil, &ExpectError{What: what, Outcome: r.Outcome, Shown: string(c.shown)}
}

// An ExpectError says that a run ended before its console had shown what was expected.
type ExpectError struct {
	What    string // the text or the expression
	Outcome record.Outcome
	Shown   string // on the console since what was expected last, the end of it
}

func (e *ExpectError) Error() string {
	const last = 200
	return fmt.Sprintf("%q was expected on the console; the run has ended with %s, and the console with %q", e.What, e.Outcome, e.Shown[max(0, len(e.Shown)-last):])
}

// Type types on the first serial port, and returns how many bytes the port has taken: there is room for 4096 that the
// guest has not read. With less than all of the text comes [io.ErrShortWrite].
func (m *Machine) Type(text string) (n int, err error) {
	if n = m.keyboard.put([]byte(text)); n < len(text) {
		return n, io.ErrShortWrite
	}
	return n, nil
}
