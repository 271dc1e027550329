package main

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/record"
)

// The packages write tables and sentences as wide as they are. Here they become what a terminal can show: no line is
// wider, and the few words that one looks for have a colour. Where there is no terminal, nothing changes.

// onPaper hands write's text to w, fitted and painted if that is a terminal.
func onPaper(w io.Writer, write func(io.Writer) error) error {
	return fitted(w, paintWords, write)
}

// plain is for fitted, where nothing is to be painted.
func plain(text string) string { return text }

func fitted(w io.Writer, paint func(string) string, write func(io.Writer) error) error {
	screen := displayOf(w)
	if screen == nil {
		return write(w)
	}
	var b bytes.Buffer
	err := write(&b)
	text := b.String()
	if width, _, sizeErr := term.GetSize(int(screen.file.Fd())); sizeErr == nil {
		text = fit(text, width)
	}
	if screen.colours() {
		text = paint(text)
	}
	if _, writeErr := io.WriteString(w, text); err == nil {
		err = writeErr
	}
	return err
}

// narrowest is the width below which nothing is fitted, since nothing could be read.
const narrowest = 40

// fit breaks what is wider than width. It looks at blocks, which are lines without an empty one between them.
func fit(text string, width int) string {
	if width < narrowest {
		return text
	}
	var out strings.Builder
	var block []string
	end := func() {
		out.WriteString(fitBlock(block, width))
		block = nil
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" {
			end()
			out.WriteString("\n")
			continue
		}
		block = append(block, line)
	}
	end()
	if !strings.HasSuffix(text, "\n") {
		return strings.TrimSuffix(out.String(), "\n")
	}
	return out.String()
}

func fitBlock(lines []string, width int) string {
	fits := func(line string) bool { return len([]rune(line)) <= width }
	if !slices.ContainsFunc(lines, func(line string) bool { return !fits(line) }) {
		if len(lines) == 0 {
			return ""
		}
		return strings.Join(lines, "\n") + "\n"
	}
	if table := continued(columnsOf(lines), width); table != "" {
		return table
	}
	// Sentences are filled anew: lines that end early after each that is broken would be hard to read.
	if !slices.ContainsFunc(lines, func(line string) bool { return line[0] == ' ' || strings.Contains(line, "  ") }) && len(lines) > 1 {
		lines = []string{strings.Join(lines, " ")}
		return fold(lines[0], 0, width)
	}
	var out strings.Builder
	for _, line := range lines {
		if fits(line) {
			out.WriteString(line + "\n")
		} else {
			out.WriteString(fold(line, hanging(line, width), width))
		}
	}
	return out.String()
}

// hanging is where what a line goes on with begins: under its last column.
func hanging(line string, width int) int {
	runes := []rune(line)
	at := 0
	for at < len(runes) && runes[at] == ' ' {
		at++
	}
	const leastText = 24
	indent := min(at+2, width-leastText)
	for i := at + 2; i < len(runes) && i <= width-leastText; i++ {
		if runes[i] != ' ' && runes[i-1] == ' ' && runes[i-2] == ' ' {
			indent = i
		}
	}
	return indent
}

// fold breaks a line at spaces. What has none stays whole, so that it can be copied.
func fold(line string, indent, width int) string {
	var out strings.Builder
	rest, room := []rune(line), width
	begin := indent // where rest may be broken first: not within what it hangs under
	for len(rest) > room {
		cut := -1
		for i := begin; i < len(rest) && (i <= room || cut < 0); i++ {
			if rest[i] == ' ' && i > 0 && rest[i-1] != ' ' {
				cut = i
			}
		}
		if cut < 0 {
			break
		}
		out.WriteString(string(rest[:cut]) + "\n" + strings.Repeat(" ", indent))
		for rest = rest[cut:]; len(rest) > 0 && rest[0] == ' '; {
			rest = rest[1:]
		}
		room, begin = width-indent, 0
	}
	out.WriteString(string(rest) + "\n")
	return out.String()
}

