package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/record"
)

// progressLine says on a terminal how far the inspection of files is. Without a terminal it says nothing. What takes
// less than a moment is not told at all.
type progressLine struct {
	mu     sync.Mutex
	out    io.Writer // nil for none
	files  int
	ready  int
	drawn  time.Time
	shown  bool
	closed bool
}

func newProgressLine(stderr io.Writer, files int) *progressLine {
	p := &progressLine{files: files, drawn: time.Now()}
	if f, ok := stderr.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.out = f
	}
	return p
}

// of returns what is told how far a file has been read; nil if that is not wanted.
func (p *progressLine) of(file string) func(read, size int64) {
	if p.out == nil {
		return nil
	}
	return func(read, size int64) {
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.closed || time.Since(p.drawn) < statusInterval {
			return
		}
		p.drawn, p.shown = time.Now(), true
		fmt.Fprintf(p.out, "%s%s", eraseLine, progressText(record.Printable(filepath.Base(file)), read, size, p.ready, p.files))
	}
}

// progressText is at most 79 columns wide.
func progressText(file string, read, size int64, ready, files int) string {
	const longest = 34
	if name := []rune(file); len(name) > longest {
		file = "…" + string(name[len(name)-longest+1:])
	}
	return fmt.Sprintf("%s: %d of %d MiB | %d of %d files", file, read>>20, size>>20, ready, files)
}

func (p *progressLine) finished() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ready++
}

func (p *progressLine) done() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed = true; p.shown {
		fmt.Fprint(p.out, eraseLine)
	}
}
