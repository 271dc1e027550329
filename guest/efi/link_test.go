package efi

import (
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/guest"
)

// What cannot become an image is refused with what to do about it. That what can be linked boots is tested where the
// programs are: guest/demo in package vm, and examples/baremetal.
func TestLinkRefuses(t *testing.T) {
	for _, c := range []struct {
		name       string
		executable []byte
		want       string
	}{
		{"text", []byte("#!/bin/sh\n"), "not an executable"},
		{"a program for Linux", guest.Init(), LinkFlags},
	} {
		if _, err := Link(c.executable); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want an error with %q", c.name, err, c.want)
		}
	}
}

// Read again, the blocks have the places that they were made of, each in the block of its page.
func TestRelocationBlocks(t *testing.T) {
	places := []uint32{0x1000, 0x1008, 0x1ff8, 0x5ff8, 0x6000, 0x6008}
	var got []uint32
	for b := relocationBlocks(places); len(b) > 0; {
		page, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if size%4 != 0 || page%sectionAlignment != 0 {
			t.Errorf("a block of %d bytes for page %#x", size, page)
		}
		for list := b[8:size]; len(list) > 0; list = list[2:] {
			if v := binary.LittleEndian.Uint16(list); v != 0 {
				if v>>12 != 10 {
					t.Errorf("a relocation of type %d, want IMAGE_REL_BASED_DIR64", v>>12)
				}
				got = append(got, page+uint32(v&0xfff))
			}
		}
		b = b[size:]
	}
	if !slices.Equal(got, places) {
		t.Errorf("%#x, want %#x", got, places)
	}
}
