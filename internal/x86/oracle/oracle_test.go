package oracle

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
)

var (
	casesFlag  = flag.Uint64("cases", 1_000_000, "number of cases to compare")
	seedFlag   = flag.Uint64("seed", 1, "seed of the generator")
	firstFlag  = flag.Uint64("first", 0, "number of the first case: with -cases=1 the one to replay")
	formsFlag  = flag.String("forms", "", "regular expression: only forms whose name it matches; case numbers mean other cases then")
	recordFlag = flag.Bool("record", false, "ask silicon and write testdata/silicon.recording anew")
	countsFlag = flag.String("counts", "", "file to write the coverage list to")
)

// recording holds what silicon answered to the first cases of seed 1.
const (
	recordingFile  = "testdata/silicon.recording"
	recordingCases = 1 << 16
)

// notRecorded are features that the guest has been given since: the next recording has them, too.
var notRecorded = []string{"MOVDIRI"}

// The interpreter answers as silicon did when the recording was made. This needs no silicon, so it holds on every host.
func TestRecordedAnswers(t *testing.T) {
	guest := announcedFeatures(guestCPUID)
	for _, feature := range notRecorded {
		if !*recordFlag {
			guest[feature] = false
		}
	}
	g := NewGenerator(1, func(f *form) bool { return guest[f.feature] && f.excluded() == "" })
	if *recordFlag {
		if vendor := hostVendor(); vendor != "GenuineIntel" {
			t.Fatalf("a recording is of an Intel processor; this is %s", vendor)
		}
		r, err := Record(g, recordingCases)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(recordingFile, r.Marshal(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(recordingFile)
	if err != nil {
		t.Fatal(err)
	}
	r, err := ParseRecording(b)
	if err != nil {
		t.Fatal(err)
	}
	for _, way := range Ways() {
		if way.BlockLimit > 0 {
			continue
		}
		in, err := NewInterpreter(way)
		if err != nil {
			t.Fatal(err)
		}
		defer in.Close()
		differ := 0
		err = r.Check(g, in, func(n uint64, c *Case, got *Outcome) {
			if differ++; differ <= 10 {
				t.Errorf("case %d: %s: not what silicon answered; %v ended with %s %v\n%s", n, c.Name, way, got.exception(), got.Err, c.Literal())
			}
		})
		if err != nil {
			t.Fatalf("%v: make it anew with -record on Linux on Intel", err)
		}
		if differ > 0 {
			t.Errorf("%v: %d of %d cases differ; on Linux on Intel, -first=N -cases=1 shows how", way, differ, len(r.Answers))
		}
	}
}

// generator returns the generator that the flags ask for: of the forms that the interpreter announces, the host has,
// and no exclusion names.
func generator(t testing.TB) *Generator {
	pattern, err := regexp.Compile(*formsFlag)
	if err != nil {
		t.Fatal(err)
	}
	guest, host := announcedFeatures(guestCPUID), announcedFeatures(hostCPUID)
	missing := map[string]int{}
	g := NewGenerator(*seedFlag, func(f *form) bool {
		if guest[f.feature] && !host[f.feature] {
			missing[f.feature]++
		}
		return guest[f.feature] && host[f.feature] && f.excluded() == "" && pattern.MatchString(f.name)
	})
	for name, n := range missing {
		t.Logf("this host has no %s: %d forms cannot be compared here", name, n)
	}
	return g
}

// needSilicon skips where there is none, and says so.
func needSilicon(t testing.TB) {
	t.Helper()
	s, err := NewSilicon()
	switch {
	case err == nil:
		s.Close()
	case runtime.GOOS == "linux" && runtime.GOARCH == "amd64":
		t.Fatal(err)
	default:
		t.Skip(err)
	}
}

// Silicon and interpreter agree on everything that is not excluded.
func TestSiliconAgrees(t *testing.T) {
	needSilicon(t)
	g := generator(t)
	t.Logf("seed %d, cases %d to %d, %d forms", *seedFlag, *firstFlag, *firstFlag+*casesFlag-1, len(g.forms))
	r, err := Run(g, *firstFlag, *casesFlag, runtime.GOMAXPROCS(0))
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("ended with: %v", r.Vectors)
	for _, d := range makerDifferences[hostVendor()] {
		t.Logf("%s does it otherwise in %d cases: %s", hostVendor(), r.Settled[d.what], d.what)
	}
	if *countsFlag != "" {
		writeList(t, r)
	}
	if r.Differ > 0 {
		t.Errorf("%d of %d cases differ", r.Differ, r.Cases)
	}
	report(t, r.Failures)
	if *formsFlag != "" || *casesFlag < 100*uint64(len(g.forms)) {
		return
	}
	for _, c := range r.Counts {
		if c.Cases == 0 {
			t.Errorf("no case has %s", c.Form)
		} else if c.Completed == 0 != c.Faults {
			t.Errorf("%s completed in %d of %d cases", c.Form, c.Completed, c.Cases)
		}
	}
}

// reported bounds how many failures are shrunk and printed.
const reported = 40

func report(t *testing.T, failures []Failure) {
	t.Helper()
	if len(failures) == 0 {
		return
	}
	o, err := New(Ways()...)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	seen := map[string]bool{}
	for _, f := range failures {
		if len(seen) == reported {
			t.Errorf("and more")
			return
		}
		small := Shrink(f.Case, func(c *Case) bool { return ask(t, o, c) != nil })
		if seen[small.Name] {
			continue
		}
		seen[small.Name] = true
		t.Errorf("case %d: %s\n%s\nshrunk:\n%s\n%s", f.Number, f.Case.Name, strings.Join(f.Differences, "\n"), strings.Join(ask(t, o, small), "\n"), small.Literal())
	}
}

func ask(t *testing.T, o *Oracle, c *Case) (differences []string) {
	t.Helper()
	if err := o.Ask([]*Case{c}, func(_ int, _ *Outcome, d []string) { differences = d }); err != nil {
		t.Fatal(err)
	}
	return differences
}

// writeList writes how often each form was compared.
func writeList(t *testing.T, r *Report) {
	f, err := os.Create(*countsFlag)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, "seed %d, %d cases\n%9s %9s  form\n", *seedFlag, r.Cases, "cases", "completed")
	for _, c := range r.Counts {
		fmt.Fprintf(f, "%9d %9d  %s\n", c.Cases, c.Completed, c.Form)
	}
	fmt.Fprintf(f, "\nNot compared:\n")
	for _, x := range allForms {
		if reason := x.excluded(); reason != "" {
			fmt.Fprintf(f, "%s: %s\n", x.name, reason)
		}
	}
	for _, e := range otherExclusions {
		fmt.Fprintf(f, "%s: %s\n", e.what, e.reason)
	}
	if table := makerDifferences[hostVendor()]; len(table) > 0 {
		fmt.Fprintf(f, "\n%s does otherwise:\n", hostVendor())
		for _, d := range table {
			fmt.Fprintf(f, "%9d  %s: %s\n", r.Settled[d.what], d.what, d.reason)
		}
	}
}

// Every feature that the interpreter announces has rows in the tables, or a reason why not.
func TestEveryAnnouncedFeatureHasForms(t *testing.T) {
	for _, bit := range unexplained(guestCPUID) {
		t.Errorf("%s is announced: neither instructionFeatures nor otherFeatures says what it means", bit)
	}
	forms := map[string]int{}
	for _, f := range allForms {
		if f.feature != "" {
			forms[f.feature]++
		}
		if f.isX87() {
			forms["FPU"]++
		}
	}
	names := map[string]bool{}
	for _, f := range instructionFeatures {
		names[f.name] = true
		if f.announced(guestCPUID) && forms[f.name] == 0 {
			t.Errorf("%s is announced and no instruction in the tables has it", f.name)
		}
	}
	for name := range forms {
		if !names[name] {
			t.Errorf("the tables have instructions of %q, which no CPUID bit announces", name)
		}
	}
}

// What went wrong once stays right.
func TestPastFailures(t *testing.T) {
	needSilicon(t)
	o, err := New(Ways()...)
	if err != nil {
		t.Fatal(err)
	}
	defer o.Close()
	for _, c := range pastFailures {
		if d := ask(t, o, c); d != nil {
			t.Errorf("%s % x\n%s", c.Name, c.Code, strings.Join(d, "\n"))
		}
	}
}
