package main

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An archive of one kernel for scripts/fetch-kernels, in a directory of its own. apt-get can be told to break off.
type fakeArchive struct {
	dir, name, deb string
}

func newFakeArchive(t *testing.T) *fakeArchive {
	t.Helper()
	for _, tool := range []string{"bash", "flock", "sha256sum", "awk"} {
		if _, err := exec.LookPath(tool); err != nil {
			t.Skipf("the script is for Debian: %v", err)
		}
	}
	a := &fakeArchive{dir: t.TempDir(), name: "linux-image-6.12.9+deb13-cloud-amd64_6.12.9-1_amd64.deb"}
	for _, m := range []struct{ name, data string }{{"debian-binary", "2.0\n"}, {"control.tar.xz", "odd"}, {"data.tar.xz", strings.Repeat("kernel", 1000)}} {
		a.deb += fmt.Sprintf("%-16s%-12d%-6d%-6d%-8o%-10d`\n%s", m.name, 0, 0, 0, 0o100644, len(m.data), m.data)
		a.deb += strings.Repeat("\n", len(m.data)%2)
	}
	a.deb = "!<arch>\n" + a.deb
	script, err := os.ReadFile("../../scripts/fetch-kernels")
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"scripts/fetch-kernels": string(script),
		"archive":               a.deb,
		"keyring":               "",
		"bin/apt-cache": `#!/bin/sh
case "$*" in
*depends*linux-image-cloud*) echo "  Depends: linux-image-6.12.9+deb13-cloud-amd64" ;;
*show*) echo "Filename: pool/` + a.name + `"; echo "SHA256: ` + fmt.Sprintf("%x", sha256.Sum256([]byte(a.deb))) + `" ;;
esac
`,
		"bin/apt-get": `#!/bin/sh
case "$*" in
*download*)
	echo download >>` + a.dir + `/calls
	if [ -n "$BREAK_OFF" ]; then
		head -c 100 ` + a.dir + `/archive >` + a.name + `
		kill -9 $PPID
	fi
	cp ` + a.dir + `/archive ` + a.name + ` ;;
esac
`,
	} {
		path := filepath.Join(a.dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o700)); err != nil {
			t.Fatal(err)
		}
	}
	return a
}

// run fetches and returns what it printed, what it said and how often it downloaded something.
func (a *fakeArchive) run(env ...string) (stdout, stderr string, downloads int) {
	cmd := exec.Command("bash", filepath.Join(a.dir, "scripts/fetch-kernels"), "trixie-cloud")
	cmd.Env = append(os.Environ(), append(env, "PATH="+filepath.Join(a.dir, "bin")+":"+os.Getenv("PATH"),
		"DEBIAN_MIRROR=http://archive", "DEBIAN_SECURITY_MIRROR=http://security", "DEBIAN_KEYRING="+filepath.Join(a.dir, "keyring"))...)
	var out, err strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &err
	_ = cmd.Run() // what it printed tells
	calls, _ := os.ReadFile(filepath.Join(a.dir, "calls"))
	os.Remove(filepath.Join(a.dir, "calls"))
	return out.String(), err.String(), strings.Count(string(calls), "\n")
}

// scripts/fetch-kernels takes for a kernel what is one, whatever became of it or of an earlier download.
func TestFetchKernels(t *testing.T) {
	a := newFakeArchive(t)
	kernel := filepath.Join(a.dir, "kernels", a.name)
	fetched := func(what string, downloads int, env ...string) {
		t.Helper()
		stdout, stderr, n := a.run(env...)
		if stdout != kernel+"\n" || n != downloads {
			t.Errorf("%s: %d downloads, want %d; stdout %q, stderr\n%s", what, n, downloads, stdout, stderr)
		}
		holds(t, kernel, a.deb)
	}
	if stdout, _, _ := a.run("BREAK_OFF=1"); stdout != "" {
		t.Errorf("what was broken off printed %q", stdout)
	}
	if _, err := os.Stat(kernel); err == nil {
		t.Error("what was broken off is there")
	}
	fetched("after it was broken off", 1)
	fetched("as it was", 0)
	for what, text := range map[string]string{"empty": "", "truncated": a.deb[:len(a.deb)-1], "changed": strings.Replace(a.deb, "kernel", "kernal", 1)} {
		for _, known := range []bool{true, false} {
			if !known { // as what somebody has put there
				if what == "changed" {
					continue // which nothing shows
				}
				os.Remove(filepath.Join(a.dir, ".cache/apt/sums"))
			}
			write(t, kernel, text)
			if stdout, _, _ := a.run("BREAK_OFF=1"); stdout != "" {
				t.Errorf("%s: it printed %q", what, stdout)
			}
			fetched(what, 1)
			holds(t, kernel+".damaged", text)
		}
	}
	os.Remove(filepath.Join(a.dir, ".cache/apt/sums"))
	fetched("put there by somebody", 0)
}
