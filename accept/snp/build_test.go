package snp_test

import (
	"os/exec"
	"testing"
)

// In a page-fault handler the collector must not hear of pointers that are stored: the compiler finds none.
func TestStoresNoPointers(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-d=wb=1", ".").CombinedOutput()
	if err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
