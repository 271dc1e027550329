package imagetest

import (
	"os"
	"path/filepath"
	"testing"
)

// Program builds an EFI application from one of the programs in a C source of vm/testdata, whose path is given. It has one
// section, and everything in that.
func Program(t testing.TB, source, name string) []byte {
	t.Helper()
	out := t.TempDir()
	linked, flat := filepath.Join(out, "linked"), filepath.Join(out, "flat")
	run(t, nil, "gcc", "-O1", "-Wall", "-Wno-unused-function", "-ffreestanding", "-fno-stack-protector", "-fcf-protection=none",
		"-fno-asynchronous-unwind-tables", "-fno-toplevel-reorder", "-mno-red-zone", "-mgeneral-regs-only", "-fpie", "-fvisibility=hidden", "-nostdlib", "-static", "-no-pie",
		"-Wl,--build-id=none", "-Wl,--no-warn-rwx-segments", "-Wl,-T,"+filepath.Join(filepath.Dir(source), "programs.ld"), "-DPROGRAM="+name,
		"-o", linked, source)
	run(t, nil, "objcopy", "-O", "binary", "-j", ".all", linked, flat)
	code, err := os.ReadFile(flat)
	if err != nil {
		t.Fatal(err)
	}
	return PE(Section{Name: ".text", Data: code})
}
