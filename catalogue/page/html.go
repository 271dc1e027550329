package page

import (
	"bytes"
	_ "embed"
	"html/template"
	"io"

	runpage "github.com/tacit-vm/tacit/record/page"
)

// The page is one file that needs nothing else: no script, no font, no address but its own.
//
//go:embed page.html
var pageText string

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// WriteHTML writes the page. html/template escapes what images say.
func (p *Page) WriteHTML(w io.Writer) error {
	var b bytes.Buffer
	err := pageTemplate.Execute(&b, struct {
		*Page
		Theme    template.CSS // the colours that all of tacit's pages have
		BootHead []string
	}{p, template.CSS(runpage.Theme), bootHead})
	if err != nil {
		return err
	}
	_, err = w.Write(b.Bytes())
	return err
}
