package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/vm"
)

const guestProgram = "../../guest/monitor/testdata/program"

// A program of anybody's ends tacit guest run as it ends itself, and has said the same; without end it is told to end.
func TestGuestRun(t *testing.T) {
	t.Parallel()
	executable := guesttest.Executable(t, guestProgram)
	for _, c := range []struct {
		args   string
		status int
		stdout string
		stderr string
	}{
		{"--env TMPDIR=/a " + executable + " variable", 0, "/a\nvariable done\n", ""},
		{executable + " exit", 42, "", ""},
		{"--platform snp " + executable + " unserved", 125, "guest: no system call 165, called by ", ""},
		{"./testdata/deep", 125, "guest: no system call 155, called by ", ""},
		{"--memory 512M " + executable + " memory", 4, "guest: out of memory at ", "tacit: the guest ended with outcome guest-panic"},
		{"--timeout 1ns " + executable + " compute", 6, "", "tacit: the guest ended with outcome limit"},
	} {
		status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"guest", "run"}, strings.Fields(c.args)...)...)
		if status != c.status || !strings.HasPrefix(stdout, c.stdout) || c.status == 42 && stdout != "" || !strings.HasPrefix(stderr, c.stderr) {
			t.Errorf("%s: status %d, standard output %q, standard error %q", c.args, status, stdout, stderr)
		}
	}
}

// The same program is the same image, and what is not one leaves the earlier file alone.
func TestGuestBuild(t *testing.T) {
	t.Parallel()
	executable := guesttest.Executable(t, guestProgram)
	out := filepath.Join(t.TempDir(), "x.efi")
	var images [2][]byte
	for i := range images {
		if status, _, stderr := tacit(t.Context(), &fake{}, "guest", "build", "--unserved", "-o", out, "--files", guestProgram+"=/src", executable, "compute"); status != 0 {
			t.Fatal(stderr)
		}
		var err error
		if images[i], err = os.ReadFile(out); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(images[0], images[1]) {
		t.Error("built twice, it is two images")
	}
	for _, c := range []struct{ args, want string }{
		{"-o " + out + " guest_command_test.go.none", "go build guest_command_test.go.none: "},
		{"-o " + out + " ../../accept", "is not a program"},
		{"-o " + out + " usage.txt", "usage.txt"},
		{"-o " + out + " /dev/null", "/dev/null: not a regular file"},
		{"-o " + out + " " + executable, "no system call 165, called by main.main.func"},
		{"-o guest.go " + executable, "would replace a file that is not an EFI application"},
		{"--files nothing -o " + out + " " + executable, "--files nothing: "},
		{"--env A -o " + out + " " + executable, "want NAME=VALUE"},
		{executable, "-o is missing"},
		{"-o " + out + " ./testdata/deep", "./testdata/deep: no system call 155, called by syscall.PivotRoot ← main.d ← main.c ← main.b ← main.a ← main.further ← " +
			"main.(*walker).down ← main.(*walker).walk ← main.last[go.shape.string] ← main.each ← main.begin ← main.main: the guest would end there"},
		{"-o " + out + " " + "./testdata/mounts", "./testdata/mounts: no system call 165, called by syscall.mount ← syscall.Mount ← main.main: the guest would end there"},
	} {
		status, _, stderr := tacit(t.Context(), &fake{}, append([]string{"guest", "build"}, strings.Fields(c.args)...)...)
		if status == 0 || !strings.Contains(stderr, c.want) || !oneLineOf(stderr, "tacit: ") {
			t.Errorf("%s: status %d, %q; want %q in one line", c.args, status, stderr, c.want)
		}
	}
	if now, err := os.ReadFile(out); err != nil || !bytes.Equal(now, images[0]) {
		t.Errorf("the earlier image has changed (%v)", err)
	}
}

// A disk of a program is one that firmware starts by itself, on each platform; it replaces no other disk.
func TestGuestBuildDisk(t *testing.T) {
	t.Parallel()
	executable := guesttest.Executable(t, guestProgram)
	out := filepath.Join(t.TempDir(), "x.img")
	if status, _, stderr := tacit(t.Context(), &fake{}, "guest", "build", "--unserved", "-o", out, "--env", "TMPDIR=/a", executable, "variable"); status != 0 {
		t.Fatal(stderr)
	}
	for _, platform := range vm.PlatformNames() {
		var stdout, stderr bytes.Buffer
		status := execute(t.Context(), []string{"boot", "--platform", platform, out}, &stdout, &stderr, boot)
		if status != 0 || !strings.Contains(stdout.String(), "/a\r\nvariable done\r\n") {
			t.Errorf("%s: status %d, standard output %q, standard error %q", platform, status, &stdout, &stderr)
		}
	}
	other := filepath.Join(t.TempDir(), "other.img")
	if err := os.WriteFile(other, append(make([]byte, 510), 0x55, 0xaa), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{out: "", other: "would replace a file that is not a disk of tacit guest build"} {
		if status, _, stderr := tacit(t.Context(), &fake{}, "guest", "build", "--unserved", "-o", path, executable); (status == 0) != (want == "") || !strings.Contains(stderr, want) {
			t.Errorf("%s: status %d, %q", path, status, stderr)
		}
	}
}

// What go test -cover asks of a test, it does in a guest: it says how much is covered, and the same as on the host.
func TestGuestCoverage(t *testing.T) {
	dir := t.TempDir()
	executable := filepath.Join(dir, "covered.test")
	build := exec.Command("go", "test", "-c", "-cover", "-o", executable, "../../accept/negotiate")
	build.Env = append(os.Environ(), guestEnvironment...)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	t.Chdir("../../accept/negotiate")
	arguments := []string{"-test.short", "-test.gocoverdir=" + dir}
	host, err := exec.Command(executable, arguments...).Output()
	if err != nil {
		t.Fatalf("on the host: %v\n%s", err, host)
	}
	status, stdout, stderr := tacit(t.Context(), &fake{}, append([]string{"guest", "run", "--here", executable}, arguments...)...)
	if status != 0 || !strings.Contains(stdout, "coverage: ") || stdout != string(host) {
		t.Errorf("status %d, %q, %q; on the host %q", status, stdout, stderr, host)
	}
}
