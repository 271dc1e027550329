package demo

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"

	runpage "github.com/tacit-vm/tacit/record/page"
)

// The page is one file that needs nothing else: no script, no font, no address but its own. It is well-formed XML, too,
// by which a test reads it.
//
//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// page is what the template sees.
type page struct {
	Theme        template.CSS // the colours that all of tacit's pages have
	Title        string
	Introduction []string
	Guests       []Guest
	Legend       []part
	Charts       []chart
	Heads        []string
	Rows         []Row
	Totals       []total
	Explanation  []string
	EarlyHead    string // of what Violation and Facts tell
	Violation    string
	Facts        []fact
	TimeNote     string
	Consoles     []fact
	Command      string
}

// part is an entry of the legend.
type part struct{ Class, Means string }

// WritePage writes the whole demonstration as a page of HTML.
func (d *Demonstration) WritePage(w io.Writer) error {
	compared := d.Results[:sideBySide]
	p := page{
		Theme: template.CSS(runpage.Theme),
		Title: d.title(), Introduction: d.introduction(), Guests: d.Guests(), Charts: charts(compared), Heads: heads(compared),
		Rows: rows(compared), Totals: totals(compared), TimeNote: d.timeNote(), Command: d.command(),
	}
	for _, k := range kinds {
		p.Legend = append(p.Legend, part{k.class, k.means})
	}
	if d.Otherwise() == nil {
		p.Explanation, p.Violation, p.Facts = d.explanation(), d.violation(), d.Results[early].facts()
	}
	all := heads(d.Results)
	p.EarlyHead = all[early]
	for i, name := range all {
		p.Consoles = append(p.Consoles, fact{name, printable(d.Results[i].Console)})
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printable is text of a guest without the control characters that neither HTML nor XML can hold.
func printable(text string) string {
	return string(bytes.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7F || r == 0xFFFE || r == 0xFFFF {
			return -1
		}
		return r
	}, []byte(text)))
}
