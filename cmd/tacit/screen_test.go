package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
)

// A terminal knows what a terminal does with the bytes that a screen writes, and nothing else.
type terminal struct {
	lines  []string // finished
	line   []rune
	column int
	widest int
}

func (t *terminal) Write(p []byte) (int, error) {
	text := string(p)
	for text != "" {
		switch {
		case strings.HasPrefix(text, "\x1b[K"):
			t.line = t.line[:t.column]
			text = text[len("\x1b[K"):]
			continue
		case text[0] == '\n':
			t.lines = append(t.lines, string(t.line))
			t.line, t.column = nil, 0
			text = text[1:]
			continue
		case text[0] == '\r':
			t.column = 0
			text = text[1:]
			continue
		}
		for _, r := range text {
			t.line = append(t.line[:t.column], r)
			t.column++
			text = text[len(string(r)):]
			break
		}
		t.widest = max(t.widest, t.column)
	}
	return len(p), nil
}

// Nothing of the status line stays behind, whatever the guest writes between its updates.
func TestStatusLineIsErased(t *testing.T) {
	tty := &terminal{}
	s := newScreen(tty, tty, func() int { return 40 })
	seen := 0
	for i, text := range []string{"one\n", "two ", "", "two\nthree\n", "\n", "four"} {
		s.drawn = time.Time{} // long ago
		s.progress(record.Progress{Stamp: record.Stamp{VirtualNS: int64(i) * 1e9, Instructions: 1e9}, UnacceptedBytes: 3 << 30})
		if s.shown {
			seen++
			if line := string(tty.line); !strings.Contains(line, "virtual") {
				t.Errorf("before %q the line is %q", text, line)
			}
		} else if len(tty.line) == 0 {
			t.Errorf("before %q there is no status line", text)
		}
		if _, err := s.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := strings.Join(tty.lines, "\n"), "one\ntwo two\nthree\n\nfour"; got != want || len(tty.line) != 0 {
		t.Errorf("the terminal shows %q and %q, want %q", got, string(tty.line), want)
	}
	if seen != 4 {
		t.Errorf("the status line was there %d times", seen)
	}
	if tty.widest >= 40 {
		t.Errorf("the status line is %d wide on a terminal of 40", tty.widest)
	}
}

// Updates cost nothing between intervals.
func TestStatusLineWaits(t *testing.T) {
	tty := &terminal{}
	s := newScreen(tty, tty, func() int { return 80 })
	s.drawn = time.Now().Add(time.Hour)
	s.progress(record.Progress{})
	if tty.widest != 0 {
		t.Errorf("drawn before its time: %q", string(tty.line))
	}
}

func TestStatusText(t *testing.T) {
	p := record.Progress{
		Stamp: record.Stamp{VirtualNS: 4_213_000_000, Instructions: 2_000_000_000}, AcceptedBytes: 1100 << 20, UnacceptedBytes: 2996 << 20,
	}
	text := statusText(p, record.Progress{Stamp: record.Stamp{Instructions: 1_990_000_000}}, 100*time.Millisecond)
	for _, want := range []string{"4.2 s virtual", "2000 M instr", "100 MIPS", "accepted 1100 ", "unaccepted 2996 MiB"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in %q", want, text)
		}
	}
	if len(text) > 79 {
		t.Errorf("%d columns: %q", len(text), text)
	}
}

// Without a terminal the console is all there is, byte by byte.
func TestConsoleAlone(t *testing.T) {
	var out bytes.Buffer
	s := newScreen(&out, nil, nil)
	for _, text := range []string{"a", "b\r\n", "\x1b[1mc\x1b[0m\n"} {
		s.drawn = time.Time{}
		s.progress(record.Progress{})
		s.Write([]byte(text))
	}
	if err := s.Close(); err != nil || out.String() != "ab\r\n\x1b[1mc\x1b[0m\n" {
		t.Errorf("%q, %v", out.String(), err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestConsoleErrorIsReported(t *testing.T) {
	s := newScreen(broken{}, nil, nil)
	s.Write([]byte("lost"))
	s.Write([]byte("too"))
	if err := s.Close(); err == nil || err.Error() != "disk full" {
		t.Errorf("Close returned %v", err)
	}
}
