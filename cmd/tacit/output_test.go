package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// TestMain lets a test run this program as the command, in a process of its own that can be killed.
func TestMain(m *testing.M) {
	if v := os.Getenv("TACIT_VERSION_OF_TESTS"); v != "" {
		cleanVersion = func() (string, error) { return v, nil }
	}
	if os.Getenv("TACIT_ENDS_WITH_STDIN") != "" { // also where the test is ended, and ends nothing itself
		go func() {
			_, _ = io.Copy(io.Discard, os.Stdin)
			os.Exit(1)
		}()
	}
	if role := os.Getenv("TACIT_IS_NATS"); role != "" {
		serveNATS(role)
	}
	if os.Getenv("TACIT_IS_THE_COMMAND") != "" {
		main()
	}
	os.Exit(m.Run())
}

// command is tacit as a process. Limits are given to the shell's ulimit.
func command(t testing.TB, limits string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := `exec "$@"`
	if limits != "" {
		script = "ulimit " + limits + " && " + script
	}
	cmd := exec.CommandContext(t.Context(), "sh", append([]string{"-c", script, "sh", self}, args...)...)
	cmd.Env = append(os.Environ(), "TACIT_IS_THE_COMMAND=1")
	return cmd
}

func write(t testing.TB, path, text string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func holds(t *testing.T, path, want string) {
	t.Helper()
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("%s holds %.100q, %v; want %.100q", path, got, err, want)
	}
}

// What is written takes the place of what was there: where a link leads, with its permissions, and nothing else changes.
func TestOutputTakesThePlace(t *testing.T) {
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write(t, at("old"), "old")
	if err := errors.Join(os.Chmod(at("old"), 0o640), os.Symlink("old", at("link")), os.Symlink("link", at("further")),
		os.Symlink("none", at("dangling"))); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, path string }{{at("further"), at("old")}, {at("dangling"), at("none")}, {at("new"), at("new")}, {at("old"), at("old")}} {
		var o outputs
		out, err := o.create(t.Context(), c.name)
		if err != nil {
			t.Fatal(err)
		}
		before, _ := os.ReadFile(c.path)
		standing := []string{"old", "link", "further", "dangling"}
		nothingElseIn(t, dir, standing...)
		if _, err := io.WriteString(out, "new"); err != nil {
			t.Fatal(err)
		}
		if now, _ := os.ReadFile(c.path); !bytes.Equal(now, before) {
			t.Errorf("%s: it is %q before all is written", c.name, now)
		}
		if err := o.keep(); err != nil {
			t.Errorf("%s: %v", c.name, err)
		}
		holds(t, c.path, "new")
		if c.path != at("old") {
			os.Remove(c.path)
		}
	}
	if info, err := os.Stat(at("old")); err != nil || info.Mode().Perm() != 0o640 {
		t.Errorf("permissions: %v, %v", info.Mode(), err)
	}
	if to, err := os.Readlink(at("further")); err != nil || to != "link" {
		t.Errorf("the link leads to %s, %v", to, err)
	}
}

