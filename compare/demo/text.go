package demo

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// Widths of the text, in columns. All of it fits into TextWidth.
const (
	TextWidth = 80

	labelWidth  = 20
	cellWidth   = 14 // of a bar in the table; four and a column between them
	statusWidth = 24 // of a bar in a status
)

// A Status is where a guest is, or how it ended: one line.
type Status struct {
	Bar
	Init *int64 // when its program started, in virtual nanoseconds; nil means that it has not
	End  string // empty while it runs
}

// Status is how the guest ended.
func (r *Result) Status() Status {
	return Status{Bar: r.Last(), Init: r.Record.VirtualNS.Init, End: r.End()}
}

// Line writes the status of guest i, at most TextWidth columns and no line feed.
func (s *Status) Line(i int, g *Guest, paint Paint) string {
	bar := s.Draw(statusWidth, paint)
	if s.Memory == 0 {
		bar = strings.Repeat(" ", statusWidth)
	}
	end := s.End
	if s.Lost > 0 && end != "" {
		end = paint(Lost, end)
	}
	return strings.TrimRight(fmt.Sprintf("%d %-12s %s %10s %11s  %s", i+1, g.Name, bar, mebibytes(s.Accepted), started(s.Init), end), " ")
}

// statusHead stands above the statuses.
var statusHead = fmt.Sprintf("%-*s %10s %11s  %s", 2+12+1+statusWidth, "", "accepted", "started at", "end")

// WriteIntroduction writes what a reader needs to know before the guests run, up to the lines of their statuses.
func (d *Demonstration) WriteIntroduction(w io.Writer, paint Paint) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n\n", d.title())
	paragraphs := d.introduction()
	for _, p := range paragraphs {
		wrap(&b, "", p)
		fmt.Fprintln(&b)
	}
	for i, g := range d.Guests() {
		wrap(&b, fmt.Sprintf("%d ", i+1), g.story())
	}
	fmt.Fprintf(&b, "\n%s\n\n%s\n", legend(paint), statusHead)
	_, err := w.Write(b.Bytes())
	return err
}

// WriteResults writes what comes after the statuses. Where something came out otherwise than expected, nothing is
// explained.
func (d *Demonstration) WriteResults(w io.Writer, paint Paint) error {
	var b bytes.Buffer
	compared := d.Results[:sideBySide]
	fmt.Fprintln(&b)
	writeRow(&b, "", heads(compared), func(head string) string { return fmt.Sprintf("%-*s", cellWidth, head) })
	for _, row := range rows(compared) {
		writeRow(&b, row.Name, row.Cells, func(c Cell) string { return c.draw(paint) })
	}
	fmt.Fprintln(&b)
	for _, t := range totals(compared) {
		writeRow(&b, t.Name, t.Cells, func(text string) string { return fmt.Sprintf("%-*s", cellWidth, text) })
	}
	fmt.Fprintln(&b)
	if d.Otherwise() == nil {
		for _, p := range d.explanation() {
			wrap(&b, "", p)
		}
		fmt.Fprintln(&b)
		wrap(&b, "", d.violation())
		for _, f := range d.Results[early].facts() {
			wrap(&b, fmt.Sprintf("  %-12s ", f.Name), f.Text)
		}
		fmt.Fprintln(&b)
	}
	wrap(&b, "", d.timeNote())
	fmt.Fprintln(&b)
	for _, f := range d.more() {
		fmt.Fprintf(&b, "  %-28s %s\n", f.Name, f.Text)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// writeRow writes a row of the tables: a label, and a cell for each guest.
func writeRow[C any](w io.Writer, label string, cells []C, draw func(C) string) {
	line := fmt.Sprintf("%-*s", labelWidth, label)
	for _, c := range cells {
		line += draw(c) + " "
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}

// draw is the cell in the table.
func (c *Cell) draw(paint Paint) string {
	if c.Memory == 0 {
		text := fmt.Sprintf("%-*s", cellWidth, c.Text)
		if c.Text == "" {
			return text
		}
		return paint(Lost, text)
	}
	return c.Draw(cellWidth, paint)
}

// wrap writes a paragraph of at most TextWidth columns, with its beginning in front of the first line and as much room
// in front of the others.
func wrap(w io.Writer, beginning, text string) {
	room := strings.Repeat(" ", len(beginning))
	line := beginning
	empty := true
	for _, word := range strings.Fields(text) {
		if !empty && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > TextWidth {
			fmt.Fprintln(w, line)
			line, empty = room, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	fmt.Fprintln(w, line)
}
