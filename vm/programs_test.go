package vm_test

import (
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// guestProgram is one of the programs in testdata/programs.c.
func guestProgram(t testing.TB, name string) *image.Image {
	t.Helper()
	img, err := image.Parse(name+".efi", imagetest.Program(t, "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
