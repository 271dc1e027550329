package snp_test

import (
	"go/build"
	"os/exec"
	"slices"
	"testing"
)

// A guest kernel can import the package: it brings along nothing that needs a system, on no architecture.
func TestImports(t *testing.T) {
	allowed := map[string][]string{
		".":             {"github.com/tacit-vm/tacit/accept", "github.com/tacit-vm/tacit/snp/abi"},
		"..":            nil,
		"../../snp/abi": nil,
	}
	for dir, want := range allowed {
		for _, arch := range []string{"amd64", "arm64"} {
			ctx := build.Default
			ctx.GOARCH = arch
			p, err := ctx.ImportDir(dir, 0)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Imports, want) {
				t.Errorf("%s on %s imports %v", dir, arch, p.Imports)
			}
		}
	}
}

// In a page-fault handler the collector must not hear of pointers that are stored: the compiler finds none.
func TestStoresNoPointers(t *testing.T) {
	out, err := exec.Command("go", "build", "-gcflags=-d=wb=1", ".").CombinedOutput()
	if err != nil || len(out) != 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
