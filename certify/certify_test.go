package certify_test

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

func kernel(t *testing.T, pattern string) *image.Image {
	t.Helper()
	found, err := filepath.Glob(filepath.Join("../kernels", pattern))
	if err != nil || len(found) == 0 {
		t.Fatalf("no kernel %s: run scripts/fetch-kernels", pattern)
	}
	img, err := image.Open(context.Background(), found[len(found)-1])
	if err != nil {
		t.Fatal(err)
	}
	return img
}

// Debian's 6.12 accepts and negotiates on TDX; its 6.1 is no TDX guest. A claim to the contrary is contradicted.
func TestStockKernelsOnTDX(t *testing.T) {
	claim := func(guest, accepts, negotiates certify.Answer) *certify.Claims {
		return &certify.Claims{Negotiates: negotiates, On: map[string]certify.PlatformClaim{vm.TDX: {Guest: guest, Accepts: accepts}}}
	}
	c, err := certify.Run(context.Background(), certify.Config{
		Subjects: []certify.Subject{
			{Image: kernel(t, "linux-image-6.12.*-cloud-amd64_*.deb"), Claims: claim(certify.Yes, certify.Yes, certify.Yes)},
			{Image: kernel(t, "linux-image-6.1.0-*-cloud-amd64_*.deb"), Claims: claim(certify.Yes, certify.Unknown, certify.Unknown)},
		},
		Platforms: []string{vm.TDX}, Policies: []string{"negotiate", "upstream"}, Memory: []uint64{4 << 30},
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(c.Boots) != 4 || len(c.Verdicts) != 2 {
		t.Fatalf("%d boots, %d verdicts", len(c.Boots), len(c.Verdicts))
	}
	able, old := c.Verdicts[0], c.Verdicts[1]
	if p := able.Platforms[vm.TDX]; p.Guest != certify.Yes || p.Accepts != certify.Yes || len(p.LosesUnder) > 0 || p.Violations > 0 {
		t.Errorf("6.12: %+v", p)
	}
	if able.Negotiates != certify.Yes || len(able.Disagreements) > 0 {
		t.Errorf("6.12: %s", able.Line)
	}
	if p := old.Platforms[vm.TDX]; p.Guest != certify.No || len(old.Disagreements) != 1 || c.OK() {
		t.Errorf("6.1 is claimed to be a TDX guest: %s, %v", old.Line, old.Disagreements)
	}
	var table, junit, object bytes.Buffer
	for _, err := range []error{c.WriteTable(&table), c.WriteJUnit(&junit), c.WriteJSON(&object)} {
		if err != nil {
			t.Error(err)
		}
	}
	if !strings.Contains(table.String(), "DISAGREEMENT") || !strings.Contains(table.String(), able.Line) {
		t.Errorf("the table lacks the verdict or the disagreement:\n%s", table.String())
	}
	var suites struct {
		Suites []struct {
			Failures int `xml:"failures,attr"`
			Tests    int `xml:"tests,attr"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(junit.Bytes(), &suites); err != nil || len(suites.Suites) != 2 || suites.Suites[1].Failures != 1 {
		t.Errorf("JUnit: %v, %+v", err, suites)
	}
	if !json.Valid(object.Bytes()) {
		t.Error("the certificate is no JSON")
	}
}

func TestPlanRefusesNothingAndNonsense(t *testing.T) {
	if _, err := certify.Run(context.Background(), certify.Config{}); err == nil {
		t.Error("a certification of nothing succeeded")
	}
	if !slices.Contains(vm.ConfidentialPlatforms(), vm.TDX) {
		t.Error("no TDX")
	}
}
