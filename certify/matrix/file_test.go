package matrix

import (
	"bytes"
	"errors"
	"maps"
	"strings"
	"testing"
)

func size(text string) (uint64, error) {
	if n, ok := strings.CutSuffix(text, "G"); ok && len(n) == 1 {
		return uint64(n[0]-'0') << 30, nil
	}
	return 0, errors.New("no size")
}

// What is wrong with a file is said with its line.
func TestReadIsStrict(t *testing.T) {
	for text, want := range map[string]string{
		"":                                      "the file is empty",
		"images: a\nimage: b":                   `line 2: a matrix has no "image": there are images, platforms`,
		"platforms: tdx":                        "line 1: images is missing",
		"images: a\nplatforms: [tdx,\n sgx]":    `line 3: platforms: there is no "sgx": there are none, snp, tdx`,
		"images: a\npolicies: lasy":             `line 2: policies: there is no "lasy"`,
		"images: a\nmemory: lots":               "line 2: no size",
		"images: a\nmemory: [1G, 9G, 0G]":       "line 2: memory is 0",
		"images: [a, b, a]":                     `line 1: images has "a" twice`,
		"images: a\nkernels: b":                 "line 2: kernels are images here",
		"images: []":                            "line 1: images is an empty list",
		"images: a\nimages: b":                  "line 2: a matrix has images twice",
		"images: a\nprocessors: 0":              `line 2: processors: "0" is no number from 1`,
		"images: a\nprocessors: 999":            "line 2: 999 processors",
		"images: a\nattacks: [none, dorp]":      `line 2: host attack "dorp"`,
		"images: a\ncommand_lines: [\"a\\nb\"]": "line 2: a command line is one line of text",
		"images: a\ncommand_lines: {a: b}":      "line 2: a command line is one line of text",
		"images: a\namounts: much":              "line 2: amounts is true or false",
		"images: &x a\npolicies: *x":            "line 2: policies has no value",
		"images: a\n--- \nimages: b":            "more than one document",
	} {
		if _, err := Read(strings.NewReader(text), size); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
	m, err := Read(strings.NewReader("images: a\nmemory: [1G, 4G]\nattacks: [none, drop, vc-vmmcall]\nplatforms: [tdx, snp, none]"), size)
	if err != nil {
		t.Fatal(err)
	}
	// Of four policies and two amounts: no attack on platform none, one on tdx, two on snp.
	if n := len(m.cells([]string{"a", "b"})); n != 2*4*2*(1+2+3) {
		t.Errorf("%d combinations", n)
	}
}

// A table is read as it was written, and what is not the same is a change.
func TestTable(t *testing.T) {
	cell := func(image, outcome string) *Cell {
		return &Cell{Key: Key{Image: image, Platform: "tdx", Policy: "lazy", Memory: 1 << 30, Processors: 2, CommandLine: "a,\"b\n", Attack: Honest}, Shown: &Shown{Init: "yes", Outcome: outcome}}
	}
	before := []*Cell{cell("same", "poweroff"), cell("other", "poweroff"), cell("gone", "poweroff"), cell("unknown", "poweroff")}
	var text bytes.Buffer
	if err := Write(&text, before); err != nil {
		t.Fatal(err)
	}
	expected, err := Expect(bytes.NewReader(text.Bytes()))
	if err != nil || len(expected) != 4 || expected[before[0].Key] != *before[0].Shown {
		t.Fatalf("%v, %v", err, maps.Collect(maps.All(expected)))
	}
	unknown := cell("unknown", "")
	unknown.Shown, unknown.Error = nil, "it was told to end"
	now := []*Cell{cell("same", "poweroff"), cell("other", "triple-fault"), cell("new", "poweroff"), unknown}
	r := Report{Cells: now, Changes: Compare(expected, now)}
	if got, want := r.Summary(), "4 boots: 1 as expected, 1 changed, 1 new, 1 gone, 1 could not be judged"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	var said strings.Builder
	if err := r.WriteText(&said); err != nil || !strings.Contains(said.String(), "changed  other  tdx  lazy  1 GiB  2 processors") || !strings.Contains(said.String(), "    outcome: poweroff → triple-fault\n") {
		t.Errorf("%v: %s", err, &said)
	}
	if err := Write(&text, now); err == nil {
		t.Error("a table was written of what could not be judged")
	}
	for _, wrong := range []string{"", "a,b\n", strings.Join(head, ",") + "\nimage,tdx\n", text.String() + text.String(), strings.Join(head, ",") + "\na,tdx,lazy,x,1,,none,,,,,,,\n"} {
		if _, err := Expect(strings.NewReader(wrong)); err == nil {
			t.Errorf("%q is a table", wrong)
		}
	}
}
