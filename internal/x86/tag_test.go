package x86

import "testing"

// The tag of an entry, xored with an address, is the offset in the page if and only if the address is in the page and
// the tag has no mark. That is all that an engine asks.
func TestTags(t *testing.T) {
	pages := []uint64{0, 0x5000, 0x7FFF_FFFF_F000, 0xFFFF_8000_0000_0000, 0xFFFF_FFFF_8100_0000, 0xFFFF_FFFF_FFFF_F000}
	for _, page := range pages {
		for _, m := range []tag{0, slowTag, unbackedTag, slowTag | unbackedTag} {
			v := tag(page).with(m)
			if v.page() != page || v.marks() != m || v.with(m) != v || v.without(allMarks) != tag(page) {
				t.Errorf("page %#x with marks %#x: tag %#x of page %#x with marks %#x", page, m, v, v.page(), v.marks())
			}
			for _, other := range pages {
				for _, offset := range []uint64{0, 1, 2, 0xFFF} {
					x := uint64(v) ^ (other + offset)
					if hit := page == other && m == 0; hit != (x <= pageMask) || hit && x != offset {
						t.Errorf("page %#x with marks %#x, address %#x: %#x", page, m, other+offset, x)
					}
				}
			}
		}
	}
	for _, m := range []tag{0, slowTag, unbackedTag} {
		if v := noTag.with(m); v.page() != uint64(noTag) || canonical57(v.page()) {
			t.Errorf("no page with marks %#x: page %#x", m, v.page())
		}
	}
}
