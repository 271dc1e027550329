package scenario

import (
	"os"
	"strings"
	"testing"
)

// A package that is not there is named, with what gets it, before anything is booted.
func TestMissingPackage(t *testing.T) {
	s, _ := Named("AMDSEV#200")
	r, err := s.Run(t.Context(), Config{Packages: t.TempDir()})
	if err != nil || r.Verdict != NotRun || r.AsKnown || len(r.Boots) != 0 || !strings.Contains(r.Seen, "scripts/fetch-kernels trixie-cloud gets it") {
		t.Errorf("%+v, %v", r, err)
	}
}

// Every scenario is in docs/scenarios.md with its verdict, has what it needs, and a name that a shell passes on.
func TestScenariosAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/scenarios.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range All() {
		row := ""
		for line := range strings.Lines(string(page)) {
			if strings.HasPrefix(line, "| "+s.Name+" |") {
				row = line
			}
		}
		if !strings.Contains(row, "| "+string(s.Wants())) {
			t.Errorf("docs/scenarios.md has no row of %s, %s: %q", s.Name, s.Wants(), row)
		}
		if (s.Why == "") != (len(s.boots) > 0 && s.judge != nil) || s.What == "" || s.Source == "" || s.Expected == "" {
			t.Errorf("%s is not complete", s.Name)
		}
		for _, name := range s.Needs {
			if files[name] == "" {
				t.Errorf("%s needs %s, of which no file is known", s.Name, name)
			}
		}
		if strings.ContainsAny(s.Name, " \t$&|;'\"*?") {
			t.Errorf("%q is no name for a command line", s.Name)
		}
	}
}

// The table of canonical/tdx#421 ends where the mistake shows, for a few sizes and a place that is not on a page.
func TestCrosses(t *testing.T) {
	for _, c := range []struct {
		table, mib, lowest uint64
		want               bool
	}{
		{0xf295030, 63008, 256, true},   // 4082 bytes from 0x30 on: one page reserved, two reached
		{0xf295000, 63008, 256, false},  // from the page's start
		{0xf295030, 62000, 256, false},  // 4019 bytes
		{0xf295030, 65000, 256, false},  // 4207 bytes: two pages reserved
		{0x7f28f030, 67000, 4096, true}, // the thread's: 4092 bytes
		{0x7f28f030, 66000, 4096, false},
	} {
		if got := crosses(c.table, c.mib<<20, c.lowest<<20); got != c.want {
			t.Errorf("%#x, %d MiB: %v", c.table, c.mib, got)
		}
	}
}

// A dump is whole only if it has the pages that were marked, and zeros for what was not accepted; not by its size.
func TestDump(t *testing.T) {
	const line = "tacit: vmcore read, MiB: 1531, zeros: 1400, marked pages: 256\n"
	for _, c := range []struct {
		console string
		want    bool
	}{
		{"boot\n" + line + "more", true},
		{strings.Replace(line, "256", "255", 1), false},
		{strings.Replace(line, "1531", "900", 1), false},
		{strings.Replace(line, "1400", "100", 1), false},
		{line[:40], false}, {"", false},
	} {
		if got := dumped(Boot{Console: c.console}).whole(2048, 512, 1300); got != c.want {
			t.Errorf("%q: %v", c.console, got)
		}
	}
}
