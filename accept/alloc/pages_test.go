package alloc

import "testing"

// A unit's last page alone is used, whatever other page might be.
func TestOnlyLast(t *testing.T) {
	for page := range uint64(unitPages) {
		var p pages
		p.flip(page, 0)
		if got, want := p.onlyLast(), page == unitPages-1; got != want {
			t.Errorf("page %d: %v", page, got)
		}
		if page == unitPages-1 {
			continue
		}
		p.flip(unitPages-1, 0)
		if p.onlyLast() {
			t.Errorf("the last page and page %d are taken for the last alone", page)
		}
	}
}
