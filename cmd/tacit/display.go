package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/compare"
)

// A display is a terminal that text can be drawn on again; nil where there is none.
type display struct{ file *os.File }

// displayOf returns the terminal behind w, nil where w is none or is one that knows no control sequences.
func displayOf(w io.Writer) *display {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) || os.Getenv("TERM") == "dumb" {
		return nil
	}
	return &display{file}
}

// moves says whether a few lines can be drawn again and again: a line that wraps, or scrolls off, could not be found.
func (t *display) moves() bool {
	if t == nil {
		return false
	}
	const rows = 8
	width, height, err := term.GetSize(int(t.file.Fd()))
	return err == nil && width >= compare.TextWidth && height >= rows
}

// paintFor colours what a terminal shows, unless NO_COLOR is set (https://no-color.org).
func paintFor(t *display) compare.Paint {
	if t == nil || os.Getenv("NO_COLOR") != "" {
		return compare.NoPaint
	}
	colours := map[compare.Kind]string{compare.Held: "\x1b[32m", compare.Free: "\x1b[36m", compare.Unaccepted: "\x1b[2m", compare.Lost: "\x1b[31m"}
	return func(k compare.Kind, text string) string { return colours[k] + text + "\x1b[0m" } // ECMA-48: SGR
}
