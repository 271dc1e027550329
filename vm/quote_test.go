package vm_test

import (
	"os"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/guesttest"
	"github.com/tacit-vm/tacit/vm"
)

// A program asks for a quote, and is told that there is none, as often as it asks: as a kernel's part and as another's. For
// that a TD shares a buffer with its host, once.
func TestQuoteOfNobody(t *testing.T) {
	t.Parallel()
	const source = "../guest/kernel/testdata/quote"
	executable, err := os.ReadFile(guesttest.Executable(t, source))
	if err != nil {
		t.Fatal(err)
	}
	for name, img := range map[string]*image.Image{"part": goProgram(t, source), "another's": packed(t, efi.Program{Executable: executable, Arguments: []string{"quote"}})} {
		for _, platform := range vm.PlatformNames() {
			t.Run(name+", "+platform, func(t *testing.T) {
				t.Parallel()
				b := boot(t, vm.Config{Platform: platform, Memory: gib, MaxInstructions: 1_000_000_000, Image: img})
				b.powersOff(t)
				const line = "there is nothing that quotes"
				if strings.Count(b.console, line) != 2 {
					t.Errorf("the guest says\n%s", b.console)
				}
				const buffer = 8 << 10
				if n := b.Conversions["shared"].Bytes; platform == vm.TDX && n != buffer {
					t.Errorf("%d bytes were made shared, not %d", n, buffer)
				}
			})
		}
	}
}

// What a host's attester answers a program is told as far as it can be true: a quote that fits into the buffer; and one that never
// answers is waited for, for 30 s, and not asked again.
func TestQuoteOfSomebody(t *testing.T) {
	t.Parallel()
	executable, err := os.ReadFile(guesttest.Executable(t, "../guest/kernel/testdata/quote"))
	if err != nil {
		t.Fatal(err)
	}
	img := packed(t, efi.Program{Executable: executable, Arguments: []string{"quote"}})
	for attack, want := range map[string]string{
		"quote-fetch":  "24 bytes\n24 bytes\n",
		"quote-length": "input/output error\ninput/output error\n",
		"quote-status": "input/output error\ninput/output error\n",
		"quote-never":  "resource temporarily unavailable\ndevice or resource busy\n",
	} {
		t.Run(attack, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: vm.TDX, Memory: gib, MaxInstructions: 4_000_000_000, Image: img, HostAttack: attack})
			b.powersOff(t)
			if b.console != want {
				t.Errorf("the guest says %q, not %q", b.console, want)
			}
		})
	}
}
