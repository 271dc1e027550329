package certify

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/inspect"
	"github.com/tacit-vm/tacit/record"
)

// A Verdict is what the boots of one image prove.
type Verdict struct {
	Image         string                     `json:"image"`
	SHA256        string                     `json:"sha256"`
	Line          string                     `json:"line"`       // the whole in one line
	Negotiates    Answer                     `json:"negotiates"` // it called AllowUnacceptedMemory where it was offered
	Platforms     map[string]PlatformVerdict `json:"platforms"`
	Disagreements []string                   `json:"disagreements"` // between claims and boots
	Complete      bool                       `json:"complete"`      // every boot proves something (Boot.Proves)

	File       string            `json:"file"`        // as it was named; empty for an image that is in none
	FileSHA256 string            `json:"file_sha256"` // in hexadecimal
	Error      string            `json:"error"`       // why the image could not be booted; empty if it was
	Required   map[string]Answer `json:"required"`    // for each requirement, whether the boots show it
	Result     Result            `json:"result"`
	Tags       []inspect.Tagging `json:"tags"` // what the boots show, in the vocabulary of clouds

	unmet []string // what is required and not so, boot by boot
}

// A PlatformVerdict is what the boots of one image on one platform prove.
type PlatformVerdict struct {
	Guest      Answer   `json:"guest"`       // it reached its init
	Accepts    Answer   `json:"accepts"`     // it used memory that firmware had handed over unaccepted
	LosesUnder []string `json:"loses_under"` // policies under which it came up with less memory than it was given
	DiesUnder  []string `json:"dies_under"`  // policies under which it did not reach its init, though it did under others
	Violations int      `json:"violations"`  // boots that ended with one
}

// judge draws the conclusions from the boots of subject i.
func judge(s Subject, i int, boots []*Boot) Verdict {
	v := Verdict{
		Image: s.name(), Negotiates: Unknown, Platforms: map[string]PlatformVerdict{}, Complete: true, Disagreements: []string{},
		File: s.Path, FileSHA256: s.SHA256,
	}
	if s.Err != nil {
		v.Error, v.Complete = s.Err.Error(), false
	}
	byPlatform := map[string][]*Boot{}
	for _, b := range boots {
		if b.subject != i {
			continue
		}
		byPlatform[b.Platform] = append(byPlatform[b.Platform], b)
		if !b.Proves() {
			v.Complete = false
			continue
		}
		v.SHA256 = b.Record.Image.SHA256
		if s.Disk != nil {
			v.SHA256 = s.Disk.SHA256
		}
		if n := b.Record.Negotiation; n.Offered && b.Reached() {
			v.Negotiates = either(v.Negotiates, len(n.AllowedBy) > 0)
		}
	}
	for platform, of := range byPlatform {
		v.Platforms[platform] = judgePlatform(of)
	}
	v.compare(s.Claims.of(boots, i))
	v.comparePaths(s.Claims, boots, i)
	v.Line = v.line()
	return v
}

// either adds one observation to an answer: one yes is a yes.
func either(a Answer, seen bool) Answer {
	if seen {
		return Yes
	}
	if a == Unknown {
		return No
	}
	return a
}

func judgePlatform(boots []*Boot) PlatformVerdict {
	p := PlatformVerdict{Guest: Unknown, Accepts: Unknown, LosesUnder: []string{}, DiesUnder: []string{}}
	var dead []string
	for _, b := range boots {
		if !b.Proves() {
			continue
		}
		if b.Record.Outcome == record.Violation {
			p.Violations++
		}
		p.Guest = either(p.Guest, b.Reached())
		if !b.Reached() {
			dead = appendOnce(dead, b.Policy)
			continue
		}
		if b.Loses() {
			p.LosesUnder = appendOnce(p.LosesUnder, b.Policy)
		}
		if a := b.accepts(); handedOver(b.Record) > 0 && a != Unknown {
			p.Accepts = either(p.Accepts, a == Yes)
		}
	}
	if p.Guest == Yes {
		p.DiesUnder = append(p.DiesUnder, dead...)
	} else {
		p.Accepts = p.Guest
	}
	return p
}

// handedOver is what firmware had left unaccepted when the operating system took over, in bytes.
func handedOver(r *record.Record) uint64 {
	for _, p := range r.Phases {
		if p.Phase == record.ExitBootServices {
			return p.Unaccepted
		}
	}
	return 0
}

func appendOnce(s []string, v string) []string {
	if slices.Contains(s, v) {
		return s
	}
	return append(s, v)
}

// compare holds claims against what was seen. Who claims not to know is not contradicted.
func (v *Verdict) compare(c *Claims) {
	if c == nil {
		return
	}
	check := func(what string, claimed, seen Answer) {
		if claimed != Unknown && claimed != "" && seen != Unknown && claimed != seen {
			v.Disagreements = append(v.Disagreements, fmt.Sprintf("%s: the file says %s, the boots say %s", what, claimed, seen))
		}
	}
	for _, platform := range slices.Sorted(maps.Keys(v.Platforms)) {
		seen := v.Platforms[platform]
		check(platform+" guest", c.On[platform].Guest, seen.Guest)
		check(platform+" accepts", c.On[platform].Accepts, seen.Accepts)
	}
	check("negotiates", c.Negotiates, v.Negotiates)
}

// line says all of it in one line.
func (v *Verdict) line() string {
	if v.Error != "" {
		return v.Image + ": not booted"
	}
	var parts []string
	for _, platform := range slices.Sorted(maps.Keys(v.Platforms)) {
		p := v.Platforms[platform]
		s := fmt.Sprintf("%s guest=%s accepts=%s", platform, p.Guest, p.Accepts)
		if len(p.LosesUnder) > 0 {
			s += " loses-memory-under=" + strings.Join(p.LosesUnder, ",")
		}
		if len(p.DiesUnder) > 0 {
			s += " dies-under=" + strings.Join(p.DiesUnder, ",")
		}
		if p.Violations > 0 {
			s += fmt.Sprintf(" violations=%d", p.Violations)
		}
		parts = append(parts, s)
	}
	parts = append(parts, "negotiates="+string(v.Negotiates))
	line := v.Image + ": " + strings.Join(parts, "; ")
	if !v.Complete {
		line += "; INCOMPLETE"
	}
	if len(v.Disagreements) > 0 {
		line += "; DISAGREES with the file"
	}
	return line
}
