package accept_test

import (
	"go/build"
	"path"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tacit-vm/tacit/"

// layer is what firmware, kernels and guests on bare metal import of this module, and what each package of it imports.
// All that a package imports of the module is in the layer again: no part of the machine comes with an import of it.
var layer = map[string][]string{
	"uefi":             nil,
	"tdx/abi":          nil,
	"snp/abi":          nil,
	"accept":           nil,
	"accept/tdx":       {"accept", "tdx/abi"},
	"accept/snp":       {"accept", "snp/abi"},
	"accept/negotiate": {"accept", "uefi"},
	"accept/alloc":     {"accept"},

	// This one is for tests, and may use the standard library as well.
	"accept/accepttest": {"accept"},
}

func TestLayerStandsAlone(t *testing.T) {
	for name, want := range layer {
		for _, target := range []string{"linux/amd64", "linux/arm64", "darwin/arm64"} {
			own, standard := imports(t, name, target)
			if !slices.Equal(own, want) {
				t.Errorf("%s on %s imports %v of this module, want %v", name, target, own, want)
			}
			if name != "accept/accepttest" && len(standard) > 0 {
				t.Errorf("%s on %s imports %v", name, target, standard)
			}
		}
		for _, used := range want {
			if _, ok := layer[used]; !ok {
				t.Errorf("%s imports %s, which is not of the layer", name, used)
			}
		}
	}
}

// The guest on bare metal among the examples needs no more than that.
func TestLayerIsEnough(t *testing.T) {
	own, standard := imports(t, "examples/baremetal", "linux/amd64")
	for _, used := range own {
		if _, ok := layer[used]; !ok {
			t.Errorf("it imports %s, which is not of the layer", used)
		}
	}
	if !slices.Equal(standard, []string{"unsafe"}) {
		t.Errorf("it imports %v", standard)
	}
}

// imports returns what a package imports of this module, without the module's name, and of others, for a target.
func imports(t *testing.T, name, target string) (own, others []string) {
	t.Helper()
	ctx := build.Default
	ctx.GOOS, ctx.GOARCH = path.Split(target)
	ctx.GOOS = strings.TrimSuffix(ctx.GOOS, "/")
	p, err := ctx.ImportDir("../"+name, 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range p.Imports {
		if short, ok := strings.CutPrefix(i, module); ok {
			own = append(own, short)
		} else {
			others = append(others, i)
		}
	}
	return own, others
}
