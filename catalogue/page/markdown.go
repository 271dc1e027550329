package page

import (
	"bytes"
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"
)

// WriteMarkdown writes the page as tables of GitHub's kind of Markdown. What images say stands in code spans, in which nothing
// is a link, a picture or somebody's name.
func (p *Page) WriteMarkdown(w io.Writer) error {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What images do with unaccepted memory\n\n%s.\n", p.Summary)
	if p.Span != "" {
		fmt.Fprintf(&b, "\n## What changed between %s\n\n", code(p.Span))
		if len(p.Changes) == 0 {
			b.WriteString("Nothing.\n")
		} else {
			table(&b, "image", "before", "after", "configuration")
		}
		for _, c := range p.Changes {
			row(&b, code(c.Image), code(c.Before), code(c.After), code(c.Config))
		}
	}
	for _, g := range p.Groups {
		fmt.Fprintf(&b, "\n## %s\n\n", code(g.Config))
		head := append([]string{"image", "result"}, g.Platforms...)
		table(&b, append(head, "negotiates", "remarks", "first found, UTC", "by", "earlier")...)
		for _, e := range g.Images {
			cells := []string{code(e.Image), e.Result}
			if e.Result != "passed" {
				cells[1] = "**" + e.Result + "**"
			}
			cells = append(cells, e.Platforms...)
			earlier := ""
			for _, x := range e.Earlier {
				earlier += x.When + ": " + code(x.Answer) + "<br>"
			}
			remarks := ""
			for _, text := range e.Remarks {
				remarks += code(text) + "<br>"
			}
			row(&b, append(cells, e.Negotiates, strings.TrimSuffix(remarks, "<br>"), e.When, code(e.Tool), strings.TrimSuffix(earlier, "<br>"))...)
		}
	}
	fmt.Fprintf(&b, "\nMade by %s.\n", code(p.Tool))
	_, err := w.Write(b.Bytes())
	return err
}

func table(b *bytes.Buffer, head ...string) {
	row(b, head...)
	b.WriteString("|" + strings.Repeat("---|", len(head)) + "\n")
}

func row(b *bytes.Buffer, cells ...string) { b.WriteString("| " + strings.Join(cells, " | ") + " |\n") }

// code is text as a code span. Tables take bars apart even there, and spans end at backticks: where there is one, each
// character that is no letter or digit is written by its number, in which neither means anything (CommonMark 2.5).
func code(text string) string {
	switch {
	case text == "":
		return ""
	case !strings.ContainsAny(text, "|`\\"):
		return "`" + text + "`"
	}
	var b strings.Builder
	b.WriteString("<code>")
	for _, r := range text {
		if r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			fmt.Fprintf(&b, "&#%d;", r)
		} else {
			b.WriteRune(r)
		}
	}
	b.WriteString("</code>")
	return b.String()
}
