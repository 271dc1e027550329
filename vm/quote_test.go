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
