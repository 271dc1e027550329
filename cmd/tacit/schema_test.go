package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/vm"
)

// schemaOf is what tacit schema prints, as another's validator reads it. A key that it does not know is an error here.
func schemaOf(t *testing.T, word string) *jsonschema.Schema {
	t.Helper()
	status, text, stderr := tacit(t.Context(), &fake{}, "schema", word)
	if status != 0 {
		t.Fatal(stderr)
	}
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	closed(document)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource(word, document); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(word)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// closed has each object of a schema allow no other keys than it lists.
func closed(v any) {
	switch v := v.(type) {
	case map[string]any:
		if _, object := v["properties"].(map[string]any); object && v["type"] == "object" {
			v["additionalProperties"] = false
		}
		for _, part := range v {
			closed(part)
		}
	case []any:
		for _, part := range v {
			closed(part)
		}
	}
}

// valid says that each line of a text, or all of it, has the form.
func valid(t *testing.T, word, text string, lines bool) {
	t.Helper()
	s := schemaOf(t, word)
	values := []string{text}
	if lines {
		values = strings.Split(strings.TrimSpace(text), "\n")
	}
	for _, one := range values {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(one))
		if err != nil {
			t.Fatalf("%s: %v: %.300s", word, err, one)
		}
		if err := s.Validate(value); err != nil {
			t.Errorf("%s: %v", word, err)
		}
	}
}

// Everything that commands write as JSON has the form that tacit schema says.
func TestJSONHasItsSchema(t *testing.T) {
	ofVersion(t, "v1")
	dir, store := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	demo := write(t, in("demo.efi"), string(guest.Demo()))
	written := func(name string) string {
		text, err := os.ReadFile(in(name))
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	_, kernel := inspectStock(t)
	tested := map[string]bool{}
	for _, c := range []struct {
		word  string
		lines bool
		file  string // that the command writes; empty: it prints
		args  string
	}{
		{"record", false, "record.json", "boot --memory 512M -q --json " + in("record.json") + " --events " + in("events") + " " + demo},
		{"event", true, "events", ""},
		{"certificate", false, "", "certify --store " + store + " --memory 512M --platform tdx --policy lazy --require tdx --json - " + demo + " " + in("gone")},
		{"entries", false, "", "results list --json - --store " + store},
		{"changes", false, "", "results diff 2020-01-01 now --json - --store " + store},
		{"result", true, "", "results export - --store " + store},
		{"trials", false, "", "attack --platform snp --attack vc-vmmcall,drop --memory 512M --json - " + demo},
		{"comparison", false, "comparison.json", "compare --memory 1G --fail-if init>100x --json " + in("comparison.json") + " --resume " + in("saved") + " " + demo},
		{"boot", true, "saved", ""},
		{"storm", false, "", "storm --memory 512M --cpus 1,2 --append hold=100M --json - " + demo},
		{"hunt", false, "", "hunt --memory 512M --seeds 2 --append hold=100M --json - " + demo},
		{"scenarios", false, "", "scenario run --json - no-retry edk2#11525"},
		{"scenario-list", false, "", "scenario list --json -"},
		{"inspect", false, "", "inspect --json --require tdx " + kernel},
		{"cost", false, "", "cost --json"},
		{"sensitivity", false, "", "cost sensitivity --json " + in("record.json")},
		{"bench", false, "bench.json", "bench --runs 1 --save " + in("bench.json") + " integer"},
	} {
		var text string
		if c.args != "" {
			status, stdout, stderr := really(t, strings.Fields(c.args)...)
			if status == statusUsage || status == statusError {
				t.Fatalf("%s: %s", c.args, stderr)
			}
			text = stdout
		}
		if c.file != "" {
			text = written(c.file)
		}
		if len(text) < 2 {
			t.Errorf("%s: it writes %q", c.args, text)
			continue
		}
		valid(t, c.word, text, c.lines)
		tested[c.word] = true
		if c.word == "entries" {
			var all struct{ Entries []json.RawMessage }
			if err := json.Unmarshal([]byte(text), &all); err != nil || len(all.Entries) != 1 {
				t.Fatalf("%v, %d entries", err, len(all.Entries))
			}
			valid(t, "entry", string(all.Entries[0]), false)
			tested["entry"] = true
		}
	}
	tested["matrix"] = true // TestMatrix
	typed, err := json.Marshal(vm.Typed{Text: vm.Keys("\x1b[A")})
	if err != nil {
		t.Fatal(err)
	}
	valid(t, "typed", string(typed), true)
	tested["typed"] = true
	for _, word := range formWords() {
		if !tested[word] {
			t.Errorf("nothing of form %s was written", word)
		}
	}
}

// A value of another form is refused, and so is one with a key too few.
func TestSchemaRefuses(t *testing.T) {
	s := schemaOf(t, "cost")
	for _, text := range []string{`{}`, `{"schema":"tacit.cost/2","models":[]}`, `{"schema":"tacit.cost/1","models":[{"name":1}]}`} {
		value, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if s.Validate(value) == nil {
			t.Errorf("%s is taken", text)
		}
	}
}

// Every form that the sources name has a schema, and docs/json.md a row for it.
func TestEveryFormHasASchema(t *testing.T) {
	page, err := os.ReadFile("../../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range forms() {
		if slices.Contains(names, f.Name) {
			t.Errorf("there are two schemas of %s", f.Name)
		}
		names = append(names, f.Name)
		if !strings.Contains(string(page), "| `"+formWord(f)+"` | `"+f.Name+"` |") {
			t.Errorf("docs/json.md has no row of %s", f.Name)
		}
	}
	// What was read out of a file stays in the store; measurements are YAML.
	others := []string{"tacit.reading/1", "tacit.measurements/1"}
	name := regexp.MustCompile(`"(tacit[.-][a-z]+[/-][0-9]+)"`)
	err = filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range name.FindAllStringSubmatch(string(source), -1) {
			if !slices.Contains(names, found[1]) && !slices.Contains(others, found[1]) {
				t.Errorf("%s: the form %s has no schema", path, found[1])
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
