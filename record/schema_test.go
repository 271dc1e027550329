package record

import (
	"bytes"
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// names lists the paths of all values in a JSON document.
func names(v any, path string) []string {
	object, ok := v.(map[string]any)
	if !ok {
		return []string{path}
	}
	all := []string{path}
	for key, value := range object {
		all = append(all, names(value, strings.TrimPrefix(path+"."+key, "."))...)
	}
	return all
}

func decode(t *testing.T, r *Record) map[string]any {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	var v map[string]any
	if err := json.Unmarshal(b.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}

// These names are a promise to the readers of records.
var promised = []string{
	"schema", "image.kernel", "platform", "memory_bytes", "outcome", "diagnosis",
	"acceptance.by.firmware.bytes", "acceptance.by.firmware.operations",
	"acceptance.by.stub.bytes", "acceptance.by.stub.operations",
	"acceptance.by.kernel.bytes", "acceptance.by.kernel.operations",
	"acceptance.unaccepted_at_init_bytes", "acceptance.unaccepted_at_report_bytes",
	"acceptance.unaccepted_at_end_bytes", "acceptance.bitmap_set_at_report_bytes",
	"guest.meminfo", "guest.flags", "virtual_ns.init", "virtual_ns.total", "instructions", "cost_model",
	"costs.init", "costs.total.waited_ns", "costs.total.events",
	"host.wall_ns", "host.mips", "host.peak_rss_bytes",
}

// The names are there in a full record and in an empty one.
func TestPromisedNames(t *testing.T) {
	for what, r := range map[string]*Record{"full": aRecord(), "empty": NewLog(nil).Record()} {
		got := names(decode(t, r), "")
		for _, name := range promised {
			if !slices.Contains(got, name) {
				t.Errorf("%s record: no %s", what, name)
			}
		}
	}
	full := names(decode(t, aRecord()), "")
	for _, name := range []string{"guest.meminfo.MemTotal", "guest.meminfo.Unaccepted", "costs.init.events.exit.count", "costs.total.events.exit.ns"} {
		if !slices.Contains(full, name) {
			t.Errorf("no %s", name)
		}
	}
}

// docs/record.md has a row for every key that a record can have.
func TestEveryKeyIsDocumented(t *testing.T) {
	page, err := os.ReadFile("../docs/record.md")
	if err != nil {
		t.Fatal(err)
	}
	r := aRecord()
	a := Address(1)
	r.Diagnosis = &Diagnosis{"s", &a, &a, "p", &a, "f", &Instruction{"90", "nop"}, "a"}
	r.Attack = &Attack{Kind: "drop", N: 1, Steps: []AttackStep{}}
	r.Lie = &Lie{Kind: "overlap"}
	for _, name := range names(decode(t, r), "") {
		if top, _, _ := strings.Cut(name, "."); slices.Contains([]string{"calls", "added", "conversions"}, top) {
			name = top // what is below are names of the run
		}
		for _, agent := range []string{"firmware", "stub", "kernel"} {
			name = strings.Replace(name, "acceptance.by."+agent+".", "acceptance.by.*.", 1)
		}
		for _, at := range []string{"init.", "total."} {
			name = strings.Replace(name, "costs."+at, "costs.*.", 1)
		}
		for _, counts := range []string{".sizes.", ".until_init.", ".after_init.", ".events.", ".contended."} {
			if at := strings.Index(name, counts); at >= 0 {
				name = name[:at+len(counts)-1]
			}
		}
		name = strings.ReplaceAll(name, "guest.meminfo.", "")
		if slices.Contains([]string{"", "config", "image", "acceptance", "acceptance.by", "guest", "host", "virtual_ns",
			"costs", "diagnosis.instruction"}, name) {
			continue // only holds others
		}
		if !bytes.Contains(page, []byte("`"+name+"`")) {
			t.Errorf("docs/record.md says nothing about %s", name)
		}
	}
	for _, o := range Outcomes() {
		if !bytes.Contains(page, []byte("`"+string(o.Outcome)+"`")) {
			t.Errorf("docs/record.md does not list the outcome %s", o.Outcome)
		}
	}
}

// What was written can be read: a program of somebody else's uses the same types.
func TestRecordRoundTrip(t *testing.T) {
	r := aRecord()
	r.Diagnosis = &Diagnosis{Summary: "s", GPA: new(Address(0xffff_ffff_ffff_f000))}
	var first, second bytes.Buffer
	if err := r.WriteJSON(&first); err != nil {
		t.Fatal(err)
	}
	var back Record
	if err := json.Unmarshal(first.Bytes(), &back); err != nil {
		t.Fatal(err)
	}
	if err := back.WriteJSON(&second); err != nil {
		t.Fatal(err)
	}
	if first.String() != second.String() {
		t.Errorf("became\n%s\nfrom\n%s", second.String(), first.String())
	}
}
