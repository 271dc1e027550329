// Command mkguest builds the programs that run inside a guest and writes them, packed, to the files that package guest
// embeds. With -check it builds and compares instead. It runs in the directory of package guest.
//
// The build is reproducible: everything that shapes the executables is pinned here, except the version of Go. That one
// is stated in the executable, and -check builds with the same one, which the go command fetches if need be.
package main

import (
	"bytes"
	"compress/gzip"
	"debug/buildinfo"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/tacit-vm/tacit/guest/efi"
)

// A program is one of those that are built.
type program struct {
	source  string
	output  string
	ldflags string

	finish func(executable []byte) ([]byte, error) // makes the executable into what a guest is given; nil leaves it
}

var programs = []program{
	{source: "./init", output: "init.gz", ldflags: "-s -w -buildid="},
	// Its function table stays, and needs no symbols.
	{source: "./demo", output: "demo.efi.gz", ldflags: "-s -w -buildid= " + efi.LinkFlags, finish: efi.Link},
	{source: "./prompt", output: "prompt.gz", ldflags: "-s -w -buildid="},
	{source: "./monitor", output: "monitor.efi.gz", ldflags: "-s -w -buildid= " + efi.LinkFlags, finish: efi.Link},
}

// environment pins what the go command takes from its environment or the user's settings.
var environment = []string{
	"GOENV=off", "GOWORK=off", "GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off",
	"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", // v1: the guest's processor need not announce more
	"CGO_ENABLED=0",
}

func main() {
	check := flag.Bool("check", false, "build, and compare with what is there")
	flag.Parse()
	for _, p := range programs {
		do := p.make
		if *check {
			do = p.check
		}
		if err := do(); err != nil {
			fmt.Fprintln(os.Stderr, "mkguest:", err)
			os.Exit(1)
		}
	}
}

func (p *program) make() error {
	built, err := p.build(runtime.Version())
	if err != nil {
		return err
	}
	return write(p.output, built)
}

func (p *program) check() error {
	committed, err := read(p.output)
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(committed))
	if err != nil {
		return fmt.Errorf("%s: %w", p.output, err)
	}
	version := info.GoVersion
	built, err := p.build(version)
	if err != nil {
		return fmt.Errorf("%s was built with %s, this is %s, and building it again with that one failed: %w\n"+
			"(go generate ./guest builds it anew, with this one)", p.output, version, runtime.Version(), err)
	}
	if !bytes.Equal(built, committed) {
		return fmt.Errorf("guest/%s is not what guest/%s was built from, with %s: run go generate ./guest", p.source, p.output, version)
	}
	return nil
}

// build compiles the program with a version of Go.
func (p *program) build(version string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mkguest")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	executable := filepath.Join(dir, "program")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags="+p.ldflags, "-o", executable, p.source)
	cmd.Env = append(os.Environ(), environment...)
	if version != runtime.Version() {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+version)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	built, err := os.ReadFile(executable)
	if err != nil || p.finish == nil {
		return built, err
	}
	return p.finish(built)
}

func write(output string, built []byte) error {
	var packed bytes.Buffer
	z, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	if err != nil {
		return err
	}
	if _, err := z.Write(built); err != nil {
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	return os.WriteFile(output, packed.Bytes(), 0o644)
}

func read(output string) ([]byte, error) {
	packed, err := os.Open(output)
	if err != nil {
		return nil, err
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", output, err)
	}
	return io.ReadAll(z)
}
