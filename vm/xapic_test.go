package vm_test

import (
	"bytes"
	"testing"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A stock kernel that is told to goes from x2APIC to xAPIC, and brings up its processors by registers in memory.
func TestXAPICKernel(t *testing.T) {
	var console bytes.Buffer
	r, err := vm.Run(t.Context(), vm.Config{Platform: vm.None, CPUs: 3, Memory: 512 << 20, Image: debian13(t), Append: "nox2apic", Console: &console})
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{"x2apic disabled", "Brought up 1 node, 3 CPUs"} {
		if !bytes.Contains(console.Bytes(), []byte(line)) {
			t.Errorf("the kernel does not say %q", line)
		}
	}
	if r.Outcome != record.PowerOff {
		t.Errorf("outcome %s: %+v", r.Outcome, r.Diagnosis)
	}
}
