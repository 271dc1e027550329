package study

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"io"

	"github.com/tacit-vm/tacit/compare"
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
	Theme   template.CSS // the colours that all of tacit's pages have
	Title   string
	Legend  []share
	Summary string   // of conditions; empty where there are none
	Failed  []string // conditions that are met, or cannot be told
	Head    []string
	Blocks  []pageBlock
	Words   []string
	Tool    string
}

type pageBlock struct {
	chart
	Rows    []pageRow
	Details []pageDetail
}

type pageRow struct {
	Label string
	Cells []string
	Note  string
}

// pageDetail is a table that is shown on demand.
type pageDetail struct {
	Title string
	Head  []string
	Rows  [][]string
}

// WritePage writes the study as a page of HTML.
func (s *Study) WritePage(w io.Writer) error {
	p := page{Theme: template.CSS(runpage.Theme), Title: s.title(), Legend: legend(), Head: s.head(), Words: s.words(), Tool: s.Tool}
	if len(s.Verdicts) > 0 {
		p.Summary = s.summary()
	}
	for _, v := range s.Verdicts {
		if text := v.text(); text != "" {
			p.Failed = append(p.Failed, printable(text))
		}
	}
	for i, c := range s.charts() {
		block := pageBlock{chart: c}
		for _, row := range s.Rows(s.Blocks[i]) {
			cells := s.cells(row)
			for i := range cells {
				cells[i] = printable(cells[i])
			}
			block.Rows = append(block.Rows, pageRow{cells[0], cells[1:], printable(row.Note)})
			if row.Base != row.Boot {
				block.add(s.changed(row))
			}
			block.add(s.moved(row))
		}
		p.Blocks = append(p.Blocks, block)
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return err
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (b *pageBlock) add(d pageDetail) {
	if len(d.Rows) > 0 {
		b.Details = append(b.Details, d)
	}
}

// title says what is compared.
func (s *Study) title() string {
	if s.ByImage {
		return printable("How boots of " + s.Blocks[0].Boots[len(s.Blocks[0].Boots)-1].Image + " differ from those of " + s.Blocks[0].Base().Image)
	}
	return "What becomes of a boot where memory is accepted in another way"
}

// changed is whose acceptance differs from the base's.
func (s *Study) changed(row Row) pageDetail {
	d := pageDetail{
		Title: printable(fmt.Sprintf("%s: who asked for more or less than in %s", s.label(row.Boot), s.label(row.Base))),
		Head:  []string{"asked for by", "base", "now", "difference"},
	}
	if row.Record == nil || row.Base.Record == nil {
		return d
	}
	for _, c := range compare.Changes(row.Record, row.Base.Record) {
		d.Rows = append(d.Rows, []string{printable(c.Asked), compare.Bytes.Format(c.Base), compare.Bytes.Format(c.Now), difference(compare.Bytes, c.Now, c.Base)})
	}
	return d
}

// moved is how the ratio of an eager boot moves with single numbers of the cost model.
func (s *Study) moved(row Row) pageDetail {
	d := pageDetail{
		Title: printable(s.label(row.Boot) + ": how eager : lazy moves with one number of the cost model"),
		Head:  []string{"estimate", "it is", "source", "ratio if halved", "ratio if doubled"},
	}
	if row.Eager == nil {
		return d
	}
	for _, swing := range row.Eager.Range.Swings {
		d.Rows = append(d.Rows, []string{swing.Event.String(), compare.Nanoseconds.Format(uint64(swing.NS)), swing.Source, ratio(swing.Halved), ratio(swing.Doubled)})
	}
	return d
}
