package scenario_test

import (
	"flag"
	"testing"

	"github.com/tacit-vm/tacit/scenario"
)

var packages = flag.String("kernels", "../kernels", "where Debian's packages are")

// Every scenario comes to the verdict that it is known to come to.
func TestScenarios(t *testing.T) {
	for _, s := range scenario.All() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r, err := s.Run(t.Context(), scenario.Config{Packages: *packages})
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("%s: %s", r.Verdict, r.Seen)
			if !r.AsKnown {
				t.Errorf("%s, want %s: %s", r.Verdict, s.Wants(), r.Seen)
			}
		})
	}
}