// What is discarded leaves nothing, and what was killed does not stand in the way of a process of the same number.
func TestOutputIsDiscarded(t *testing.T) {
	dir := t.TempDir()
	path := write(t, filepath.Join(dir, "old"), "old")
	for range 2 {
		var o outputs
		out, err := o.create(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(out, "new")
		left := out.file.Name()
		o.discard()
		nothingElseIn(t, dir, "old")
		write(t, left, "of the process that was killed")
		defer os.Remove(left)
		out, err = o.create(t.Context(), path)
		if err != nil {
			t.Fatal(err)
		}
		io.WriteString(out, "new")
		o.discard()
		nothingElseIn(t, dir, "old", filepath.Base(left))
		os.Remove(left)
	}
	holds(t, path, "old")
	var o outputs
	out, err := o.create(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	if err := out.fill(func(io.Writer) error { return errors.New("nothing to say") }); err == nil || o.keep() != nil {
		t.Errorf("what could not be made: %v", err)
	}
	holds(t, path, "old")
	nothingElseIn(t, dir, "old")
	long := filepath.Join(dir, strings.Repeat("x", 255))
	if _, err := o.create(t.Context(), long); err != nil {
		t.Error(err)
	}
	if err := o.keep(); err != nil {
		t.Error(err)
	}
	holds(t, long, "")
}

// What is no regular file is written through: a pipe when somebody reads it, a descriptor where it stands.
func TestOutputIsWrittenThrough(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	var o outputs
	if _, err := o.create(ctx, fifo); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a pipe without a reader: %v", err)
	}
	read := make(chan string)
	go func() {
		text, err := os.ReadFile(fifo)
		read <- string(text) + errorText(err)
	}()
	out, err := o.create(t.Context(), fifo)
	if err != nil {
		t.Fatal(err)
	}
	io.WriteString(out, "through")
	if err := o.keep(); err != nil {
		t.Error(err)
	}
	if got := <-read; got != "through" {
		t.Errorf("the pipe had %q", got)
	}

	file, err := os.Create(filepath.Join(dir, "file"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	io.WriteString(file, "before ")
	descriptor := "/dev/fd/" + strconv.Itoa(int(file.Fd()))
	if out, err = o.create(t.Context(), descriptor); err != nil {
		t.Fatal(err)
	}
	io.WriteString(out, "through")
	o.discard() // it has been written
	io.WriteString(file, " after")
	holds(t, file.Name(), "before through after")
	reading, err := os.Open(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	defer reading.Close()
	for _, path := range []string{"/dev/fd/" + strconv.Itoa(int(reading.Fd())), "/dev/fd/999", dir, dir + "/none/", dir + "/none/x", file.Name() + "/x"} {
		if _, err := o.create(t.Context(), path); err == nil {
			t.Errorf("%s can be written to", path)
		} else if !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
	for path, want := range map[string]bool{"-": true, "/dev/stdout": true, "/dev/fd/1": true, "/dev/stderr": false, "": false, "./-": false} {
		if got := toStdout(path); got != want {
			t.Errorf("%q is standard output: %v", path, got)
		}
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// sameFiles makes a directory with an image, a second file and further names of both.
func sameFiles(t *testing.T) (image string, names func(string) string) {
	t.Helper()
	dir := t.TempDir()
	names = func(name string) string { return filepath.Join(dir, name) }
	image = write(t, names("image"), "image")
	if err := errors.Join(os.WriteFile(names("other"), []byte("other"), 0o600), os.Symlink("image", names("link")), os.Link(image, names("hard")),
		os.Symlink(".", names("dir")), os.Symlink("nothing", names("dangling")), os.Mkdir(names("sub"), 0o700)); err != nil {
		t.Fatal(err)
	}
	write(t, names("binary"), "text, and then\x00\xff\xfe")
	return image, names
}

// An output that is another file of the command line, by whatever name, is told before anything is opened.
func TestOutputsThatWouldDestroy(t *testing.T) {
	image, at := sameFiles(t)
	other, elf := at("other"), at("elf")
	write(t, elf, "\x7fELF\x02\x01\x01\x00")
	for _, args := range [][]string{
		{"boot", "--json", image, image}, {"boot", "--json", at("link"), image}, {"boot", "--json", at("hard"), image},
		{"boot", "--json", at("dir/image"), image}, {"boot", "--json", at("sub/../image"), image}, {"boot", "--json", image, at("link")},
		{"boot", "--events", image, image}, {"boot", "--initrd", other, "--json", other, image},
		{"boot", "--symbols", other, "--events", other, image}, {"boot", "--replay-input", other, "--input-log", other, image},
		{"boot", "--trace-instructions", "1:2", "--trace-file", image, image},
		{"boot", "--json", at("new"), "--events", at("new"), image}, {"boot", "--json", at("nothing"), "--events", at("dangling"), image},
		{"boot", "--json", at("dir/new"), "--events", at("new"), image}, {"boot", "--json", at("new"), at("new")},
		{"boot", "--json", "/dev/stdout", "--events", "-", image}, {"boot", "--json", "/dev/stderr", "--events", "/dev/fd/2", image},
		{"boot", "--json", at("binary")}, {"boot", "--json", elf}, {"boot", "--events", at("binary"), image}, {"boot", "--profile", other, image}, {"boot", "--trace", other, image}, {"boot", "--report", elf, image},
		{"certify", "--json", other, image, other}, {"certify", "--junit", at("hard"), image}, {"certify", "--json", other, "--junit", other, image},
		{"symbols", "-o", image, image}, {"symbols", "-o", at("hard"), image}, {"symbols", "-o", other}, {"symbols", "-o", at("binary"), image},
		{"bench", "--save", other, "--compare", other}, {"bench", "--cpuprofile", other}, {"bench", "--cpuprofile", at("new"), "--save", at("new")},
		{"bench", "--kernel", image, "--save", at("link")},
		{"demo", "--html", elf}, {"demo", "--html", at("binary")},
	} {
		f := &fake{outcome: record.PowerOff}
		status, stdout, stderr := tacit(t.Context(), f, args...)
		if status != statusUsage || stdout != "" || !oneLine(stderr) || f.calls != 0 {
			t.Errorf("%q: status %d, %d runs, stdout %q, stderr %q", args, status, f.calls, stdout, stderr)
		}
	}
	holds(t, image, "image")
	holds(t, other, "other")
	if _, err := os.Lstat(at("new")); err == nil {
		t.Error("something was opened")
	}
	for _, args := range [][]string{
		{"boot", "--json", "/dev/null", "--events", "/dev/null", image}, {"boot", "--json", other, image}, {"boot", "--json", at("new"), "--events", "-", image},
	} {
		if status, _, stderr := tacit(t.Context(), &fake{outcome: record.PowerOff}, args...); status != 0 {
			t.Errorf("%q: status %d, %q", args, status, stderr)
		}
	}
}

// A stream that the shell has sent to a file is one of them, too.
func TestRedirectedStreams(t *testing.T) {
	_, at := sameFiles(t)
	other := write(t, at("log"), "log")
	for _, redirect := range []string{">>" + other, "2>>" + other, "<" + other} {
		cmd := command(t, "")
		cmd.Args[2] = `exec "$@" ` + redirect
		cmd.Args = append(cmd.Args, "boot", "--max-instructions", "1", "--json", other)
		out, _ := cmd.CombinedOutput()
		if status := cmd.ProcessState.ExitCode(); status != statusUsage {
			t.Errorf("%s: status %d, %s", redirect, status, out)
		}
		if text, _ := os.ReadFile(other); !strings.HasPrefix(string(text), "log") || strings.Contains(string(text), "schema") {
			t.Errorf("%s: the file is %q", redirect, text)
		}
	}
}

// What could not be run leaves the files of an earlier run, and a run that was cut short has written its own.
func TestOutputsOfFailures(t *testing.T) {
	dir := t.TempDir()
	names := []string{"json", "events", "trace", "log", "report"}
	var args []string
	for i, flag := range []string{"--json", "--events", "--trace-file", "--input-log", "--report"} {
		args = append(args, flag, write(t, filepath.Join(dir, names[i]), "earlier"))
	}
	args = append(args, "--trace-instructions", "1:1", "--replay-input", write(t, filepath.Join(t.TempDir(), "input"), ""), "i")
	f := &fake{err: errors.New("i: no such file")}
	if status, _, stderr := tacit(t.Context(), f, append([]string{"boot"}, args...)...); status != statusError || !oneLine(stderr) {
		t.Errorf("status %d, %q", status, stderr)
	}
	for _, name := range names {
		holds(t, filepath.Join(dir, name), "earlier")
	}
	nothingElseIn(t, dir, names...)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if status, _, stderr := tacit(ctx, &fake{}, append([]string{"boot"}, args...)...); status != 130 {
		t.Errorf("cancelled: status %d, %q", status, stderr)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "json")); err != nil || !strings.Contains(string(text), `"cancelled"`) {
		t.Errorf("the record of what was cancelled is %.100q, %v", text, err)
	}
	nothingElseIn(t, dir, names...)

	// A directory in which nothing can be made, and a file that may not be written. To root, all is allowed.
	if os.Getuid() != 0 {
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		defer os.Chmod(dir, 0o700)
		if status, _, stderr := tacit(t.Context(), &fake{}, "boot", "--json", filepath.Join(dir, "json"), "i"); status != statusError || !oneLine(stderr) {
			t.Errorf("status %d, %q", status, stderr)
		}
	}
}

// The process may be ended in any way: the earlier file is whole, or the new one is.
func TestKilled(t *testing.T) {
	guest := testProgram(t, "programs.c", "spins")
	for _, c := range []struct {
		name, engine string
		signal       os.Signal
		status       int
	}{
		{"SIGKILL", vm.Auto, syscall.SIGKILL, -1}, {"SIGHUP", vm.Interpreter, syscall.SIGHUP, 130}, {"SIGTERM", vm.Auto, syscall.SIGTERM, 130},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			json := write(t, filepath.Join(dir, "json"), "earlier")
			cmd := command(t, "", "boot", "-q", "--engine", c.engine, "--timeout", "1m", "--json", json, guest)
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(300 * time.Millisecond)
			holds(t, json, "earlier")
			if err := cmd.Process.Signal(c.signal); err != nil {
				t.Fatal(err)
			}
			cmd.Wait()
			if status := cmd.ProcessState.ExitCode(); status != c.status {
				t.Errorf("status %d, want %d", status, c.status)
			}
			nothingElseIn(t, dir, "json")
			if c.status < 0 {
				holds(t, json, "earlier")
			} else if text, _ := os.ReadFile(json); !bytes.Contains(text, []byte(`"outcome": "cancelled"`)) {
				t.Errorf("the record is %.200q", text)
			}
		})
	}
}

// Where there is no room, the earlier file stays, nothing else does, and tacit says so in one line.
func TestNoRoom(t *testing.T) { noRoom(t, t.TempDir(), "-f 1") }

func noRoom(t *testing.T, dir, limits string) {
	t.Helper()
	json, events := write(t, filepath.Join(dir, "json"), "earlier"), write(t, filepath.Join(dir, "events"), "earlier")
	cmd := command(t, limits, "boot", "-q", "--memory", "512M", "--json", json, "--events", events)
	out, _ := cmd.CombinedOutput()
	if status := cmd.ProcessState.ExitCode(); status != statusError {
		t.Errorf("status %d", status)
	}
	if strings.Count(string(out), json+":") != 1 || strings.Count(string(out), events+":") != 1 || strings.Contains(string(out), ".part") {
		t.Errorf("it says\n%s", out)
	}
	holds(t, json, "earlier")
	holds(t, events, "earlier")
	nothingElseIn(t, dir, "json", "events")
}
