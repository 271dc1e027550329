package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A program ends the run with a code, on each platform; without the device its write is lost.
func TestDebugExit(t *testing.T) {
	img := application(t, []byte{0x66, 0xBA, 0xF4, 0, 0xB8, 0x10, 0, 0, 0, 0xEF, 0xEB, 0xFE}) // mov dx, 0xF4; mov eax, 16; out dx, eax; jmp $
	for _, platform := range vm.PlatformNames() {
		r, err := vm.Run(t.Context(), vm.Config{Platform: platform, Image: img, Memory: 256 << 20, FirmwareAccepts: 64 << 20, DebugExit: 0xF4})
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		if err := r.WriteSummary(&b); err != nil {
			t.Fatal(err)
		}
		if r.Outcome != record.Exit || r.ExitCode == nil || *r.ExitCode != 16 || r.Config.DebugExitPort != 0xF4 || r.Diagnosis != nil || !strings.Contains(b.String(), "code 0x10") {
			t.Errorf("%s: outcome %s, %+v\n%s", platform, r.Outcome, r.Diagnosis, b.String())
		}
	}
	r, err := vm.Run(t.Context(), vm.Config{Platform: vm.None, Image: img, Memory: 256 << 20, MaxInstructions: 1_000_000})
	if err != nil || r.Outcome != record.Limit || r.ExitCode != nil {
		t.Errorf("without the device: outcome %s, %v", r.Outcome, err)
	}
	if _, err := vm.New(vm.Config{Platform: vm.None, Image: img, DebugExit: 0x3F8}); err == nil || !strings.Contains(err.Error(), "overlap") {
		t.Errorf("at the port of a UART: %v", err)
	}
}
