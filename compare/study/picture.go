package study

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"
	"unicode/utf8"

	runpage "github.com/tacit-vm/tacit/record/page"
)

// The picture is one file that needs nothing else: no script, no font, no address but that of its format.
//
//go:embed picture.svg
var pictureText string

var pictureTemplate = template.Must(template.New("picture").Parse(pictureText))

// Measures of the picture, in units of its view box. A letter is at most some 7 wide.
const (
	pictureWidth = 740
	barLeft      = 214
	barWidth     = 316
	rowHeight    = 22
	titleHeight  = 40
	legendHeight = 30
	longestLabel = 29 // letters
)

type picture struct {
	Theme         template.CSS
	Width, Height int
	Legend        []legendEntry
	Rows          []pictureRow
}

type legendEntry struct {
	share
	X int
}

type pictureRow struct {
	Title    string // of a chart; empty for a bar
	Y, TextY int
	Label    string
	Parts    []part // in units of the view box
	TextX    int
	Text     string
}

// WritePicture writes the bars of all blocks as SVG.
func (s *Study) WritePicture(w io.Writer) error {
	p := picture{Theme: template.CSS(runpage.Theme), Width: pictureWidth, Height: legendHeight}
	for i, sh := range legend() {
		p.Legend = append(p.Legend, legendEntry{sh, i * 160})
	}
	for _, c := range s.charts() {
		p.Height += titleHeight
		p.Rows = append(p.Rows, pictureRow{Title: printable(c.Title), TextY: p.Height - 12})
		for _, b := range c.Bars {
			row := pictureRow{Y: p.Height + 3, TextY: p.Height + 15, Label: printable(shortened(b.Label)), TextX: barLeft + scaled(b.End) + 6, Text: b.Text}
			for _, of := range b.Parts {
				from, to := scaled(of.From), scaled(of.From+of.Width)
				row.Parts = append(row.Parts, part{of.Class, barLeft + from, max(to-from, 1)})
			}
			p.Rows = append(p.Rows, row)
			p.Height += rowHeight
		}
	}
	p.Height += 8
	var b bytes.Buffer
	if err := pictureTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func scaled(n int) int { return n * barWidth / whole }

// legend are the classes of parts, with what they mean.
func legend() []share {
	return []share{{Class: "firmware", Means: "firmware accepts"}, {Class: "kernel", Means: "the kernel accepts"}, {Class: "rest", Means: "all else until init"}}
}

// shortened is the end of a label that is too long: of a path, that says more.
func shortened(label string) string {
	if utf8.RuneCountInString(label) <= longestLabel {
		return label
	}
	runes := []rune(label)
	return "…" + string(runes[len(runes)-longestLabel+1:])
}

// printable is text without the characters that neither HTML nor XML can hold.
func printable(text string) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, []byte(text)))
}
