package main

import (
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/compare/demo"
)

// A display is a terminal that text can be drawn on again; nil where there is none.
type display struct{ file *os.File }

// displayOf returns the terminal that w writes to, nil where w is none or is one that knows no control sequences.
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
	return err == nil && width >= demo.TextWidth && height >= rows
}

// colours says whether there is a terminal, and its user wants colours (https://no-color.org).
func (t *display) colours() bool { return t != nil && os.Getenv("NO_COLOR") == "" }

// Colours that a terminal has (ECMA-48: SGR).
const (
	red, green, yellow, cyan, dim = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m", "\x1b[2m"
	noColour                      = "\x1b[0m"
)

// paintFor colours what a terminal shows.
func paintFor(t *display) demo.Paint {
	if !t.colours() {
		return demo.NoPaint
	}
	colours := map[demo.Kind]string{demo.Held: green, demo.Free: cyan, demo.Unaccepted: dim, demo.Lost: red}
	return func(k demo.Kind, text string) string { return colours[k] + text + noColour }
}
