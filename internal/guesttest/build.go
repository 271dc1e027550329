// Package guesttest builds Go programs that are a guest's whole software, for tests.
package guesttest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest/efi"
)

// OnKernel is the flag of go build for a program that imports guest/kernel.
const OnKernel = "-ldflags=" + efi.LinkFlags

// Relocatable are the flags for a program with an entry point of its own, main.Entry, which runs wherever firmware puts it.
var Relocatable = []string{"-buildmode=pie", "-ldflags=-E main.Entry"}

// Executable builds the program in a directory, with flags of go build, and returns the name of the ELF file.
func Executable(t testing.TB, directory string, flags ...string) string {
	t.Helper()
	readSources(t, directory)
	file := filepath.Join(t.TempDir(), "program")
	goCommand(t, append(append([]string{"build", "-trimpath", "-o", file}, flags...), directory)...)
	return file
}

// Application builds the program as Executable does, and makes an EFI application of it.
func Application(t testing.TB, directory string, flags ...string) []byte {
	t.Helper()
	executable, err := os.ReadFile(Executable(t, directory, flags...))
	if err != nil {
		t.Fatal(err)
	}
	application, err := efi.Link(executable)
	if err != nil {
		t.Fatal(err)
	}
	return application
}

// readSources reads all of this module that the program is built from: the go command takes a test's result from its
// cache until a file changes that the test itself has read, and does not see what the build reads.
func readSources(t testing.TB, directory string) {
	t.Helper()
	const sources = `{{with $p := .}}{{with .Module}}{{if .Main}}` +
		`{{range $p.GoFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{range $p.SFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}` +
		`{{range $p.EmbedFiles}}{{$p.Dir}}/{{.}}{{"\n"}}{{end}}{{end}}{{end}}{{end}}`
	for file := range strings.Lines(goCommand(t, "list", "-deps", "-f", sources, directory)) {
		file = strings.TrimSuffix(file, "\n")
		if file == "" { // what a package of another module leaves
			continue
		}
		if _, err := os.ReadFile(file); err != nil {
			t.Fatal(err)
		}
	}
}

func goCommand(t testing.TB, args ...string) string {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "GOOS=linux", "GOARCH=amd64", "CGO_ENABLED=0")
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go %s: %v\n%s", args[0], err, errs.String())
	}
	return string(out)
}
