// Package page writes what happened in a run as one page of HTML: memory over time and over the address space, who asked
// for it, how the guest was loaded, and the record's facts in words.
//
// A page is one file that is complete in itself. It asks no network for anything, and says so to the browser in a content
// security policy that knows the page's one script and style by their digests. Guests and archives may be hostile: their
// words are text in the page, or JSON in it, and never markup.
package page

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// MaxBytes is what no page exceeds, however long the guest ran and whatever it wrote: all that it decides the length of has
// a bound of its own, and together they are less. What there is no room for is counted together, or left out.
const MaxBytes = 2_000_000

// page is what the template sees.
type page struct {
	Policy  string
	Style   template.CSS
	Script  template.JS
	Licence string

	Head       head
	Phases     []instant
	ChartSays  string
	Series     []series
	States     []state
	Joined     bool // changes that are close to each other are one
	Console    []line
	Callers    callers
	Negotiated string
	Steps      []step
	Facts      []fact
	Agents     []agent
	Calls      []call

	Data template.JS // what the script reads
}

// instant is a phase that was reached.
type instant struct {
	NS   int64
	Name string
}

var pageTemplate = template.Must(template.New("page").Parse(pageText))

// policy lets the page run its own script and style itself, and nothing else: no address is loaded from, posted to or
// framed. Scripts and styles in attributes do not run either.
var policy = fmt.Sprintf("default-src 'none'; script-src '%s'; style-src '%s'; base-uri 'none'; form-action 'none'",
	digest(string(script)), digest(string(style)))

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// Write writes the page of a run. The same record and timeline give the same bytes; of the record, what differs between two
// runs (record.Host) is not in it.
func Write(w io.Writer, r *record.Record, t *timeline.Timeline) error {
	lines := console(t)
	d := dataOf(r, t)
	encoded, err := d.encode()
	if err != nil {
		return err
	}
	p := page{
		Policy: policy, Style: style, Script: script, Licence: licence,
		Head: headOf(r), Phases: instants(r), ChartSays: chartSays(r), Series: seriesOf(r), States: statesOf(r), Joined: t.Joined > 0 && confidential(r),
		Console: lines, Callers: callersOf(r, t), Negotiated: negotiated(r), Steps: steps(r),
		Facts: facts(r), Agents: agents(r), Calls: calls(r), Data: encoded,
	}
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("writing the page of a run: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}
