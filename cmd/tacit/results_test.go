package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/catalogue"
	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/record"
)

// ofVersion has this process be tacit of a version.
func ofVersion(t *testing.T, v string) {
	t.Helper()
	before := cleanVersion
	cleanVersion = func() (string, error) { return v, nil }
	t.Cleanup(func() { cleanVersion = before })
}

// exported are the results that a store has, a line each.
func exported(t *testing.T, from ...string) []string {
	t.Helper()
	status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"results", "export", "-"}, from...)...)
	if status != 0 {
		t.Fatal(stderr)
	}
	return strings.FieldsFunc(stdout, func(r rune) bool { return r == '\n' })
}

// guests are so many files, each an image of its own.
func guests(t testing.TB, n int) (paths []string) {
	dir := t.TempDir()
	for i := range n {
		paths = append(paths, write(t, filepath.Join(dir, fmt.Sprintf("%02d.efi", i)), string(guest.Demo())))
	}
	return paths
}

// certificateOf reads a certificate, without what differs between two runs of the same.
func certificateOf(t *testing.T, text []byte) *certify.Certificate {
	t.Helper()
	var c certify.Certificate
	if err := json.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	for _, b := range c.Boots {
		if b.Record == nil {
			t.Fatalf("%s: %s", b.Image, b.Error)
		}
		b.Record.Host = record.Host{}
	}
	return &c
}

func sameJSON(t *testing.T, got, want any) {
	t.Helper()
	a, err := json.Marshal(got)
	b, err2 := json.Marshal(want)
	if err != nil || err2 != nil || !bytes.Equal(a, b) {
		t.Errorf("%.2000s\nwant\n%.2000s", a, b)
	}
}

// An unchanged catalogue is certified again without a boot and without opening an image, byte for byte; another version of
// tacit knows nothing of it; a build without a version keeps nothing.
func TestCertifyAgain(t *testing.T) {
	store, paths := t.TempDir(), guests(t, 2)
	args := append([]string{"certify", "--platform", "tdx", "--policy", "lazy", "--memory", "512M", "--json", "-", "--store", store}, paths...)
	if status, _, stderr := tacit(t.Context(), &fake{}, args...); status != int(statusError) || !strings.Contains(stderr, "of no version") {
		t.Errorf("a build without a version: status %d: %s", status, stderr)
	}
	ofVersion(t, "v1")
	_, first, _ := tacit(t.Context(), &fake{}, args...)
	status, second, stderr := tacit(t.Context(), &fake{}, args...)
	if first != second || status != 0 { // also the time that the boots took
		t.Errorf("status %d, %s\n%s\nis not\n%s", status, stderr, second, first)
	}
	ofVersion(t, "v2")
	if _, other, _ := tacit(t.Context(), &fake{}, args...); other == first {
		t.Error("another version took what the first had found")
	}
	if n := len(exported(t, "--store", store)); n != 4 {
		t.Errorf("%d results, want 4", n)
	}

	// A file with the same name and other bytes is another image.
	changed := append(guest.Demo(), 0)
	if err := os.WriteFile(paths[0], changed, 0o600); err != nil {
		t.Fatal(err)
	}
	tacit(t.Context(), &fake{}, args...)
	if n := len(exported(t, "--store", store)); n != 5 {
		t.Errorf("%d results, want 5", n)
	}
}

// A store whose name is mistyped is not made.
func TestResultsOfNoStore(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "mistyped")
	for _, args := range [][]string{{"list"}, {"diff", "2020-01-01", "now"}, {"export", "-"}, {"expire", "--days", "1"}} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, append(append([]string{"results"}, args...), "--store", dir)...)
		if status != int(statusError) || stdout != "" || !strings.Contains(stderr, dir+": nothing is kept there") {
			t.Errorf("%v: status %d\n%s%s", args, status, stdout, stderr)
		}
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("it was made")
	}
}

