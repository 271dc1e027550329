package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cavaliergopher/cpio"

	"github.com/tacit-vm/tacit/internal/guesttest"
)

// What a test writes of how much is covered comes out of the guest, and is the same as on the host; so do directories.
func TestGuestOut(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "covered.test")
	build := exec.Command("go", "test", "-c", "-cover", "-o", executable, "../../accept/negotiate")
	build.Env = append(os.Environ(), guestEnvironment...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	host, guest, files := filepath.Join(dir, "host.out"), filepath.Join(dir, "guest.out"), filepath.Join(dir, "files")
	t.Chdir("../../accept/negotiate")
	if out, err := exec.Command(executable, "-test.short", "-test.coverprofile="+host).CombinedOutput(); err != nil {
		t.Fatalf("on the host: %v\n%s", err, out)
	}
	want, err := os.ReadFile(host)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 { // the second time it takes the place of the first one's
		status, stdout, stderr := tacit(t.Context(), &fake{}, "guest", "run", "--here", executable, "-test.short", "-test.coverprofile="+guest)
		if got, err := os.ReadFile(guest); status != 0 || err != nil || !bytes.Equal(got, want) {
			t.Errorf("status %d, %v, %q, %q: %q; on the host %q", status, err, stdout, stderr, got, want)
		}
	}

	program := guesttest.Executable(t, "../../cmd/tacit/"+guestProgram)
	status, _, stderr := tacit(t.Context(), &fake{}, "guest", "run", "--env", "TMPDIR=/left", "--files", "../../accept/negotiate=/left/source", "--out", "/left/="+files, "--out", "/none=none", program, "variable")
	if status != 0 || !strings.HasPrefix(stderr, "tacit: --out /none: the guest had no such file") {
		t.Errorf("status %d, %q", status, stderr)
	}
	inside, err := os.ReadFile(filepath.Join(files, "source", "errors.go"))
	if outside, err2 := os.ReadFile("errors.go"); err != nil || err2 != nil || !bytes.Equal(inside, outside) {
		t.Errorf("%v, %v: %d bytes came out of %d", err, err2, len(inside), len(outside))
	}
	status, _, stderr = tacit(t.Context(), &fake{}, "guest", "run", "--out", "/left="+files, program, "variable")
	if status != 1 || !oneLineOf(stderr, "tacit: ") || !strings.Contains(stderr, "is not empty") {
		t.Errorf("status %d, %q", status, stderr)
	}
}

// What a guest sends may be anything: it is written where it was wanted, or nowhere.
func TestArrivals(t *testing.T) {
	t.Parallel()
	type file struct {
		name, content string
		mode          cpio.FileMode
	}
	const dir, regular, link = cpio.TypeDir | 0o755, cpio.TypeReg | 0o600, cpio.TypeSymlink | 0o777
	archive := func(files []file) []byte {
		var b bytes.Buffer
		w := cpio.NewWriter(&b)
		for _, f := range files {
			if err := w.WriteHeader(&cpio.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.content))}); err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(w, f.content); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return b.Bytes()
	}
	good := archive([]file{{"/d", "", dir}, {"/d/a", "text", regular}})
	for name, c := range map[string]struct {
		archive []byte
		want    string // of an error
		files   string // that are there
	}{
		"good":        {good, "", "d/a=text"},
		"nothing":     {nil, "", ""},
		"cut":         {good[:len(good)-130], "before all its files", ""},
		"cut within":  {append(bytes.Clone(good[:240]), "TRAILER!!!"...), "EOF", ""},
		"no archive":  {[]byte("hello TRAILER!!!"), "the files that the guest sent", ""},
		"negative":    {bytes.Replace(good, []byte("00000004"), []byte("-0000004"), 1), "the files that the guest sent", ""},
		"upward":      {archive([]file{{"/d", "", dir}, {"/d/../../x", "text", regular}}), "/d/../../x", ""},
		"other":       {archive([]file{{"/etc/passwd", "text", regular}, {"/dd", "text", regular}}), "", ""},
		"link":        {archive([]file{{"/d", "", dir}, {"/d/a", "/etc", link}}), "neither a file", ""},
		"in a file":   {archive([]file{{"/d", "text", regular}, {"/d/a", "text", regular}}), "no directory", ""},
		"twice":       {archive([]file{{"/d", "text", regular}, {"/d", "more", regular}}), "there twice", ""},
		"inner twice": {archive([]file{{"/d", "", dir}, {"/d/a", "text", regular}, {"/d/a", "more", regular}}), "exists", ""},
		"file":        {archive([]file{{"/d", "text", regular}}), "", "d=text"},
		"headless":    {archive([]file{{"/d/a", "text", regular}}), "no directory", ""},
	} {
		at := t.TempDir()
		var a arrivals
		a.Write(c.archive)
		_, err := a.unpack(t.Context(), []outgoing{{name: "/d", path: filepath.Join(at, "d")}})
		if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, not %q", name, err, c.want)
		}
		var files []string
		err = filepath.WalkDir(at, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			b, err := os.ReadFile(path)
			files = append(files, fmt.Sprintf("%s=%s", strings.TrimPrefix(path, at+"/"), b))
			return err
		})
		if got := strings.Join(files, " "); err != nil || got != c.files {
			t.Errorf("%s: there is %q, %v; not %q", name, got, err, c.files)
		}
	}
}
