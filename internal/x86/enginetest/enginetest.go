// Package enginetest has a package's tests run once under each engine.
package enginetest

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
)

var engine = x86.EngineInterpreter

// Under returns cfg with the engine that tests run under now. The translator makes code of each block before it first runs.
func Under(cfg x86.Config) x86.Config {
	cfg.Engine, cfg.TranslateAfter = engine, 1
	return cfg
}

// Main runs a package's tests, and where they pass and the host has a translator, runs them under that. It is for
// TestMain, and does not return. Fuzzing and benchmarks are under the interpreter alone.
func Main(m *testing.M) {
	status := m.Run()
	if status != 0 || asked("test.fuzz") || asked("test.bench") || asked("test.list") {
		os.Exit(status)
	}
	switch err := x86.TranslatorAvailable(); {
	case err == nil:
		engine = x86.EngineTranslator
		fmt.Println("the same under the translator")
		status = m.Run()
	case runtime.GOOS == "linux" && (runtime.GOARCH == "amd64" || runtime.GOARCH == "arm64"): // where it is to be proved it has to be there
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func asked(name string) bool {
	f := flag.Lookup(name)
	return f != nil && f.Value.String() != ""
}
