package vm_test

import (
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/imagetest"
)

// guestProgram is one of the programs in testdata/programs.c.
func guestProgram(t testing.TB, name string) *image.Image { return programIn(t, "programs.c", name) }

// programIn is one of the programs in a file of testdata.
func programIn(t testing.TB, source, name string) *image.Image {
	t.Helper()
	img, err := image.Parse(name+".efi", imagetest.Program(t, filepath.Join("testdata", source), name))
	if err != nil {
		t.Fatal(err)
	}
	return img
}
