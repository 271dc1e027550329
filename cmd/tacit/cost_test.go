package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/cost/measure"
	"github.com/tacit-vm/tacit/record"
)

func fileWith(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// good runs a command line that is to succeed without a word on standard error.
func good(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	status, stdout, stderr := tacit(t.Context(), &fake{}, args...)
	if status != 0 || stderr != "" {
		t.Fatalf("%q: status %d, %s", args, status, stderr)
	}
	return stdout
}

func TestCostShowsModels(t *testing.T) {
	text := good(t, "cost")
	var shown struct {
		Schema string
		Models []struct {
			Name, Platform string
			Costs          []struct {
				Event, Source string
				NS            int64
			}
			Holds []holdJSON
		}
	}
	if err := json.Unmarshal([]byte(good(t, "cost", "--json")), &shown); err != nil {
		t.Fatal(err)
	}
	if shown.Schema != costSchema || len(shown.Models) != len(cost.Models()) {
		t.Fatalf("%+v", shown)
	}
	for i, m := range cost.Models() {
		if got := shown.Models[i]; got.Name != m.Name() || got.Platform != m.Platform() || len(got.Costs) != len(m.Table()) {
			t.Errorf("%+v for %s", got, m.Name())
		}
		for j, row := range m.Table() {
			if got := shown.Models[i].Costs[j]; got.Event != row.Event.String() || got.NS != row.NS || got.Source != row.Source {
				t.Errorf("%+v, want %+v", got, row)
			}
			if line := fmt.Sprintf("%-14v%14d  %s\n", row.Event, row.NS, row.Source); !strings.Contains(text, line) {
				t.Errorf("no line %q", line)
			}
		}
		for j, h := range m.Holds() {
			if got, want := shown.Models[i].Holds[j], (holdJSON{h.Name(), h.Lock.String(), h.NS, h.Source}); got != want {
				t.Errorf("%+v, want %+v", got, want)
			}
			if line := fmt.Sprintf("%-14s%-14v%14d  %s\n", h.Name(), h.Lock, h.NS, h.Source); !strings.Contains(text, line) {
				t.Errorf("no line %q", line)
			}
		}
	}
}

// What show --yaml writes is a file to begin with, and check says what is measured in it.
func TestCostFiles(t *testing.T) {
	yaml := good(t, "cost", "show", "--yaml", "plain-estimate-1")
	own := strings.Replace(yaml, "name: plain-estimate-1", "name: mine", 1)
	own = strings.Replace(own, "1500, source: \"estimate:", "1400, source: \"measured:", 1)
	path := fileWith(t, "mine.yaml", own)
	said := good(t, "cost", "check", path)
	if !strings.Contains(said, ": mine@") || !strings.HasSuffix(said, ", for platform none; estimated: host-add-2m, service-mib, device-request, device-kib; of what is held: host-add-4k, host-add-2m\n") {
		t.Errorf("%q", said)
	}
	if shown := good(t, "cost", "show", path); !strings.Contains(shown, "\nhost-add-4k             1400  measured: an EPT violation") {
		t.Errorf("%s", shown)
	}
	f := &fake{outcome: record.PowerOff}
	if status, _, stderr := tacit(t.Context(), f, "boot", "-q", "--platform", "none", "--cost", path, "i"); status != 0 {
		t.Fatal(stderr)
	}
	if got := f.settings.cost; got.NS(cost.HostAdd4K) != 1400 || !strings.HasPrefix(got.Name(), "mine@") {
		t.Errorf("the machine charges by %s", got.Name())
	}
	status, stdout, stderr := tacit(t.Context(), &fake{}, "cost", "check", path, fileWith(t, "wrong.yaml", yaml), "/nonexistent")
	if status != statusError || !strings.Contains(stdout, "mine@") || strings.Count(stderr, "\n") != 2 ||
		!strings.Contains(stderr, "wrong.yaml: line 1: plain-estimate-1 is the name of another model") {
		t.Errorf("status %d, %q, %q", status, stdout, stderr)
	}
}

// Two records that the machine has made, the answer about them, and what is wrong with others.
func TestCostSensitivity(t *testing.T) {
	dir := t.TempDir()
	model := fileWith(t, "mine.yaml", "name: mine\nbase: tdx-estimate-1\ncosts:\n  exit: {ns: 2000, source: 'measured: here'}\n")
	made := func(name string, args ...string) string {
		path := filepath.Join(dir, name)
		args = append([]string{"boot", "-q", "--memory", "512M", "--json", path}, args...)
		if status := execute(t.Context(), args, os.Stdout, new(strings.Builder), boot); status != 0 {
			t.Fatalf("%q: status %d", args, status)
		}
		return path
	}
	lazy, eager := made("lazy.json"), made("eager.json", "--append", "unaccepted=eager")
	own, snp := made("own.json", "--cost", model), made("snp.json", "--platform", "snp")
	if r := readRecord(t, own); !strings.HasPrefix(r.CostModel, "mine@") {
		t.Errorf("the record is charged by %q", r.CostModel)
	}

	text := good(t, "cost", "sensitivity", "--until", "end", eager, lazy)
	if !strings.Contains(text, "virtual time until end, eager.json : lazy.json: ") || !strings.Contains(text, "\naccept-2m ") {
		t.Errorf("%s", text)
	}
	var answer struct {
		Unit              string
		Figure, Low, High float64
		Estimates         []struct {
			Event           string
			Halved, Doubled float64
		}
	}
	if err := json.Unmarshal([]byte(good(t, "cost", "sensitivity", "--json", lazy)), &answer); err != nil {
		t.Fatal(err)
	}
	if got, want := int64(answer.Figure), *readRecord(t, lazy).VirtualNS.Init; got != want || answer.Unit != "ns" || answer.Low >= answer.Figure || answer.High <= answer.Figure || len(answer.Estimates) < 3 {
		t.Errorf("init at %d: %+v", want, answer)
	}
	if text := good(t, "cost", "sensitivity", "--cost", model, own); strings.Contains(text, "\nexit ") {
		t.Errorf("what is measured counts as an estimate:\n%s", text)
	}

	old := fileWith(t, "old.json", `{"schema": "tacit.record/1", "cost_model": "tdx-estimate-1", "virtual_ns": {"init": 7, "total": 9}}`)
	early := fileWith(t, "early.json", `{"schema": "tacit.record/1", "cost_model": "tdx-estimate-1", "virtual_ns": {"total": 9}, "costs": {"total": {"events": {"exit": {"count": 1, "ns": 9}}}}}`)
	for _, c := range []struct {
		want string
		args []string
	}{
		{"was made with tdx-estimate-1, and", []string{lazy, snp}},
		{"was made with tdx-estimate-1, and", []string{lazy, own}},
		{"give its file with --cost", []string{own}},
		{"plain-estimate-1 is plain-estimate-1, and the cost model of the record is \"mine@", []string{"--cost", "plain-estimate-1", own}},
		{"old.json: the record does not say how often what was charged", []string{old}},
		{"early.json: the guest did not reach its init: ask for --until end", []string{early}},
		{"early.json: what it counted takes 2.500 µs by tdx-estimate-1, and it says 9 ns", []string{"--until", "end", early}},
		{"nonexistent: no such file", []string{"/nonexistent"}},
		{"this is no record", []string{model}},
		{"tacit: /dev/null: not a regular file", []string{"/dev/null"}},
		{"this is no record: it has a number for virtual_ns", []string{fileWith(t, "event.json", `{"virtual_ns": 7}`)}},
		{"its schema is \"\"", []string{fileWith(t, "x.json", "{}")}},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"cost", "sensitivity"}, c.args...)...)
		if status != statusError || stdout != "" || !oneLine(stderr) || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, %q, want %q", c.args, status, stderr, c.want)
		}
	}
}

