package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/certify"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/record"
)

// oneBoot are the flags of a certification of tacit's own guest that boots once and takes a moment.
func oneBoot(more ...string) []string {
	return append([]string{"certify", "--own-guest", "--platform", "tdx", "--policy", "lazy", "--memory", "1G"}, more...)
}

// The exit status is the answer, and the last line counts.
func TestCertifyStatuses(t *testing.T) {
	_, help, _ := tacit(t.Context(), &fake{}, "certify", "--help")
	for _, c := range []struct {
		args []string
		want int
		says string // the last line
	}{
		{oneBoot(), 0, "1 image: 1 passed, 0 failed, 0 could not be judged; nothing was required"},
		{oneBoot("--append", "hold=700M", "--require", "tdx,lazy"), 0, "1 image: 1 passed, 0 failed, 0 could not be judged"},
		{oneBoot("--append", "unaccepted=unknown"), 0, "1 image: 1 passed, 0 failed, 0 could not be judged; nothing was required"},
		{oneBoot("--append", "unaccepted=unknown", "--require", "tdx"), 3, "1 image: 0 passed, 1 failed, 0 could not be judged"},
		{oneBoot("--append", "unaccepted=unknown", "--require", "tdx", "/nonexistent"), 3, "2 images: 0 passed, 1 failed, 1 could not be judged"},
		{oneBoot("--append", "unaccepted=unknown touch", "--require", "tdx-guest"), 0, "1 image: 1 passed, 0 failed, 0 could not be judged"},
		{oneBoot("--require", "tdx", "--append", "hold=700M", "/nonexistent"), 4, "2 images: 1 passed, 0 failed, 1 could not be judged"},
		{oneBoot("--timeout", "1ns"), 4, "1 image: 0 passed, 0 failed, 1 could not be judged; nothing was required"},
		{[]string{"certify", "/nonexistent", "/dev/null"}, 4, "2 images: 0 passed, 0 failed, 2 could not be judged; nothing was required"},
		{oneBoot("--json", "/nonexistent/c.json"), 1, ""},
		{oneBoot("--require", "snp"), 2, ""},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, c.args...)
		lines := strings.Split(strings.TrimSuffix(stdout, "\n"), "\n")
		if status != c.want || lines[len(lines)-1] != c.says {
			t.Errorf("%q: status %d, want %d with %q\n%s%s", c.args, status, c.want, c.says, stdout, stderr)
		}
		if !strings.Contains(help, fmt.Sprintf("\n  %3d  ", c.want)) {
			t.Errorf("--help does not explain status %d", c.want)
		}
	}
}

// The JSON says which file it was, what made it, and how to tag the image.
func TestCertifyJSON(t *testing.T) {
	path := filepath.Join(t.TempDir(), "guest.efi")
	if err := os.WriteFile(path, guest.Demo(), 0o600); err != nil {
		t.Fatal(err)
	}
	_, stdout, stderr := tacit(t.Context(), &fake{}, "certify", "--platform", "tdx", "--policy", "lazy", "--memory", "512M", "--json", "-", path)
	var c certify.Certificate
	if err := json.Unmarshal([]byte(stdout), &c); err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(guest.Demo())
	digest := hex.EncodeToString(sum[:])
	v := c.Verdicts[0]
	if c.Tool != versionText() || v.File != path || v.FileSHA256 != digest || v.SHA256 != digest || v.Result != certify.Passed {
		t.Errorf("%s: %+v", c.Tool, v)
	}
	if len(v.Tags) < 4 || v.Tags[0].Tags[1] != "TDX_CAPABLE" {
		t.Errorf("%+v", v.Tags)
	}
	if !strings.HasSuffix(stderr, "tacit: 1 image: 1 passed, 0 failed, 0 could not be judged; nothing was required\n") {
		t.Error(stderr)
	}
}

// On a terminal a line says what runs, from the first moment on, and is gone when a boot's own line is written.
func TestBootsProgress(t *testing.T) {
	var out bytes.Buffer
	p := &bootsProgress{out: &out, status: &out, width: func() int { return 58 }}
	a := &certify.Boot{Image: "a", Platform: "tdx", Policy: "lazy", Memory: 4 << 30}
	b := &certify.Boot{Image: "6.12.118-cloud", Platform: "snp", Policy: "eager", Memory: 4 << 30, Error: "no memory"}
	aName, bName := bootName{"a", "tdx/lazy"}, bootName{b.Image, "snp/eager"}
	expect := func(when, want string) {
		t.Helper()
		if got := out.String(); got != want {
			t.Errorf("%s: %q, want %q", when, got, want)
		}
		out.Reset()
	}
	p.reading("a.deb")
	expect("reading", "reading a.deb")
	p.watch(a, aName, record.KernelEntry, record.Progress{Stamp: record.Stamp{VirtualNS: 1_240_000_000}})
	expect("the first", eraseLine+"0 ended | a tdx/lazy kernel-entry 1.2 s")
	p.watch(a, aName, record.Init, record.Progress{})
	expect("too soon", "")
	p.watch(b, bName, record.StubEntry, record.Progress{})
	expect("the second", eraseLine+"0 ended | a tdx/lazy init 0.0 s | 6.12.… snp/eager stub-e")
	certifyEnded(p, 1, 2, b)
	expect("an end", eraseLine+"tacit: 1 of 2  6.12.118-cloud  snp  eager  4 GiB  error: no memory\n1 of 2 ended | a tdx/lazy init 0.0 s")
	p.drawn = time.Now().Add(-statusInterval)
	p.watch(a, aName, record.Init, record.Progress{Stamp: record.Stamp{VirtualNS: 2e9}})
	expect("later", eraseLine+"1 of 2 ended | a tdx/lazy init 2.0 s")
	p.close()
	expect("closed", eraseLine)

	p.reading("\x1b[2J")
	p.watch(&certify.Boot{}, bootName{image: "\x1b[2J"}, record.Init, record.Progress{})
	if text := strings.ReplaceAll(out.String(), eraseLine, ""); raw(text) {
		t.Errorf("%q", text)
	}
	out.Reset()

	p = newBootsProgress(&out) // no terminal
	p.reading("a.deb")
	if certifyEnded(p, 1, 1, b); p.watched() || strings.Contains(out.String(), "\x1b") || !oneLine(out.String()) {
		t.Errorf("%q", &out)
	}
}
