package main

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// statusInterval is how often the status line changes.
const statusInterval = 200 * time.Millisecond

// screen shows the guest's console and under it one status line, on one terminal or on two streams. The status line is
// there whenever the console is between two lines; console output erases it first, so that nothing of it stays behind.
type screen struct {
	mu      sync.Mutex
	console io.Writer
	status  io.Writer  // nil for no status line
	width   func() int // of the terminal that status is

	midLine bool   // the console has begun a line
	shown   bool   // the status line is on the terminal
	text    string // that is on it, or will be
	err     error  // the first that writing to the console gave

	drawn time.Time       // when text was made
	last  record.Progress // and from what
}

func newScreen(console, status io.Writer, width func() int) *screen {
	return &screen{console: console, status: status, width: width, drawn: time.Now()}
}

// Write takes output of the guest's console.
func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	s.erase()
	n, err := s.console.Write(p)
	if s.err == nil {
		s.err = err
	}
	s.midLine = !bytes.HasSuffix(p, []byte("\n"))
	s.show()
	return n, err
}

// progress takes where the run is. It is cheap when the status line need not change yet.
func (s *screen) progress(p record.Progress) {
	if s.status == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	elapsed := now.Sub(s.drawn)
	if elapsed < statusInterval {
		return
	}
	s.text = statusText(p, s.last, elapsed)
	s.drawn, s.last = now, p
	s.erase()
	s.show()
}

// Close erases the status line and leaves the cursor at the beginning of a line. It returns the first error that
// writing to the console gave.
func (s *screen) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.erase()
	s.status = nil
	if s.midLine && s.err == nil {
		s.midLine = false
		_, s.err = io.WriteString(s.console, "\n")
	}
	return s.err
}

// statusText says where a run is, in less than 80 columns: the speed is that since the last time.
func statusText(p, last record.Progress, since time.Duration) string {
	return fmt.Sprintf("%.1f s virtual | %d M instr | %.0f MIPS | accepted %d | unaccepted %d MiB",
		float64(p.VirtualNS)/1e9, p.Instructions/1e6,
		float64(p.Instructions-last.Instructions)/float64(since.Microseconds()+1),
		p.AcceptedBytes>>20, p.UnacceptedBytes>>20)
}

const eraseLine = "\r\x1b[K" // ECMA-48: carriage return, EL (erase to the end of the line)

func (s *screen) erase() {
	if s.shown {
		io.WriteString(s.status, eraseLine)
		s.shown = false
	}
}

func (s *screen) show() {
	if s.status == nil || s.midLine || s.text == "" {
		return
	}
	// A line as wide as the terminal would wrap, and erasing would leave half of it.
	text := []rune(s.text)
	if room := s.width() - 1; len(text) > room {
		text = text[:max(room, 0)]
	}
	io.WriteString(s.status, string(text))
	s.shown = true
}
