package acpi

import (
	"bytes"
	"testing"
)

// A table that stores is there where it is asked for, and sums up to zero; an honest machine has none.
func TestPoke(t *testing.T) {
	honest := Machine{CPUs: 1}
	all, err := honest.Tables(0x1000)
	if err != nil || bytes.Contains(all.Block, []byte("SSDT")) {
		t.Errorf("an honest machine: %v, % x", err, all.Block)
	}
	p := &Poke{Address: 0x9000, Value: 0xBDBDBDBD}
	honest.Poke = p
	if all, err = honest.Tables(0x1000); err != nil || !bytes.Contains(all.Block, p.ssdt()) {
		t.Errorf("the table is not there: %v", err)
	}
	if sum := checksum(p.ssdt()); sum != 0 {
		t.Errorf("its sum is %#x", sum)
	}
}