// columnsOf takes a table apart: columns are divided by two spaces in every line, and each has a heading. It is nil for
// fewer than four, which may be names, values and sentences.
func columnsOf(lines []string) (columns [][]string) {
	var rows [][]rune
	width := 0
	for _, line := range lines {
		rows = append(rows, []rune(line))
		width = max(width, len(rows[len(rows)-1]))
	}
	const widest = 4096 // that anybody has made a table of
	if len(rows) < 2 || width > widest {
		return nil
	}
	blank := func(x int) bool {
		return !slices.ContainsFunc(rows, func(row []rune) bool { return x < len(row) && row[x] != ' ' })
	}
	begin := 0
	for x := 0; x <= width; x++ {
		if x < width && !(blank(x) && blank(x+1)) {
			continue
		}
		var cells []string
		for _, row := range rows {
			cell := string(row[min(begin, len(row)):min(x, len(row))])
			cells = append(cells, cell+strings.Repeat(" ", x-begin-len([]rune(cell))))
		}
		columns = append(columns, cells)
		for x < width && blank(x) {
			x++
		}
		begin = x
	}
	headless := func(column []string) bool { return strings.TrimSpace(column[0]) == "" }
	if len(columns) < 4 || slices.ContainsFunc(columns, headless) {
		return nil
	}
	return columns
}

// continued lays a table out in parts that fit, each with the first column again. It is empty where that cannot be.
func continued(columns [][]string, width int) string {
	if columns == nil {
		return ""
	}
	const gap = "  "
	wide := func(column []string) int { return len([]rune(column[0])) }
	// Of names that are too long, such as paths, the end says more.
	names, most := slices.Clone(columns[0]), width/2
	if len([]rune(names[0])) > most {
		for i, name := range names {
			if runes := []rune(strings.TrimRight(name, " ")); len(runes) > most {
				name = "…" + string(runes[len(runes)-most+1:])
			}
			names[i] = string([]rune(name + strings.Repeat(" ", most))[:most])
		}
	}
	var out strings.Builder
	for next := 1; next < len(columns); {
		rows := slices.Clone(names)
		for used := wide(names); next < len(columns); next++ {
			if used += len(gap) + wide(columns[next]); used > width {
				break
			}
			for i := range rows {
				rows[i] += gap + columns[next][i]
			}
		}
		if len(rows[0]) == len(names[0]) {
			return "" // a column of sentences
		}
		if out.Len() > 0 {
			out.WriteString("\n")
		}
		for _, row := range rows {
			out.WriteString(strings.TrimRight(row, " ") + "\n")
		}
	}
	return out.String()
}

// cell matches words that fill a cell of a table, or end a line of one.
func cell(words ...string) *regexp.Regexp {
	return regexp.MustCompile(`(?m)(  )(` + strings.Join(words, "|") + `)(?:  |$)`)
}

// painted are the words that have a colour: what people look for.
var painted = func() []struct {
	words  *regexp.Regexp // the second group is painted
	colour string
} {
	var bad []string
	for _, o := range record.Outcomes() {
		if o.Outcome != record.PowerOff && o.Outcome != record.Exit && o.Outcome != record.Limit && o.Outcome != record.Cancelled && o.Outcome != record.Unsupported {
			bad = append(bad, string(o.Outcome))
		}
	}
	return []struct {
		words  *regexp.Regexp
		colour string
	}{
		{cell("yes", string(record.PowerOff)), green},
		{cell("unknown", string(record.Limit), string(record.Cancelled), string(record.Unsupported)), yellow},
		{cell(append(bad, "no")...), red},
		{regexp.MustCompile(`()\b(LOST|INCOMPLETE|DISAGREE[A-Z]*|(?:loses-memory|dies)-under=\S+)`), red},
	}
}()

func paintWords(text string) string {
	for _, p := range painted {
		// Two words side by side share the spaces between them, which only one match can have.
		for range 2 {
			text = p.words.ReplaceAllStringFunc(text, func(found string) string {
				m := p.words.FindStringSubmatch(found)
				return m[1] + p.colour + m[2] + noColour + found[len(m[1])+len(m[2]):]
			})
		}
	}
	return text
}
