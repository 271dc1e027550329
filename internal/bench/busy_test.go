package bench

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// Two processors execute one program more than one does, and all come to their end.
func TestBusy(t *testing.T) {
	found, _ := filepath.Glob("../../kernels/linux-image-6.12.*-cloud-amd64_*.deb") // the pattern is one
	if len(found) == 0 {
		t.Fatal("no 6.12 in kernels: scripts/fetch-kernels gets it")
	}
	img, err := image.Open(t.Context(), found[0])
	if err != nil {
		t.Fatal(err)
	}
	var work [2]uint64
	for i := range work {
		w := Busy("busy", i+1, func(context.Context) (vm.Config, error) {
			return vm.Config{Platform: vm.None, Memory: 1 << 30, Image: img}, nil
		})
		defer w.Close()
		if err := w.Prepare(t.Context()); err != nil {
			t.Fatal(err)
		}
		if work[i], err = w.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if more := work[1] - work[0]; more < busyInstructions/2 || more > busyInstructions*3/2 || work[0] < busyInstructions {
		t.Errorf("one processor executes %d instructions, and two %d", work[0], work[1])
	}
}
