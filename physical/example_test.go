package physical_test

import (
	"fmt"
	"testing"

	"github.com/tacit-vm/tacit/physical"
)

// 4 GiB of RAM lie on both sides of the addresses that devices have.
func ExampleRAM() {
	for _, r := range physical.RAM(4 << 30) {
		fmt.Printf("%#x to %#x\n", r.Start, r.End)
	}
	// Output:
	// 0x0 to 0x80000000
	// 0x100000000 to 0x180000000
}

// Records hold sizes and planes as words, which are read back; other words are not.
func TestWords(t *testing.T) {
	for size := range physical.PageSizes {
		var back physical.PageSize
		text, _ := size.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != size {
			t.Errorf("%v comes back from %q as %v, %v", size, text, back, err)
		}
	}
	for plane := range physical.Planes {
		var back physical.Plane
		text, _ := plane.MarshalText()
		if err := back.UnmarshalText(text); err != nil || back != plane {
			t.Errorf("%v comes back from %q as %v, %v", plane, text, back, err)
		}
	}
	if err := new(physical.PageSize).UnmarshalText([]byte("8K")); err == nil {
		t.Error("there is a size of 8K")
	}
	if s := physical.PageSizes.String(); s != "unknown(3)" {
		t.Errorf("a size that there is not reads %q", s)
	}
	if physical.PageSizes.Bytes() != 1<<30 {
		t.Errorf("a size that there is not has %#x bytes", physical.PageSizes.Bytes())
	}
}
