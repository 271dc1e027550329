package image

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An EFI stub's symbols are those of places in it: what is only a number, such as the length of what it unpacks, names no
// code. Other files are refused.
func TestStubSymbols(t *testing.T) {
	dir := t.TempDir()
	build := func(name, code string, flags ...string) string {
		source, out := filepath.Join(dir, name+".s"), filepath.Join(dir, name)
		if err := os.WriteFile(source, []byte(code), 0o600); err != nil {
			t.Fatal(err)
		}
		text, err := exec.CommandContext(t.Context(), "gcc", append(flags, "-nostdlib", "-o", out, source)...).CombinedOutput()
		if err != nil {
			t.Fatalf("gcc (scripts/install-tools gets it): %v\n%s", err, text)
		}
		return out
	}
	const code = ".globl efi_pe_entry, z_output_len, accept_memory, _end\n.text\naccept_memory: .skip 32\nefi_pe_entry: .skip 64\n_end:\n" +
		".set z_output_len, 0x1010\n.section .note.GNU-stack\n"
	s, err := OpenStubSymbols(build("stub", code, "-static-pie", "-Wl,-e,efi_pe_entry"))
	if err != nil {
		t.Fatal(err)
	}
	start, ok := s.Address("accept_memory")
	if !ok || start >= imageBase {
		t.Fatalf("accept_memory is at %#x, %v", start, ok)
	}
	for offset, want := range map[uint64]string{0: "accept_memory", 31: "accept_memory", 32: "efi_pe_entry"} {
		if name, _, ok := s.Lookup(start + offset); name != want || !ok {
			t.Errorf("%#x after accept_memory is in %q, want %q", offset, name, want)
		}
	}
	if _, ok := s.Address("z_output_len"); ok {
		t.Error("a number that is no address is a symbol")
	}

	other := build("other", strings.ReplaceAll(code, "efi_pe_entry", "main"), "-static-pie", "-Wl,-e,main")
	kernel := build("kernel", code, "-static", "-Wl,-e,efi_pe_entry", "-Wl,-Ttext=0xffffffff81000000", "-mcmodel=kernel")
	text := filepath.Join(dir, "System.map")
	if err := os.WriteFile(text, []byte("0000000000001000 T efi_pe_entry\n0000000000002000 T _end\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{other, kernel, text} {
		if s, err := OpenStubSymbols(path); err == nil || !strings.Contains(err.Error(), "not an EFI stub") {
			t.Errorf("%s has %v, %v", filepath.Base(path), s, err)
		}
	}
	if _, err := OpenStubSymbols(filepath.Join(dir, "none")); err == nil {
		t.Error("a file that does not exist has symbols")
	}
}
