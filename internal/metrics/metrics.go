// Package metrics writes metrics in Prometheus's text format, version 0.0.4.
package metrics

import (
	"fmt"
	"io"
	"strings"
)

// ContentType is that of the format, for HTTP.
const ContentType = "text/plain; version=0.0.4; charset=utf-8"

// A Page collects metrics. The name of each is written after tacit_.
type Page struct{ text strings.Builder }

// Gauge begins a metric that goes up and down; its values follow.
func (p *Page) Gauge(name, help string) { p.begin(name, help, "gauge") }

// Counter begins a metric that only goes up; its values follow.
func (p *Page) Counter(name, help string) { p.begin(name, help, "counter") }

func (p *Page) begin(name, help, kind string) {
	fmt.Fprintf(&p.text, "# HELP tacit_%s %s\n# TYPE tacit_%[1]s %[3]s\n", name, help, kind)
}

// Value adds a value of a metric, with labels as pairs of name and value.
func (p *Page) Value(name string, value uint64, labels ...string) {
	p.text.WriteString("tacit_" + name)
	for i := 0; i+1 < len(labels); i += 2 {
		before := ","
		if i == 0 {
			before = "{"
		}
		fmt.Fprintf(&p.text, "%s%s=\"%s\"", before, labels[i], escape(labels[i+1]))
	}
	if len(labels) > 0 {
		p.text.WriteString("}")
	}
	fmt.Fprintf(&p.text, " %d\n", value)
}

// WriteTo writes the page.
func (p *Page) WriteTo(w io.Writer) (int64, error) {
	n, err := io.WriteString(w, p.text.String())
	return int64(n), err
}

// escape escapes a label's value.
func escape(text string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(strings.ToValidUTF8(text, "�"))
}
