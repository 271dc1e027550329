package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A kernel that is neither Linux nor Go: Debian's Xen, an EFI application that reads its configuration from the file
// system that it was started from. There is none here, so it gives up, and the diagnosis names what it wanted.
func TestXenIsDiagnosed(t *testing.T) {
	t.Parallel()
	xen := kernel(t, "xen-hypervisor-*.deb")
	for _, platform := range vm.PlatformNames() {
		b := boot(t, vm.Config{Platform: platform, Image: xen, MaxInstructions: 1_000_000_000})
		d := b.Diagnosis
		if b.Outcome != record.Halted || d == nil || !strings.Contains(d.Summary, xen.Name+" returned to firmware") ||
			!strings.Contains(d.Advice, "SIMPLE_FILE_SYSTEM") {
			t.Errorf("%s: outcome %s, diagnosis %+v", platform, b.Outcome, d)
		}
		if !strings.Contains(b.console, "Xen 4.17") {
			t.Errorf("%s: it did not say who it is:\n%s", platform, b.console)
		}
	}
}
