package hunt

import (
	"bytes"
	"fmt"
	"io"
	"regexp"
	"strings"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// Schema names the version of the JSON form.
const Schema = "tacit.hunt/1"

// A Result is what came of a hunt.
type Result struct {
	Schema   string         `json:"schema"`
	Tool     string         `json:"tool"`       // what made it, with its version; the caller's to say
	Schedule string         `json:"schedule"`   // whose orders were tried
	First    uint64         `json:"first_seed"` // and from which seed on
	Seeds    int            `json:"seeds"`      // how many were to be tried
	Next     uint64         `json:"next_seed"`  // the first that was found, or is not known to have ended, or follows the last
	Unjudged []Unjudged     `json:"unjudged"`   // seeds before that of which nothing is known
	Control  *record.Record `json:"control"`    // in the plain order; null where that was not reached
	Found    *Finding       `json:"found"`      // null where all ended as in the plain order
	Again    []string       `json:"again"`      // the words of a command that repeats what was found; the caller's to say
}

// An Unjudged boot was ended by tacit, or by its host.
type Unjudged struct {
	Seed uint64 `json:"seed"`
	Why  string `json:"why"`
}

// A Finding is a guest that ended as it does not in the plain order; or in that, as no guest should.
type Finding struct {
	Seed   *uint64        `json:"seed"` // null is the plain order
	Record *record.Record `json:"record"`
}

// tell takes what the boots have shown.
func (r *Result) tell(h *hunt) {
	for _, b := range h.boots {
		switch {
		case b == h.found:
			r.Found = &Finding{Seed: b.Seed, Record: b.record}
			return
		case b.end == pending:
			return
		case b.end == unknown:
			r.Unjudged = append(r.Unjudged, Unjudged{*b.Seed, b.Outcome})
		}
		r.Next = *b.Seed + 1
	}
}

// Complete says whether there is an answer: something was found, or all seeds came to their end.
func (r *Result) Complete() bool {
	return r.Found != nil || r.Control != nil && r.tried() == uint64(r.Seeds)
}

func (r *Result) tried() uint64 { return r.Next - r.First }

// WriteJSON writes the result with the records of the plain order and of what was found.
func (r *Result) WriteJSON(w io.Writer) error { return schema.Write(w, r) }

// WriteText writes the answer in a few lines.
func (r *Result) WriteText(w io.Writer) error {
	var b bytes.Buffer
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "%-13s %s\n", label, record.Printable(fmt.Sprintf(format, args...)))
	}
	if c := r.Control; c != nil {
		line("guest", "%s, %s, %s, %d processors", c.Image.Kernel, c.Platform, record.FormatBytes(c.MemoryBytes), c.Config.CPUs)
		line(c.Config.Schedule, "%s after %s of virtual time", c.Outcome, record.FormatNS(c.VirtualNS.Total))
	}
	if n := r.tried(); n > 0 {
		line(r.Schedule, "seeds %d to %d: %s", r.First, r.Next-1, r.soFar(n))
	}
	if f := r.Found; f != nil {
		if f.Seed != nil {
			line("found", "seed %d: %s after %s of virtual time", *f.Seed, f.Record.Outcome, record.FormatNS(f.Record.VirtualNS.Total))
		} else {
			line("found", "without a seed: it ends so in the plain order")
		}
		if d := f.Record.Diagnosis; d != nil {
			line("", "%s", d.Summary)
			if at := d.At(); at != "" {
				line("", "at %s", at)
			}
		}
		line("again", "%s", commandLine(r.Again))
	} else {
		line("found", "nothing")
	}
	const shown = 10
	for _, u := range r.Unjudged[:min(len(r.Unjudged), shown)] {
		line("unjudged", "seed %d: %s", u.Seed, u.Why)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// plainWord matches what a shell takes as it is.
var plainWord = regexp.MustCompile(`^[A-Za-z0-9_./:=,@%+#-]+$`)

// commandLine writes words so that a shell reads them.
func commandLine(words []string) string {
	var line []string
	for _, w := range words {
		if !plainWord.MatchString(w) {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		line = append(line, w)
	}
	return strings.Join(line, " ")
}

func (r *Result) soFar(n uint64) string {
	if u := uint64(len(r.Unjudged)); u > 0 {
		return fmt.Sprintf("%d ended so, of %d nothing is known", n-u, u)
	}
	return "all ended so"
}
