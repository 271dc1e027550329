package record

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
)

// What was counted comes back from a record, and by another model it takes what that says.
func TestCostsAreCounts(t *testing.T) {
	r := aRecord()
	tally, err := r.Costs.Total.Tally()
	if err != nil {
		t.Fatal(err)
	}
	if got, want := tally.Time(cost.TDX()), int64(850+2*2500+50+70); got != want {
		t.Errorf("%d ns, want %d", got, want)
	}
	if got, want := tally.Time(cost.Plain()), int64(850+2*1255+50+70); got != want {
		t.Errorf("by another model %d ns, want %d", got, want)
	}
}

// Records come from anywhere.
func TestCostsThatCannotBe(t *testing.T) {
	for want, s := range map[string]Spent{
		"older":              {},
		`counts "teleport"`:  {Events: map[string]Charged{"teleport": {1, 1}}},
		"negative":           {Events: map[string]Charged{"exit": {1, -1}}},
		"negative times":     {Waited: -1, Events: map[string]Charged{"exit": {1, 1}}},
		"longer than time":   {Waited: 1, Events: map[string]Charged{"exit": {1, math.MaxInt64}}},
		"longer than time i": {Waited: math.MaxInt64, Events: map[string]Charged{"exit": {1, 1}}},
	} {
		if _, err := s.Tally(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", s, err, want)
		}
	}
}

// The details show what virtual time went to.
func TestDetailsShowCosts(t *testing.T) {
	var b bytes.Buffer
	if err := aRecord().WriteDetails(&b); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"exit                         2 ×        5.000 µs               2 ×        5.000 µs\n",
		"waited                                      0 ns                             50 ns\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}
