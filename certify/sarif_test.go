package certify

import (
	"bytes"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
)

// Another's reader of SARIF finds what is wrong with which file, and how bad it is.
func TestSARIF(t *testing.T) {
	c := Certificate{Tool: "tacit v1", Verdicts: []Verdict{
		{Image: "6.1", File: "images/a b.deb", Complete: true, Platforms: map[string]PlatformVerdict{
			"snp": {LosesUnder: []string{"lazy"}}, "tdx": {DiesUnder: []string{"eager", "lazy"}},
		}, unmet: []string{"required snp: no: it sees 153 MiB of 4 GiB", "required lazy: unknown: no boot shows it"}, Disagreements: []string{"tdx guest: …"}},
		{Image: "good", File: "/images/good.efi", Complete: true},
		{Image: "gone", File: "gone", Error: "no such file"},
	}}
	var text bytes.Buffer
	if err := c.WriteSARIF(&text); err != nil {
		t.Fatal(err)
	}
	report, err := sarif.FromBytes(text.Bytes())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range report.Runs[0].Results {
		got = append(got, r.Level+" "+*r.RuleID+" "+*r.Locations[0].PhysicalLocation.ArtifactLocation.URI)
	}
	want := []string{
		"error tacit/required images/a%20b.deb", "note tacit/unjudged images/a%20b.deb", "error tacit/disagreement images/a%20b.deb",
		"warning tacit/loses-memory images/a%20b.deb", "warning tacit/dies images/a%20b.deb", "note tacit/unjudged gone",
	}
	if len(got) != len(want) {
		t.Fatalf("%q", got)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("%q, want %q", got[i], want[i])
		}
	}
}