// The history says which images changed their answer, between versions and dates.
func TestResultsDiff(t *testing.T) {
	store := t.TempDir()
	on := func(args ...string) (int, string) {
		t.Helper()
		status, stdout, stderr := tacit(t.Context(), &fake{}, append(args, "--store", store)...)
		return status, stdout + stderr
	}
	path := guests(t, 1)[0]
	certified := func() {
		t.Helper()
		if status, out := on("certify", "--platform", "tdx", "--policy", "lazy", "--memory", "1G", "--append", "hold=700M", path); status != 0 {
			t.Fatal(out)
		}
	}
	ofVersion(t, "tacit v1.0.0")
	certified()
	ofVersion(t, "tacit v1.1.0")
	certified()
	if status, out := on("results", "diff", "v1.0.0", "v1.1.0"); status != 0 || out != "0 images changed their answers\n" {
		t.Errorf("status %d\n%s", status, out)
	}
	status, out := on("results", "diff", "2020-01-01", "now")
	if status != int(statusNo) || !strings.Contains(out, path+"  ") || !strings.Contains(out, "- not known\n  + passed: tdx guest=yes accepts=yes") {
		t.Errorf("status %d\n%s", status, out)
	}
	if status, out := on("results", "diff", "v1.0", "v9"); status != int(statusError) || !strings.Contains(out, "v9: no date, and no version") {
		t.Errorf("status %d\n%s", status, out)
	}
	_, out = on("results", "list", "--json", "-")
	var list struct{ Entries []catalogue.Entry }
	if err := json.Unmarshal([]byte(out), &list); err != nil || len(list.Entries) != 2 || list.Entries[0].Subject() != path {
		t.Errorf("%v\n%s", err, out)
	}
	if status, out = on("results", "list", "--markdown", "-", "--since", "v1.0.0"); status != 0 || !strings.Contains(out, "`v1.0.0 and now`\n\nNothing.") ||
		!strings.Contains(out, "| `"+path+"` | passed | accepts | ") || strings.Count(out, "passed: tdx guest=yes accepts=yes") != 1 {
		t.Errorf("status %d\n%s", status, out)
	}
	page := filepath.Join(t.TempDir(), "page.html")
	status, out = on("certify", "--platform", "tdx", "--policy", "lazy", "--memory", "1G", "--append", "hold=700M", "--html", page, path)
	text, err := os.ReadFile(page)
	if status != 0 || err != nil || strings.Count(string(text), "<summary>earlier verdicts: 1</summary>") != 1 || !strings.Contains(string(text), "<summary>boots: 1</summary>") {
		t.Errorf("status %d, %s, %v, %s", status, out, err, text)
	}
	if status, out := on("results", "list", "--since", "v1"); status != int(statusUsage) || !strings.Contains(out, "--since is for --html and --markdown") {
		t.Errorf("status %d, %s", status, out)
	}
	if status, out := on("results", "expire", "--days", "0"); status != 0 || out != "6 forgotten\n" { // a boot, a verdict, a reading of each version
		t.Errorf("status %d\n%s", status, out)
	}
	if _, out = on("results", "list", "/elsewhere"); strings.Count(out, "\n") != 1 {
		t.Error(out)
	}
}

// Only a version that means the same sources for ever is one.
func TestVersionOf(t *testing.T) {
	for _, c := range []struct{ version, revision, modified, want string }{
		{"v1.2.3", "", "", "tacit v1.2.3"},
		{"v1.2.3", "abc", "false", "tacit v1.2.3 abc"},
		{"(devel)", "abc", "false", "tacit devel abc"},
		{"(devel)", "abc", "true", ""},
		{"v0.0.0-2026-abc+dirty", "abc", "true", ""},
		{"v0.0.0-2026-abc+dirty", "", "", ""},
		{"(devel)", "", "", ""},
		{"", "", "", ""},
	} {
		if got, err := versionOf(c.version, c.revision, c.modified); got != c.want || (err != nil) != (c.want == "") {
			t.Errorf("%+v: %q, %v", c, got, err)
		}
	}
}
