// Command mkinit builds guest/init and writes it, packed, to the file that package guest embeds. With -check it builds
// and compares instead. It runs in the directory of package guest.
//
// The build is reproducible: everything that shapes the executable is pinned here, except the version of Go. That one
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
)

const output = "init.gz"

// environment pins what the go command takes from its environment or the user's settings.
var environment = []string{
	"GOENV=off", "GOWORK=off", "GOFLAGS=", "GOEXPERIMENT=", "GODEBUG=", "GOFIPS140=off",
	"GOOS=linux", "GOARCH=amd64", "GOAMD64=v1", // v1: the guest's processor need not announce more
	"CGO_ENABLED=0",
}

func main() {
	check := flag.Bool("check", false, "build, and compare with "+output)
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, "mkinit:", err)
		os.Exit(1)
	}
}

func run(check bool) error {
	if !check {
		built, err := build(runtime.Version())
		if err != nil {
			return err
		}
		return write(built)
	}
	committed, err := read()
	if err != nil {
		return err
	}
	info, err := buildinfo.Read(bytes.NewReader(committed))
	if err != nil {
		return fmt.Errorf("%s: %w", output, err)
	}
	built, err := build(info.GoVersion)
	if err != nil {
		return fmt.Errorf("%s was built with %s, this is %s, and building it again with that one failed: %w\n"+
			"(go generate ./guest builds it anew, with this one)", output, info.GoVersion, runtime.Version(), err)
	}
	if !bytes.Equal(built, committed) {
		return fmt.Errorf("guest/init is not what guest/%s was built from, with %s: run go generate ./guest", output, info.GoVersion)
	}
	return nil
}

// build compiles guest/init with a version of Go.
func build(version string) ([]byte, error) {
	dir, err := os.MkdirTemp("", "mkinit")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	executable := filepath.Join(dir, "init")
	cmd := exec.Command("go", "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -buildid=", "-o", executable, "./init")
	cmd.Env = append(os.Environ(), environment...)
	if version != runtime.Version() {
		cmd.Env = append(cmd.Env, "GOTOOLCHAIN="+version)
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, bytes.TrimSpace(out))
	}
	return os.ReadFile(executable)
}

func write(built []byte) error {
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

func read() ([]byte, error) {
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
