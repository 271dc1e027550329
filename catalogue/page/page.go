// Package page shows a catalogue to people: verdicts, what they were earlier, and what changed, as a page of HTML that is one
// file and needs nothing else, and as Markdown.
//
//	page.go      what is shown
//	html.go      … as HTML
//	markdown.go  … as Markdown
package page

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/record"
)

// A Page is what is shown. Its text is made printable, and not yet escaped for any language.
type Page struct {
	Tool    string
	Summary string   // how many images have which result
	Span    string   // between what Changes is; empty where nothing was compared
	Changes []change // in the order of catalogue.Diff
	Groups  []group  // by configuration
}

type change struct{ Image, Config, Before, After string }

// A group is the images that were certified under one configuration.
type group struct {
	Config    string
	Platforms []string
	Images    []entry
}

// An entry is the latest verdict of an image, and those before.
type entry struct {
	Image, Release, Result string
	Platforms              []string // what it does on each of the group's
	Negotiates             string
	Remarks                []string // what is required and not so, and what disagrees
	When, Tool             string
	Earlier                []earlier // the latest first
	Boots                  []boot
}

type earlier struct{ When, Tool, Answer string }

// A boot is a row of an image's boots.
type boot struct {
	Cells []string
}

// BootHead names the cells of a boot.
var bootHead = certify.Head()[1:]

// New is the page of entries: of each image and configuration the latest verdict, with those before. Tool is what makes it.
func New(tool string, entries []catalogue.Entry) *Page {
	p := &Page{Tool: record.Printable(tool)}
	entries = slices.Clone(entries)
	catalogue.Sort(entries)
	byConfig := map[string][]catalogue.Entry{}
	for _, e := range entries {
		byConfig[e.Config] = append(byConfig[e.Config], e)
	}
	results := map[certify.Result]int{}
	for _, config := range slices.Sorted(maps.Keys(byConfig)) {
		p.Groups = append(p.Groups, groupOf(config, byConfig[config], results))
	}
	p.Summary = fmt.Sprintf("%d verdicts: %d passed, %d failed, %d could not be judged",
		results[certify.Passed]+results[certify.Failed]+results[certify.Unjudged], results[certify.Passed], results[certify.Failed], results[certify.Unjudged])
	return p
}

// groupOf shows the entries of one configuration, which are in the order of their images and dates, and counts results.
func groupOf(config string, entries []catalogue.Entry, results map[certify.Result]int) group {
	g := group{Config: record.Printable(config)}
	platforms := map[string]bool{}
	for _, e := range entries {
		for name := range e.Verdict.Platforms {
			platforms[name] = true
		}
	}
	names := slices.Sorted(maps.Keys(platforms))
	for _, name := range names {
		g.Platforms = append(g.Platforms, record.Printable(name))
	}
	for first := 0; first < len(entries); {
		next := first + 1
		for next < len(entries) && entries[next].Subject() == entries[first].Subject() {
			next++
		}
		latest := entryOf(entries[next-1], names)
		for _, e := range slices.Backward(entries[first : next-1]) {
			latest.Earlier = append(latest.Earlier, earlier{date(e.When), record.Printable(e.Tool), record.Printable(e.Answer())})
		}
		results[entries[next-1].Verdict.Result]++
		g.Images = append(g.Images, latest)
		first = next
	}
	return g
}

func entryOf(e catalogue.Entry, platforms []string) entry {
	v := &e.Verdict
	shown := entry{
		Image: record.Printable(e.Subject()), Release: record.Printable(v.Image), Result: string(v.Result),
		Negotiates: string(v.Negotiates), When: date(e.When), Tool: record.Printable(e.Tool),
	}
	for _, name := range platforms {
		p, tried := v.Platforms[name]
		shown.Platforms = append(shown.Platforms, onPlatform(p, tried))
	}
	for _, name := range slices.Sorted(maps.Keys(v.Required)) {
		if v.Required[name] != certify.Yes {
			shown.Remarks = append(shown.Remarks, record.Printable("required "+name+": "+string(v.Required[name])))
		}
	}
	for _, text := range append(slices.Clone(v.Disagreements), v.Error) {
		if text != "" {
			shown.Remarks = append(shown.Remarks, record.Printable(text))
		}
	}
	if v.Error == "" && !v.Complete {
		shown.Remarks = append(shown.Remarks, "a boot proves nothing")
	}
	return shown
}

// onPlatform is what an image does on one platform, in words.
func onPlatform(p certify.PlatformVerdict, tried bool) string {
	var words []string
	switch {
	case !tried:
		return "–"
	case p.Guest == certify.No:
		return "no guest"
	case p.Guest != certify.Yes:
		return "unknown"
	case p.Accepts == certify.Yes:
		words = append(words, "accepts")
	case p.Accepts == certify.No:
		words = append(words, "does not accept")
	default:
		words = append(words, "a guest")
	}
	if len(p.LosesUnder) > 0 {
		words = append(words, "loses memory under "+strings.Join(p.LosesUnder, ", "))
	}
	if len(p.DiesUnder) > 0 {
		words = append(words, "dies under "+strings.Join(p.DiesUnder, ", "))
	}
	if p.Violations > 0 {
		words = append(words, fmt.Sprintf("violations: %d", p.Violations))
	}
	return record.Printable(strings.Join(words, "; "))
}

func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") }

// Compare adds what changed between two states of the catalogue, which are named in words.
func (p *Page) Compare(before, after string, changes []catalogue.Change) {
	p.Span = record.Printable(before + " and " + after)
	side := func(e *catalogue.Entry) string {
		if e == nil {
			return "not known"
		}
		return record.Printable(e.Answer())
	}
	for _, c := range changes {
		p.Changes = append(p.Changes, change{record.Printable(c.Subject), record.Printable(c.Config), side(c.Before), side(c.After)})
	}
}

// AddBoots adds the boots of a certificate to its images, under the configuration in words.
func (p *Page) AddBoots(c *certify.Certificate, config string) {
	at := map[string]*entry{}
	for i, g := range p.Groups {
		for j := range g.Images {
			if g.Config == record.Printable(config) {
				at[g.Images[j].Image] = &p.Groups[i].Images[j]
			}
		}
	}
	for i, v := range c.Verdicts {
		e := at[record.Printable(cmp.Or(v.File, v.Image))]
		if e == nil {
			continue
		}
		e.Boots = nil // the last of two that are named twice
		for _, row := range c.Rows(i) {
			for k := range row {
				row[k] = record.Printable(row[k])
			}
			e.Boots = append(e.Boots, boot{row[1:]})
		}
	}
}