// What was measured becomes a model that boots, and what does not follow is said.
func TestCostFit(t *testing.T) {
	dir := t.TempDir()
	in := write(t, filepath.Join(dir, "measurements.yaml"), `schema: tacit.measurements/1
platform: tdx
processor: a test
measured:
  syscall: {ns: 100, low: 90, high: 110, count: 500}
  cpuid-module: {ns: 700, low: 690, high: 710, count: 500}
  cpuid-guest: {ns: 1700, low: 1690, high: 1710, count: 500}
  cpuid-host: {ns: 4700, low: 4690, high: 4710, count: 5}
  accept-block: {ns: 800000, low: 790000, high: 810000, count: 24}
`)
	out := filepath.Join(dir, "model.yaml")
	status, stdout, stderr := tacit(t.Context(), &fake{}, "cost", "fit", "--name", "rack", "-o", out, in)
	for _, want := range []string{
		"tacit: no number from cpuid-host: 5 times are too few: want 8\n", "tacit: no number from accept-block: host_page does not say",
		"tacit: rack@", "estimated: exit, host-add-4k, host-add-2m, service-mib, accept-2m, mapgpa, mapgpa-4k, mapgpa-2m, device-request, device-kib; of what is held: exit, host-add-4k, host-add-2m, accept-4k, accept-2m, mapgpa, mapgpa-4k, mapgpa-2m\n",
	} {
		if !strings.Contains(stderr, want) {
			t.Errorf("%q is missing in %s", want, stderr)
		}
	}
	m, err := modelOf(out)
	if status != 0 || stdout != "" || err != nil {
		t.Fatalf("status %d, %q, %v", status, stdout, err)
	}
	if m.NS(cost.ModuleCall) != 700 || m.NS(cost.VE) != 900 || m.NS(cost.Exit) != 2500 || !strings.HasPrefix(m.Row(cost.VE).Source, "measured: CPUID leaf 2, median of 500: 1700 ns") {
		t.Errorf("%+v", m.Table())
	}
	for _, c := range []struct {
		want string
		args []string
	}{
		{"measured on platform \"tdx\", and snp-estimate-1 is for snp", []string{"--base", "snp-estimate-1", in}},
		{"model.yaml: line 1: a file of measurements has no \"name\"", []string{out}},
		{"nonexistent: no such file", []string{"/nonexistent"}},
		{"nothing follows", []string{write(t, filepath.Join(dir, "none.yaml"), "schema: tacit.measurements/1\nplatform: tdx\nmeasured: {}\n")}},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"cost", "fit"}, c.args...)...)
		if status != statusError || stdout != "" || !strings.Contains(stderr, c.want) {
			t.Errorf("%q: status %d, %q, want %q", c.args, status, stderr, c.want)
		}
	}
}

// Here nothing is confidential, but what measures runs.
func TestCostMeasure(t *testing.T) {
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		status, _, stderr := tacit(t.Context(), &fake{}, "cost", "measure")
		if status != statusError || !strings.Contains(stderr, "measuring is for Linux on x86-64") {
			t.Errorf("status %d, %s", status, stderr)
		}
		return
	}
	text := good(t, "cost", "measure", "--platform", "none")
	s, err := file.ReadMeasurements(strings.NewReader(text))
	if err != nil || s.Measured[measure.Syscall].Count == 0 || s.Measured[measure.CPUIDHost].Median <= 0 {
		t.Errorf("%v in\n%s", err, text)
	}
}
