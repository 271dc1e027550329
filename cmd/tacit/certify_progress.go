package main

import (
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
)

// certifyProgress writes a line about every boot that has ended, and on a terminal keeps one below them that says which
// boots run, and how far each is.
type certifyProgress struct {
	mu     sync.Mutex
	out    io.Writer
	status io.Writer  // out, where that is a terminal; else nil
	width  func() int // of the terminal

	done, all int
	running   []underway
	drawn     time.Time
	shown     bool
}

// underway is a boot that runs.
type underway struct {
	boot    *certify.Boot
	reached record.Phase
	ns      int64 // virtual
}

func newCertifyProgress(stderr io.Writer) *certifyProgress {
	p := &certifyProgress{out: stderr}
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
func (p *certifyProgress) reading(path string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw("reading " + record.Printable(path))
}

// watcher is what the boots are watched by; nil where they are not watched.
func (p *certifyProgress) watcher() func(b *certify.Boot, reached record.Phase, at record.Progress) {
	if p.status == nil {
		return nil
	}
	return p.watch
}

func (p *certifyProgress) watch(b *certify.Boot, reached record.Phase, at record.Progress) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := underway{b, reached, at.VirtualNS}
	i := p.find(b)
	if i < 0 {
		p.running, p.drawn = append(p.running, now), time.Time{} // a new one is shown at once
	} else {
		p.running[i] = now
	}
	if time.Since(p.drawn) >= statusInterval {
		p.draw(p.text())
	}
}

func (p *certifyProgress) find(b *certify.Boot) int {
	return slices.IndexFunc(p.running, func(u underway) bool { return u.boot == b })
}

// ended writes the line of a boot.
func (p *certifyProgress) ended(done, all int, b *certify.Boot) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done, p.all = done, all
	if i := p.find(b); i >= 0 {
		p.running = slices.Delete(p.running, i, i+1)
	}
	outcome := "error: " + b.Error
	if b.Record != nil {
		outcome = string(b.Record.Outcome)
	}
	p.erase()
	fmt.Fprintf(p.out, "tacit: %d of %d  %s  %s  %s  %s  %s\n",
		done, all, record.Printable(b.Image), b.Platform, b.Policy, record.FormatBytes(b.Memory), record.Printable(outcome))
	if len(p.running) > 0 {
		p.draw(p.text())
	}
}

// text is the status line: how many boots have ended, and of those that run the phase and the virtual time. Where there
// is no room, names are cut: all boots are to be seen.
func (p *certifyProgress) text() string {
	const between, shortest = " | ", 6
	line := fmt.Sprintf("%d ended", p.done)
	if p.all > 0 {
		line = fmt.Sprintf("%d of %d ended", p.done, p.all)
	}
	rest, room := make([]string, len(p.running)), p.width()-1-len(line)
	for i, u := range p.running {
		rest[i] = fmt.Sprintf(" %s/%s %v %.1f s", u.boot.Platform, u.boot.Policy, u.reached, float64(u.ns)/1e9)
		room -= len(between) + len(rest[i])
	}
	for i, u := range p.running {
		name := []rune(record.Printable(u.boot.Image))
		if most := max(room/len(p.running), shortest); len(name) > most {
			name = append(name[:most-1], '…')
		}
		line += between + string(name) + rest[i]
	}
	return line
}

func (p *certifyProgress) draw(text string) {
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

func (p *certifyProgress) erase() {
	if p.shown {
		io.WriteString(p.status, eraseLine)
		p.shown = false
	}
}

// close erases the status line.
func (p *certifyProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.erase()
}
