package certify

import (
	"io"
	"maps"
	"net/url"
	"path/filepath"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/internal/schema"
)

// What code-scanning views read of SARIF 2.1.0 (OASIS, sections 3.13 to 3.51).
type sarifLog struct {
	Version string     `json:"version"`
	Schema  string     `json:"$schema"`
	Runs    []sarifRun `json:"runs"`
}

type sarifRun struct {
	Tool    sarifTool     `json:"tool"`
	Results []sarifResult `json:"results"`
}

type sarifTool struct {
	Driver sarifDriver `json:"driver"`
}

type sarifDriver struct {
	Name    string      `json:"name"`
	Version string      `json:"version,omitempty"`
	Rules   []sarifRule `json:"rules"`
}

type sarifRule struct {
	ID      string    `json:"id"`
	Short   sarifText `json:"shortDescription"`
	Default struct {
		Level string `json:"level"`
	} `json:"defaultConfiguration"`
}

type sarifText struct {
	Text string `json:"text"`
}

type sarifResult struct {
	Rule      string          `json:"ruleId"`
	Level     string          `json:"level"`
	Message   sarifText       `json:"message"`
	Locations []sarifLocation `json:"locations"`
	// Prints tell a view that this is the result of an earlier run, though the image is another build.
	Prints map[string]string `json:"partialFingerprints"`
}

type sarifLocation struct {
	Physical struct {
		Artifact struct {
			URI string `json:"uri"`
		} `json:"artifactLocation"`
	} `json:"physicalLocation"`
}

// sarifRules are what can be wrong with an image, and how bad that is.
var sarifRules = []struct{ id, level, means string }{
	{"tacit/required", "error", "The image does not show what is required of it."},
	{"tacit/disagreement", "error", "What is read out of the file and what it does when it is booted are not the same."},
	{"tacit/loses-memory", "warning", "The image comes up with less memory than it was given, under some firmware policy."},
	{"tacit/dies", "warning", "The image does not reach its init under some firmware policy, though it does under others."},
	{"tacit/unjudged", "note", "The image could not be read or booted, or a boot proves nothing."},
}

// WriteSARIF writes what is wrong with the images for views of code-scanning results. What an image does is a warning;
// what is required and not so is an error.
func (c *Certificate) WriteSARIF(w io.Writer) error {
	run := sarifRun{Tool: sarifTool{sarifDriver{Name: "tacit certify", Version: c.Tool}}, Results: []sarifResult{}}
	level := map[string]string{}
	for _, r := range sarifRules {
		rule := sarifRule{ID: r.id, Short: sarifText{r.means}}
		rule.Default.Level = r.level
		level[r.id] = r.level
		run.Tool.Driver.Rules = append(run.Tool.Driver.Rules, rule)
	}
	for i := range c.Verdicts {
		v := &c.Verdicts[i]
		for _, f := range v.findings() {
			r := sarifResult{Rule: f.rule, Level: level[f.rule], Message: sarifText{v.Image + ": " + f.text}}
			place := sarifLocation{}
			place.Physical.Artifact.URI = v.uri()
			r.Locations = []sarifLocation{place}
			r.Prints = map[string]string{"tacit/1": f.rule + " " + place.Physical.Artifact.URI + " " + f.text}
			run.Results = append(run.Results, r)
		}
	}
	return schema.Write(w, sarifLog{Version: "2.1.0", Schema: "https://json.schemastore.org/sarif-2.1.0.json", Runs: []sarifRun{run}})
}

// uri is the image's file as a relative reference, or an absolute one if its path is absolute (RFC 3986).
func (v *Verdict) uri() string {
	path := v.File
	if path == "" {
		path = v.Image
	}
	u := url.URL{Path: filepath.ToSlash(path)}
	if filepath.IsAbs(path) {
		u.Scheme = "file"
	}
	return u.String()
}

type finding struct{ rule, text string }

// findings are what is wrong with an image.
func (v *Verdict) findings() (all []finding) {
	for _, text := range v.unmet {
		rule := "tacit/required"
		if strings.Contains(text, ": unknown: ") {
			rule = "tacit/unjudged"
		}
		all = append(all, finding{rule, text})
	}
	for _, text := range v.Disagreements {
		all = append(all, finding{"tacit/disagreement", text})
	}
	for _, platform := range slices.Sorted(maps.Keys(v.Platforms)) {
		p := v.Platforms[platform]
		if len(p.LosesUnder) > 0 {
			all = append(all, finding{"tacit/loses-memory", platform + ": loses memory under " + strings.Join(p.LosesUnder, ", ")})
		}
		if len(p.DiesUnder) > 0 {
			all = append(all, finding{"tacit/dies", platform + ": dies under " + strings.Join(p.DiesUnder, ", ")})
		}
	}
	switch {
	case v.Error != "":
		all = append(all, finding{"tacit/unjudged", v.Error})
	case !v.Complete:
		all = append(all, finding{"tacit/unjudged", "a boot proves nothing"})
	}
	return all
}
