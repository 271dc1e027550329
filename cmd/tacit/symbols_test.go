package main

import (
	"debug/elf"
	"os"
	"path/filepath"
	"testing"
)

func TestSymbolsCommand(t *testing.T) {
	kernels, err := filepath.Glob("../../kernels/linux-image-6.12*-cloud-*.deb")
	if err != nil || len(kernels) == 0 {
		t.Fatal("no kernel in kernels/: run scripts/fetch-kernels")
	}
	vmlinux := filepath.Join(t.TempDir(), "vmlinux")
	if status, _, stderr := tacit(t.Context(), &fake{}, "symbols", kernels[0], "-o", vmlinux); status != 0 {
		t.Fatalf("status %d: %s", status, stderr)
	}
	f, err := elf.Open(vmlinux)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if all, err := f.Symbols(); err != nil || len(all) < 50000 {
		t.Errorf("%d symbols, %v", len(all), err)
	}

	if status, _, stderr := tacit(t.Context(), &fake{}, "symbols", kernels[0]); status != statusUsage {
		t.Errorf("without --output: status %d: %s", status, stderr)
	}
	bad := filepath.Join(t.TempDir(), "bad")
	if err := os.WriteFile(bad, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	out := bad + ".out"
	if status, _, stderr := tacit(t.Context(), &fake{}, "symbols", bad, "-o", out); status != statusError {
		t.Errorf("of no kernel: status %d: %s", status, stderr)
	}
	if _, err := os.Stat(out); !os.IsNotExist(err) {
		t.Errorf("it left a file behind: %v", err)
	}
}
