package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/record"
)

// bootsProgress writes a line about every boot that has ended, and on a terminal keeps one below them that says which
// boots run, and how far each is.
type bootsProgress struct {
	mu     sync.Mutex
	out    io.Writer
	status io.Writer  // out, where that is a terminal; else nil
	width  func() int // of the terminal

	done, all int
	running   []underway
	drawn     time.Time
	shown     bool
}

// A bootName is what a line calls one of those that run.
type bootName struct {
	image string // cut where there is no room
	how   string // "tdx/lazy"
}

// underway is a boot that runs.
type underway struct {
	boot any // a pointer, by which it is known
	bootName
	reached record.Phase
	ns      int64 // virtual
}

func newBootsProgress(stderr io.Writer) *bootsProgress {
	p := &bootsProgress{out: stderr}
	if t := displayOf(stderr); t != nil {
		p.status, p.width = stderr, func() int {
			width, _, err := term.GetSize(int(t.file.Fd()))
			if err != nil || width <= 0 {
				return 80
			}
			return width
		}
	}
	return p
}

// reading says which image is read. What takes less than a moment is not told.
func (p *bootsProgress) reading(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw("reading " + record.Printable(path))
}

// fetching says how much of an image has come that is fetched first.
func (p *bootsProgress) fetching(name string, read, size int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.status != nil && time.Since(p.drawn) >= statusInterval {
		p.draw(fmt.Sprintf("fetching %s: %d of %d MiB", record.Printable(name), read>>20, size>>20))
	}
}

// watched says whether it is shown how far boots are.
func (p *bootsProgress) watched() bool { return p.status != nil }

func (p *bootsProgress) watch(boot any, name bootName, reached record.Phase, at record.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := underway{boot, name, reached, at.VirtualNS}
	i := p.find(boot)
	if i < 0 {
		p.running, p.drawn = append(p.running, now), time.Time{} // a new one is shown at once
	} else {
		p.running[i] = now
	}
	if time.Since(p.drawn) >= statusInterval {
		p.draw(p.text())
	}
}

func (p *bootsProgress) find(boot any) int {
	return slices.IndexFunc(p.running, func(u underway) bool { return u.boot == boot })
}

// ended writes the line of a boot, and what it says of it.
func (p *bootsProgress) ended(done, all int, boot any, says ...string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.all = done, all
	if i := p.find(boot); i >= 0 {
		p.running = slices.Delete(p.running, i, i+1)
	}
	p.erase()
	fmt.Fprintf(p.out, "tacit: %d of %d  %s\n", done, all, record.Printable(strings.Join(says, "  ")))
	if len(p.running) > 0 {
		p.draw(p.text())
	}
}

// text is the status line: how many boots have ended, and of those that run the phase and the virtual time. Where there
// is no room, names are cut: all boots are to be seen.
func (p *bootsProgress) text() string {
	const between, shortest = " | ", 6
	line := fmt.Sprintf("%d ended", p.done)
	if p.all > 0 {
		line = fmt.Sprintf("%d of %d ended", p.done, p.all)
	}
	rest, room := make([]string, len(p.running)), p.width()-1-len(line)
	for i, u := range p.running {
		rest[i] = fmt.Sprintf(" %s %v %.1f s", u.how, u.reached, float64(u.ns)/1e9)
		room -= len(between) + len(rest[i])
	}
	for i, u := range p.running {
		name := []rune(record.Printable(u.image))
		if most := max(room/len(p.running), shortest); len(name) > most {
			name = append(name[:most-1], '…')
		}
		line += between + string(name) + rest[i]
	}
	return line
}

func (p *bootsProgress) draw(text string) {
	if p.status == nil {
		return
	}
	p.erase()
	line := []rune(text)
	if room := p.width() - 1; len(line) > room { // a line that wraps could not be erased
		line = line[:max(room, 0)]
	}
	io.WriteString(p.status, string(line))
	p.shown, p.drawn = true, time.Now()
}

func (p *bootsProgress) erase() {
	if p.shown {
		io.WriteString(p.status, eraseLine)
		p.shown = false
	}
}

// close erases the status line.
func (p *bootsProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}
