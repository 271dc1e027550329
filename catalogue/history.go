package catalogue

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/tacit-vm/tacit/certify"
)

// An Entry is the verdict of one image, as it was found once: the history has one for each file, configuration and version.
type Entry struct {
	Schema  string          `json:"schema"`
	Key     string          `json:"key"`           // the digest of file, configuration and tool
	Config  string          `json:"configuration"` // in words
	Tool    string          `json:"tool"`
	When    time.Time       `json:"when"` // it was first found, in UTC
	Verdict certify.Verdict `json:"verdict"`
}

// EntrySchema names the version of the JSON form.
const EntrySchema = "tacit.entry/1"

// History is what keeps entries.
type History interface {
	Note(ctx context.Context, e *Entry) error // leaves an earlier one of the same key alone
	Entries(ctx context.Context) ([]Entry, error)
	Drop(ctx context.Context, key string) error
}

// NewEntry is the entry of a verdict that was found under a configuration, in words that are the same for the same
// configuration.
func NewEntry(v certify.Verdict, config, tool string, when time.Time) *Entry {
	e := &Entry{Schema: EntrySchema, Config: config, Tool: tool, When: when.UTC().Truncate(time.Second), Verdict: v}
	e.Key = digestOf([]string{v.File, v.FileSHA256, v.Image, config, tool})
	return e
}

// Subject names what an entry is of, from one build of an image to the next: its file, or the image where it is in none.
func (e *Entry) Subject() string { return cmp.Or(e.Verdict.File, e.Verdict.Image) }

// Sort puts entries in the order in which they are shown: by subject, configuration, date, tool.
func Sort(all []Entry) {
	slices.SortFunc(all, func(a, b Entry) int {
		return cmp.Or(cmp.Compare(a.Subject(), b.Subject()), cmp.Compare(a.Config, b.Config), a.When.Compare(b.When),
			cmp.Compare(a.Tool, b.Tool), cmp.Compare(a.Key, b.Key))
	})
}

// A Change is an image that has changed its answer. One side is nil where the image was not known.
type Change struct {
	Subject string `json:"subject"`
	Config  string `json:"configuration"`
	Before  *Entry `json:"before"`
	After   *Entry `json:"after"`
}

// Diff holds two states of a history against each other, and returns what is not the same: answers, or whether there is one.
// Of each subject and configuration the latest entry of a state counts.
func Diff(before, after []Entry) []Change {
	type key struct{ subject, config string }
	changes := map[key]*Change{}
	latest := func(all []Entry, side func(*Change) **Entry) {
		for _, e := range all {
			k := key{e.Subject(), e.Config}
			if changes[k] == nil {
				changes[k] = &Change{Subject: k.subject, Config: k.config}
			}
			if at := side(changes[k]); *at == nil || (*at).When.Before(e.When) {
				*at = &e
			}
		}
	}
	latest(before, func(c *Change) **Entry { return &c.Before })
	latest(after, func(c *Change) **Entry { return &c.After })
	var all []Change
	for _, c := range changes {
		if c.Before == nil || c.After == nil || c.Before.Answer() != c.After.Answer() {
			all = append(all, *c)
		}
	}
	slices.SortFunc(all, func(a, b Change) int {
		return cmp.Or(cmp.Compare(a.Subject, b.Subject), cmp.Compare(a.Config, b.Config))
	})
	return all
}

// Latest is of each subject and configuration that has two entries or more the latest, and the one before.
func Latest(all []Entry) (before, latest []Entry) {
	all = slices.Clone(all)
	Sort(all)
	for i := 1; i < len(all); i++ {
		same := func(a, b *Entry) bool { return a.Subject() == b.Subject() && a.Config == b.Config }
		if same(&all[i-1], &all[i]) && (i == len(all)-1 || !same(&all[i], &all[i+1])) {
			before, latest = append(before, all[i-1]), append(latest, all[i])
		}
	}
	return before, latest
}

// Answer is what an entry says of the image, without the image's name, which changes from build to build.
func (e *Entry) Answer() string {
	if e.Verdict.Error != "" {
		return string(e.Verdict.Result) + ": " + e.Verdict.Error
	}
	answer := e.Verdict.Line
	if name := e.Verdict.Image + ": "; len(answer) > len(name) && answer[:len(name)] == name {
		answer = answer[len(name):]
	}
	return fmt.Sprintf("%s: %s", e.Verdict.Result, answer)
}

// A Reading is what was read out of a file without booting it, so that the file need not be opened again.
type Reading struct {
	Schema string          `json:"schema"`
	Image  string          `json:"image"`  // the name of what firmware loads
	SHA256 string          `json:"sha256"` // its digest, in hexadecimal
	Claims *certify.Claims `json:"claims"`
}

// ReadingSchema names the version of the JSON form.
const ReadingSchema = "tacit.reading/1"

// ReadingKey is the key of a reading: of the file with this digest and this base name, by this version of the tool, with
// its claims or without.
func ReadingKey(digest, base, tool string, claims bool) string {
	return digestOf(struct {
		Digest, Base, Tool string
		Claims             bool
	}{digest, base, tool, claims})
}
