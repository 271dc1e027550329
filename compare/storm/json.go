package storm

import (
	"io"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/record"
)

// Schema names the version of the JSON form. docs/storm.md describes it.
const Schema = "tacit.storm/1"

// JSON is the form that WriteJSON writes.
type JSON struct {
	Schema   string     `json:"schema"`
	Tool     string     `json:"tool"`
	Complete bool       `json:"complete"`
	Models   []string   `json:"cost_models"`
	Boots    []bootJSON `json:"boots"`
}

type bootJSON struct {
	Image    string            `json:"image"`
	Platform string            `json:"platform"`
	Memory   uint64            `json:"memory_bytes"`
	With     string            `json:"with"`
	CPUs     int               `json:"cpus"`
	Outcome  string            `json:"outcome"`
	Note     string            `json:"note,omitempty"`
	Init     *int64            `json:"init_ns"` // null where it was not reached, and so the rest
	All      *uint64           `json:"accepted_bytes"`
	First    *uint64           `json:"accepted_on_first_bytes"`
	Most     *int              `json:"most_acceptors"`
	Over     *record.Acceptors `json:"acceptors"` // null where there is one processor, too
	Waited   map[string]Waited `json:"waited"`
}

// WriteJSON writes the figures.
func (s *Storm) WriteJSON(w io.Writer) error {
	out := JSON{Schema: Schema, Tool: s.Tool, Complete: s.Complete, Models: append([]string{}, s.Models...), Boots: []bootJSON{}}
	for _, c := range s.Curves {
		for _, row := range c.Rows {
			b := bootJSON{Image: c.Image, Platform: c.Platform, Memory: c.Memory, With: c.With, CPUs: row.CPUs, Outcome: row.Outcome, Note: row.Note}
			if row.Boot != nil {
				b.Init, b.All, b.First, b.Most = &row.Init, &row.All, &row.First, &row.Most
				b.Over, b.Waited = row.Over, row.Waited
			}
			out.Boots = append(out.Boots, b)
		}
	}
	return schema.Write(w, out)
}
