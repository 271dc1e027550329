package measure

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
)

func exactly(ns float64) Sample { return Sample{Low: ns, Median: ns, High: ns, Count: 100} }

// fit returns the rows that a set gives beyond base's, and the refusals.
func fit(t *testing.T, s Set, base cost.Model) (map[cost.Event]int64, string) {
	t.Helper()
	rows, refusals, err := Fit(s, base)
	if err != nil {
		t.Fatal(err)
	}
	found := map[cost.Event]int64{}
	for _, row := range rows {
		if row != base.Row(row.Event) {
			found[row.Event] = row.NS
			if row.Uncertain() || !strings.Contains(row.Source, "a test") {
				t.Errorf("%v has the source %q", row.Event, row.Source)
			}
		}
	}
	if _, err := cost.New("fitted", base.Platform(), rows, nil); err != nil {
		t.Errorf("what fits is no model: %v", err)
	}
	var said []string
	for _, r := range refusals {
		said = append(said, r.Kind+": "+r.Why)
	}
	return found, strings.Join(said, "\n")
}

// From sums of known numbers those numbers follow.
func TestFit(t *testing.T) {
	s := Set{Platform: "tdx", HostPage: "2M", Processor: "a test", Measured: map[string]Sample{
		Syscall: exactly(100), CPUIDModule: exactly(700), CPUIDGuest: exactly(100 + 700 + 900), CPUIDHost: exactly(100 + 700 + 900 + 3000),
		Accept: exactly(2*3000 + 2*100_000 + 2*100_000 - 2),
	}}
	found, said := fit(t, s, cost.TDX())
	want := map[cost.Event]int64{cost.ModuleCall: 700, cost.VE: 900, cost.Exit: 3000}
	for e, ns := range want {
		if found[e] != ns {
			t.Errorf("%v: %d, want %d", e, found[e], ns)
		}
	}
	if sum := found[cost.HostAdd2M] + found[cost.TDXAccept2M]; sum != 199_999 || found[cost.HostAdd2M] <= found[cost.TDXAccept2M] {
		t.Errorf("a page is added for %d and accepted for %d, which is %d together", found[cost.HostAdd2M], found[cost.TDXAccept2M], sum)
	}
	if len(found) != 5 || said != "" {
		t.Errorf("%v; %s", found, said)
	}

	s.HostPage = "4K"
	s.Measured[Accept] = exactly(1024*(3000+5500) + 2*700)
	if found, _ := fit(t, s, cost.TDX()); found[cost.HostAdd4K] != 3500 || found[cost.TDXAccept4K] != 2000 || found[cost.HostAdd2M] != 0 {
		t.Errorf("%v", found)
	}
}

// What is not determined is refused, and everything that rests on it.
func TestFitRefuses(t *testing.T) {
	good := func() Set {
		return Set{Platform: "tdx", HostPage: "2M", Processor: "a test", Measured: map[string]Sample{
			Syscall: exactly(100), CPUIDModule: exactly(700), CPUIDGuest: exactly(1700), CPUIDHost: exactly(4700), Accept: exactly(800_000),
		}}
	}
	for _, c := range []struct {
		want string
		rows int
		set  func(s *Set)
	}{
		{"accept-block: host_page does not say", 3, func(s *Set) { s.HostPage = "" }},
		{"cpuid-guest: syscall is part of it, and was not measured well", 1, func(s *Set) { delete(s.Measured, Syscall); delete(s.Measured, Accept) }},
		{"accept-block: it consists of exit, too, which is not known", 2, func(s *Set) { delete(s.Measured, CPUIDHost) }},
		{"cpuid-host: 7 times are too few", 2, func(s *Set) { m := exactly(4700); m.Count = 7; s.Measured[CPUIDHost] = m }},
		{"cpuid-host: its quartiles, 1000 and 4700 ns, are too far", 2, func(s *Set) { m := exactly(4700); m.Low = 1000; s.Measured[CPUIDHost] = m }},
		{"cpuid-host: its quartiles are not in order", 2, func(s *Set) { m := exactly(4700); m.High = 1000; s.Measured[CPUIDHost] = m }},
		{"cpuid-guest: nothing is left of 700 ns less syscall 100, 1 × module-call 700", 1, func(s *Set) { s.Measured[CPUIDGuest] = exactly(700) }},
		{"cpuid-host: cpuid-guest is part of it, from which nothing followed", 1, func(s *Set) { s.Measured[CPUIDGuest] = exactly(700) }},
	} {
		s := good()
		c.set(&s)
		if found, said := fit(t, s, cost.TDX()); len(found) != c.rows || !strings.Contains(said, c.want) {
			t.Errorf("%v and\n%s\nwant %d numbers and %s", found, said, c.rows, c.want)
		}
	}
	if _, _, err := Fit(good(), cost.SNP()); err == nil || !strings.Contains(err.Error(), "snp-estimate-1 is for snp") {
		t.Error(err)
	}
	s := good()
	delete(s.Measured, CPUIDModule)
	if _, refusals, err := Fit(s, cost.TDX()); err == nil || len(refusals) != 4 || refusals[0].Why != "it was not measured" {
		t.Error(refusals, err)
	}
	if _, _, err := Fit(Set{Platform: "tdx"}, cost.TDX()); err == nil || !strings.Contains(err.Error(), "nothing follows") {
		t.Error(err)
	}
	s = Set{Platform: "snp", HostPage: "4K", Processor: "a test", Measured: map[string]Sample{CPUIDGuest: exactly(1200), Hypercall: exactly(4200), Accept: exactly(800_000)}}
	if found, said := fit(t, s, cost.SNP()); len(found) != 1 || found[cost.Exit] != 3000 || !strings.Contains(said, "not known where the host maps 4K on snp") {
		t.Errorf("%v; %s", found, said)
	}
}
