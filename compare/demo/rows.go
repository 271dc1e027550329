package demo

import (
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/record"
)

// A Row is one moment that guests have in common, of each guest.
type Row struct {
	Name  string
	Cells []Cell
}

// A Cell is one guest at one moment.
type Cell struct {
	Bar
	Text string // instead of the bar, where the guest did not get that far: how it had ended, then nothing
}

// rows are the moments of the guests: when firmware has started the system, and every step that a program told of.
func rows(results []*Result) []Row {
	const systemStarts = "system starts"
	names := []string{systemStarts}
	moments := make([]map[string]Bar, len(results))
	for i, r := range results {
		moments[i] = map[string]Bar{}
		memory := r.Record.MemoryBytes
		for _, p := range r.Record.Phases {
			if p.Phase == record.StubEntry {
				moments[i][systemStarts] = Bar{Memory: memory, Accepted: memory - p.Unaccepted}
			}
		}
		for _, s := range r.Record.Guest.Steps {
			name := stepName(s.Name)
			moments[i][name] = Bar{Memory: memory, Held: held(s), Accepted: s.Accepted, Lost: lost(s)}
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	ended := make([]bool, len(results))
	var rows []Row
	for _, name := range names {
		row := Row{Name: name, Cells: make([]Cell, len(results))}
		for i, r := range results {
			bar, reached := moments[i][name]
			row.Cells[i].Bar = bar
			if !reached && !ended[i] {
				row.Cells[i].Text, ended[i] = r.End(), true
			}
		}
		rows = append(rows, row)
	}
	return rows
}

// stepName is what people read for what a program calls its step.
func stepName(step string) string {
	if step == "start" {
		return "program starts"
	}
	return strings.ReplaceAll(step, "-", " ")
}
