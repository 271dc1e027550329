package guest

import (
	"bytes"
	"debug/elf"
	"debug/pe"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// The committed programs are what their sources say. Where this Go is another than the one it was built with, the go command
// fetches that one.
func TestProgramsAreReproducible(t *testing.T) {
	// The go command keeps a test's result until a file changes that the test itself has read.
	for _, sources := range []string{"init/*.go", "report/*.go", "demo/*.go", "monitor/*.go", "kernel/*.go", "kernel/*.s", "efi/*.go", "mkguest/*.go", "../go.mod",
		"../accept/*.go", "../accept/*/*.go", "../accept/*/*.s", "../uefi/*.go", "../tdx/abi/*.go", "../snp/abi/*.go"} {
		files, err := filepath.Glob(sources)
		if err != nil || len(files) == 0 {
			t.Fatalf("%s: %v, %d files", sources, err, len(files))
		}
		for _, file := range files {
			if _, err := os.ReadFile(file); err != nil {
				t.Fatal(err)
			}
		}
	}
	if out, err := exec.Command("go", "run", "./mkguest", "-check").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestInitRunsAnywhere(t *testing.T) {
	f, err := elf.NewFile(bytes.NewReader(Init()))
	if err != nil {
		t.Fatal(err)
	}
	if f.Class != elf.ELFCLASS64 || f.Machine != elf.EM_X86_64 || f.Type != elf.ET_EXEC {
		t.Errorf("the init is %v %v %v, not a 64-bit x86 executable", f.Class, f.Machine, f.Type)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Errorf("the init has a %v segment: it is not static, and an initramfs has no libraries", p.Type)
		}
	}
	const most = 2 << 20
	if size := len(Init()); size > most {
		t.Errorf("the init has %d bytes; a guest unpacks them at every boot, so at most %d", size, most)
	}
}

// The guest in Go fits into a repository, and has Go's table of functions, by which diagnoses name them.
func TestDemoIsSmall(t *testing.T) {
	if n, most := len(packedDemo), 4<<20; n > most {
		t.Errorf("demo.efi.gz has %d bytes, at most %d", n, most)
	}
	f, err := pe.NewFile(bytes.NewReader(Demo()))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != pe.IMAGE_FILE_MACHINE_AMD64 || f.Section(".gopclnt") == nil {
		t.Errorf("machine %#x, sections %+v", f.Machine, f.Sections)
	}
}
