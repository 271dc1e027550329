package vm_test

import (
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/vm"
)

// An EFI application has the other processors work, on each platform in the same way: what they execute that is the
// hypervisor's firmware does for them as for the first.
func TestMPServices(t *testing.T) {
	t.Parallel()
	const timeout, notReady, invalid, unsupported, notFound = "8000000000000012", "8000000000000006", "8000000000000002", "8000000000000003", "800000000000000e"
	want := []string{
		"number 0", "processors 4", "enabled 4", "this is 0", "info 0", "APIC 1", "status 6",
		"all 0", "sum 9", "one by one 0", "sum 18", "asks 0", "asked alike 3",
		"late " + timeout, "finished 0", "late all " + timeout, "failed 3",
		"begun 0", "again " + notReady, "busy " + notReady, "event " + notReady, "waited 0", "sum 6",
		"the first " + invalid, "none such " + notFound, "no procedure " + invalid, "switch " + unsupported,
		"disable 0", "status 0", "all but one 0", "sum 2",
	}
	for _, platform := range []string{vm.None, vm.TDX, vm.SNP} {
		t.Run(platform, func(t *testing.T) {
			t.Parallel()
			b := boot(t, vm.Config{Platform: platform, CPUs: 4, Memory: 256 * mib, Image: programIn(t, "processors.c", "works")})
			b.powersOff(t)
			if got := strings.Split(strings.TrimSpace(strings.ReplaceAll(b.console, "\r", "")), "\n"); strings.Join(got, "|") != strings.Join(want, "|") {
				t.Errorf("it said\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

// On SEV-SNP each processor that firmware starts has a page of its own in which it can talk to the host, and that is registered.
func TestEachProcessorHasAGHCB(t *testing.T) {
	t.Parallel()
	b := boot(t, vm.Config{Platform: vm.SNP, CPUs: 3, Memory: 256 * mib, Image: programIn(t, "processors.c", "talk")})
	b.powersOff(t)
	if want := "all 0\r\nagain 0\r\nalike 3\r\napart 3\r\n"; b.console != want {
		t.Errorf("it said %q, want %q", b.console, want)
	}
}
