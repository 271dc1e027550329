package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

const example = `package p

import "errors"

var errOdd = errors.New("odd")

func f(a, b int) (int, error) {
	if a&1 != 0 && !odd {
		return 0, errOdd
	}
	for i := 0; i < 0x10; i++ {
		a += b
		g()
	}
	return a, nil
}
`

// Every kind of change is found, at its place.
func TestSites(t *testing.T) {
	file := filepath.Join(t.TempDir(), "p.go")
	if err := os.WriteFile(file, []byte(example), 0o644); err != nil {
		t.Fatal(err)
	}
	found, err := sites("p", file)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, m := range found {
		changed, err := m.apply([]byte(example))
		if err != nil {
			t.Fatal(err)
		}
		// The line as it is then, or what has gone.
		line := strings.TrimSpace(strings.Split(string(changed), "\n")[m.Line-1])
		got = append(got, fmt.Sprintf("%d %s: %s", m.Line, m.Kind, line))
	}
	want := []string{
		"8 statement dropped: ",
		"8 condition: if !(a&1 != 0 && !odd) {",
		"8 operator: if a|1 != 0 && !odd {",
		"8 constant: if a&0 != 0 && !odd {",
		"8 constant: if a&2 != 0 && !odd {",
		"8 operator: if a&1 == 0 && !odd {",
		"8 constant: if a&1 != 1 && !odd {",
		"8 operator: if a&1 != 0 || !odd {",
		"8 condition: if a&1 != 0 && odd {",
		"9 constant: return 1, errOdd",
		"9 error swallowed: return 0, nil",
		"11 constant: for i := 1; i < 0x10; i++ {",
		"11 operator: for i := 0; i <= 0x10; i++ {",
		"11 constant: for i := 0; i < 15; i++ {",
		"11 constant: for i := 0; i < 17; i++ {",
		"11 statement dropped: for i := 0; i < 0x10;  {",
		"11 operator: for i := 0; i < 0x10; i-- {",
		"12 statement dropped: ",
		"12 operator: a -= b",
		"13 statement dropped: ",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if _, err := found[0].apply([]byte("package q")); err == nil {
		t.Error("a change was applied to another file")
	}
}

// A small module is changed until its tests notice; they do not notice all. A second run tries nothing again.
func TestRun(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, text := range map[string]string{
		"go.mod": "module example.org/p\n\ngo 1.21\n",
		"p.go": "package p\n\nfunc Double(a int) int {\n\treturn a * 2\n}\n\nfunc Forgotten(a int) int {\n\treturn a * 3\n}\n\n" +
			"func Wait(n int) {\n\tfor n > 0 {\n\t\tn--\n\t}\n}\n",
		"p_test.go": "package p\n\nimport \"testing\"\n\nfunc TestDouble(t *testing.T) {\n\tif Double(4) != 8 {\n\t\tt.Error(Double(4))\n\t}\n}\n\n" +
			"func TestWait(t *testing.T) { Wait(3) }\n",
	} {
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	baselinePatience = time.Second
	for range 2 {
		if err := run(100, 1, "results.jsonl", 2, 5*time.Minute, false, false, []string{"."}); err != nil {
			t.Fatal(err)
		}
	}
	r, err := openResults("results.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	got := map[string]string{}
	for _, x := range r.all {
		if at := fmt.Sprintf("%d %s %q", x.Line, x.Kind, x.Is); got[at] != "" {
			t.Errorf("%s was tried twice", at)
		} else {
			got[at] = x.Result
		}
	}
	for at, want := range map[string]string{
		`4 operator "+"`: killed, `4 constant "3"`: killed, `8 operator "+"`: survived, `8 constant "2"`: survived,
		`13 statement dropped ""`: timedOut, `12 operator ">="`: survived,
	} {
		if got[at] != want {
			t.Errorf("%s: %q, want %q (of %v)", at, got[at], want, got)
		}
	}
	if err := os.WriteFile("p_test.go", []byte("package p\n\nimport \"testing\"\n\nfunc TestFails(t *testing.T) { t.Fail() }\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := run(100, 1, "results.jsonl", 2, 5*time.Minute, false, false, []string{"."}); err == nil {
		t.Error("tests that fail by themselves are taken for ones that notice")
	}
}
