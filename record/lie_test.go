package record

import (
	"strings"
	"testing"
)

// A lie is in the summary whether it was told or not.
func TestSummaryOfALie(t *testing.T) {
	r := aRecord()
	for want, l := range map[string]*Lie{
		"firmware lied 3 times (of 4 MiB at 0x7800000)": {Kind: "overlap", Told: 3, GPA: 0x780_0000, Bytes: 4 * mib},
		"firmware lied 2 times\n":                       {Kind: "key", Told: 2},
		"never told: there was no opportunity":          {Kind: "unaccepted"},
	} {
		r.Lie = l
		if text := summary(t, r); !strings.Contains(text, want) || !strings.Contains(text, "firmware lie") {
			t.Errorf("%+v: no %q in\n%s", l, want, text)
		}
	}
	r.Lie = nil
	if text := summary(t, r); strings.Contains(text, "firmware lie") {
		t.Errorf("honest firmware:\n%s", text)
	}
}
