package study

import (
	"io"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/internal/schema"
)

// Schema names the version of the JSON form. docs/compare.md describes it.
const Schema = "tacit.comparison/1"

// JSON is the JSON form of a study.
type JSON struct {
	Schema     string          `json:"schema"`
	Tool       string          `json:"tool"`
	Complete   bool            `json:"complete"`
	Boots      []bootJSON      `json:"boots"`
	Conditions []conditionJSON `json:"conditions"`
}

type bootJSON struct {
	*Boot
	Outcome string             `json:"outcome"`
	Note    string             `json:"note,omitempty"`
	Metrics map[string]uint64  `json:"metrics"`
	Base    *whichJSON         `json:"base"` // null for a base
	Times   map[string]float64 `json:"times"`
	Eager   *eagerJSON         `json:"eager_to_lazy"`
	Changes []compare.Change   `json:"changes"`
}

type whichJSON struct {
	Image string `json:"image"`
	With  string `json:"with"`
}

type eagerJSON struct {
	Times     float64        `json:"times"`
	Low       *float64       `json:"low"`
	High      *float64       `json:"high"`
	Series    *float64       `json:"series"`
	Estimates []estimateJSON `json:"estimates"`
}

type estimateJSON struct {
	Event   string  `json:"event"`
	Halved  float64 `json:"halved"`
	Doubled float64 `json:"doubled"`
}

type conditionJSON struct {
	Condition string    `json:"condition"`
	Image     string    `json:"image"`
	With      string    `json:"with"`
	Platform  string    `json:"platform"`
	Memory    uint64    `json:"memory_bytes"`
	Base      whichJSON `json:"base"`
	Met       *bool     `json:"met"` // null where it cannot be told
	Why       string    `json:"why,omitempty"`
}

// WriteJSON writes the study, with the record of every boot.
func (s *Study) WriteJSON(w io.Writer) error {
	out := JSON{Schema: Schema, Tool: s.Tool, Complete: s.Complete(), Boots: []bootJSON{}, Conditions: []conditionJSON{}}
	for _, block := range s.Blocks {
		for _, row := range s.Rows(block) {
			out.Boots = append(out.Boots, row.json())
		}
	}
	for _, v := range s.Verdicts {
		c := conditionJSON{
			Condition: v.Condition.String(), Image: v.Boot.Image, With: v.Boot.With, Platform: v.Boot.Platform, Memory: v.Boot.Memory,
			Base: whichJSON{v.Base.Image, v.Base.With},
		}
		if v.Err != nil {
			c.Why = v.Err.Error()
		} else {
			c.Met = &v.Met
		}
		out.Conditions = append(out.Conditions, c)
	}
	return schema.Write(w, out)
}

func (row Row) json() bootJSON {
	b := bootJSON{Boot: row.Boot, Outcome: row.Outcome(), Note: row.Note, Metrics: map[string]uint64{}, Times: row.Times, Changes: []compare.Change{}}
	for _, m := range compare.Metrics() {
		if n := m.Of(row.Record); n != nil {
			b.Metrics[m.Name] = *n
		}
	}
	if row.Base != row.Boot {
		b.Base = &whichJSON{row.Base.Image, row.Base.With}
		if row.Record != nil && row.Base.Record != nil {
			b.Changes = append(b.Changes, compare.Changes(row.Record, row.Base.Record)...)
		}
	}
	if e := row.Eager; e != nil {
		b.Eager = &eagerJSON{Times: e.Times, Estimates: []estimateJSON{}}
		if e.Series != 0 {
			b.Eager.Series = &e.Series
		}
		if e.Why == "" {
			b.Eager.Low, b.Eager.High = &e.Range.Low, &e.Range.High
		}
		for _, swing := range e.Range.Swings {
			b.Eager.Estimates = append(b.Eager.Estimates, estimateJSON{swing.Event.String(), swing.Halved, swing.Doubled})
		}
	}
	return b
}
