package page

import (
	"cmp"
	"encoding/json"
	"html/template"
	"math"
	"slices"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// data is what the page's script reads. Amounts are in bytes, instants in virtual nanoseconds.
type data struct {
	Memory uint64      `json:"memory"`
	Unit   uint64      `json:"unit"` // of the address space
	Areas  [][2]uint64 `json:"areas"`
	End    int64       `json:"end"`
	Start  int64       `json:"start"` // where the slider stands first
	Stub   string      `json:"stub"`  // whom firmware started

	Phases  []mark   `json:"phases"`
	Samples samples  `json:"samples"`
	Changes string   `json:"changes"` // as packed writes them
	Asked   []string `json:"asked"`   // who asked for memory, as Changes counts them from 1
	Flame   flame    `json:"flame"`
}

type mark struct {
	NS   int64  `json:"ns"`
	Name string `json:"name"`
}

// samples are those of a timeline, a list for each field.
type samples struct {
	NS         []int64    `json:"ns"`
	Given      []uint64   `json:"given"`
	Accepted   []uint64   `json:"accepted"`
	Shared     []uint64   `json:"shared"`
	Unaccepted []uint64   `json:"unaccepted"`
	Touched    []uint64   `json:"touched"`
	Exits      [][]uint64 `json:"exits"` // a list for each kind
	Kinds      []string   `json:"kinds"`
}

// Bounds of what the script reads. Kinds of exits beyond are counted together.
const (
	maxSamples = 1000
	maxKinds   = 24
)

func dataOf(r *record.Record, t *timeline.Timeline) data {
	d := data{
		Memory: t.Memory, Unit: timeline.UnitBytes, Areas: [][2]uint64{}, End: max(t.End, 1), Start: t.End, Stub: stubName(r),
		Phases: []mark{}, Samples: samplesOf(t), Flame: flameOf(r, t),
	}
	for _, a := range t.RAM {
		d.Areas = append(d.Areas, [2]uint64{a.Start, a.End})
	}
	for _, p := range r.Phases {
		d.Phases = append(d.Phases, mark{p.VirtualNS, phaseWords[p.Phase].name})
	}
	// The moment that counts is init; of a run that went wrong, its end.
	if r.VirtualNS.Init != nil && r.Outcome == record.PowerOff {
		d.Start = *r.VirtualNS.Init
	}
	changes, asked := changesOf(t)
	d.Asked = asked
	d.Changes = packed(changes)
	return d
}

// samplesOf thins samples out if there are too many. The first and the last stay.
func samplesOf(t *timeline.Timeline) samples {
	s := samples{
		NS: []int64{}, Given: []uint64{}, Accepted: []uint64{}, Shared: []uint64{}, Unaccepted: []uint64{}, Touched: []uint64{}, Kinds: []string{},
	}
	kinds, others := mostOf(t)
	for _, k := range kinds {
		s.Kinds = append(s.Kinds, clean(t.Exits[k], nameLength))
	}
	if len(others) > 0 {
		s.Kinds = append(s.Kinds, "others")
	}
	s.Exits = make([][]uint64, len(s.Kinds))
	n := len(t.Samples)
	shown := min(n, maxSamples)
	for i := range shown {
		from := t.Samples[i]
		if n > shown {
			from = t.Samples[int(math.Round(float64(i)*float64(n-1)/float64(shown-1)))]
		}
		s.NS = append(s.NS, from.NS)
		s.Given, s.Accepted, s.Shared = append(s.Given, from.Given), append(s.Accepted, from.Accepted), append(s.Shared, from.Shared)
		s.Unaccepted, s.Touched = append(s.Unaccepted, from.Unaccepted), append(s.Touched, from.Touched)
		for i, k := range kinds {
			s.Exits[i] = append(s.Exits[i], from.Exits[k])
		}
		if len(others) > 0 {
			var rest uint64
			for _, k := range others {
				rest += from.Exits[k]
			}
			s.Exits[len(kinds)] = append(s.Exits[len(kinds)], rest)
		}
	}
	return s
}

// mostOf divides the kinds of exits into those of which there are most at the end, the most frequent first, and the others.
func mostOf(t *timeline.Timeline) (most, others []int) {
	if len(t.Samples) == 0 {
		return nil, nil
	}
	last := t.Samples[len(t.Samples)-1].Exits
	for k := range t.Exits {
		most = append(most, k)
	}
	slices.SortStableFunc(most, func(a, b int) int { return cmp.Compare(last[b], last[a]) })
	if len(most) > maxKinds {
		most, others = most[:maxKinds], most[maxKinds:]
	}
	return most, others
}

// encode writes JSON that can stand in a page: json.Marshal writes <, > and & as escapes, so that no text in it ends the
// element or begins another.
func (d *data) encode() (template.JS, error) {
	text, err := json.Marshal(d)
	return template.JS(text), err
}
