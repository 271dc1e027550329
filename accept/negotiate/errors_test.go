package negotiate_test

import (
	"testing"

	"github.com/tacit-vm/tacit/accept/negotiate"
)

// No error is 0, which means none, and each says something of its own.
func TestErrorsAreErrors(t *testing.T) {
	said := map[string]negotiate.Error{}
	for e := negotiate.ErrNoMap; e <= negotiate.ErrTableContradict; e++ {
		if other, ok := said[e.Error()]; ok {
			t.Errorf("%d and %d both say %q", other, e, e)
		}
		said[e.Error()] = e
	}
	if negotiate.ErrNoMap == 0 {
		t.Error("an error is 0")
	}
}
