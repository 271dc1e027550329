package vm_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A stock kernel finds the timers by ACPI, in its table and in its namespace, and its driver reads the counter; without them it
// finds none.
func TestKernelsFindHPET(t *testing.T) {
	img := debian13(t)
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			var console bytes.Buffer
			r, err := vm.Run(t.Context(), vm.Config{Platform: platform, Memory: 512 << 20, Image: img, HPET: true, Console: &console})
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != record.PowerOff || !r.Config.HPET {
				t.Errorf("outcome %s (%+v)", r.Outcome, r.Diagnosis)
			}
			for _, want := range []string{"ACPI: HPET id: 0x8086a201 base: 0xfed00000", "hpet0: at MMIO 0xfed00000", "hpet0: 3 comparators, 64-bit 100.000000 MHz counter"} {
				if !strings.Contains(console.String(), want) {
					t.Errorf("the console lacks %q", want)
				}
			}
			if t.Failed() {
				t.Log(console.String())
			}
		})
	}
}
