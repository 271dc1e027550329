package firmware

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/uefi"
)

// What is non-volatile comes to the next machine, by way of bytes; what is firmware's to say, or is not non-volatile, does not.
func TestVariablesAreKept(t *testing.T) {
	const nv = uefi.VariableNonVolatile | uefi.VariableBootServiceAccess
	var before Firmware
	for _, v := range []variable{
		{uefi.GlobalVariableGUID, units("BootOrder"), nv, []byte{1, 0}},
		{uefi.GlobalVariableGUID, units("PlatformLang"), nv, []byte("de\x00")},
		{uefi.GlobalVariableGUID, units("SecureBoot"), nv, []byte{1}},
		{uefi.GlobalVariableGUID, units("Passing"), uefi.VariableBootServiceAccess, []byte{1}},
	} {
		before.variables.add(v)
	}
	kept := before.Variables()
	s := state.Out()
	kept.Carry(s)
	var read Variables
	in := state.In(s.Bytes())
	if read.Carry(in); in.End() != nil {
		t.Fatal(in.End())
	}
	after := Firmware{cfg: Config{Variables: read}}
	after.publishVariables()
	size := 0
	for i := range after.variables.list {
		size += after.variables.list[i].size()
	}
	for name, want := range map[string]string{"BootOrder": "\x01\x00", "PlatformLang": "de\x00", "SecureBoot": "\x00", "Passing": ""} {
		got := ""
		if i := after.variables.find(uefi.GlobalVariableGUID, units(name)); i >= 0 {
			got = string(after.variables.list[i].data)
		}
		if got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	if size != after.variables.size || read.Len() != 2 {
		t.Errorf("%d bytes are counted as %d; %d are kept", size, after.variables.size, read.Len())
	}
}
