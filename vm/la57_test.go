package vm_test

import (
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A stock kernel goes over to page tables of five levels where the host lets it, by way of 32-bit code without paging, and
// with every processor; firmware has left it four.
func TestFiveLevelKernels(t *testing.T) {
	img := debian13(t)
	for _, platform := range vm.PlatformNames() {
		t.Run(platform, func(t *testing.T) {
			r, err := vm.Run(t.Context(), vm.Config{Platform: platform, CPUs: 2, Memory: 512 << 20, Image: img, LA57: true})
			if err != nil {
				t.Fatal(err)
			}
			if r.Outcome != record.PowerOff || !slices.Contains(r.Guest.Flags, "la57") || !r.Config.LA57 {
				t.Errorf("outcome %s (%+v), flags %v", r.Outcome, r.Diagnosis, r.Guest.Flags)
			}
			if u, set := r.Acceptance.UnacceptedAtReport, r.Acceptance.BitmapSetAtReport; platform != vm.None && (u == nil || set == nil || *u != *set) {
				t.Errorf("the machine's books say %v, the guest's bitmap %v", u, set)
			}
		})
	}
}
