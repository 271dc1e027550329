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

// A program asks fw_cfg for the number of processors, and ends with that.
func TestFWCfg(t *testing.T) {
	img := application(t, []byte{
		0x66, 0xBA, 0x10, 0x05, 0x66, 0xB8, 5, 0, 0x66, 0xEF, // mov dx, 0x510; mov ax, 5; out dx, ax
		0x66, 0xFF, 0xC2, 0xEC, 0x66, 0xBA, 0xF4, 0, 0xEE, 0xEB, 0xFE, // inc dx; in al, dx; mov dx, 0xF4; out dx, al; jmp $
	})
	for _, platform := range vm.PlatformNames() {
		r, err := vm.Run(t.Context(), vm.Config{Platform: platform, CPUs: 3, Image: img, Memory: 256 << 20, FirmwareAccepts: 64 << 20, DebugExit: 0xF4, MaxInstructions: 1_000_000})
		if err != nil {
			t.Fatal(err)
		}
		if r.ExitCode == nil || *r.ExitCode != 3 {
			t.Errorf("%s: outcome %s, %+v", platform, r.Outcome, r.Diagnosis)
		}
	}
}
