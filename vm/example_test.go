package vm_test

import (
	"context"
	"fmt"
	"log"
	"path/filepath"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/vm"
)

// Boot a kernel as a TDX guest and ask what is still unaccepted when its init starts. A test of a kernel's own could do
// just this.
func ExampleRun() {
	packages, err := filepath.Glob("../kernels/linux-image-6.12.*-cloud-amd64_*.deb")
	if err != nil || len(packages) == 0 {
		log.Fatal("scripts/fetch-kernels gets a kernel")
	}
	img, err := image.Open(context.Background(), packages[0])
	if err != nil {
		log.Fatal(err)
	}
	r, err := vm.Run(context.Background(), vm.Config{Platform: vm.TDX, Memory: 2 << 30, Image: img})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(r.Outcome)
	fmt.Println("more than half of the memory is unaccepted at init:", *r.Acceptance.UnacceptedAtInit > 1<<30)
	// Output:
	// poweroff
	// more than half of the memory is unaccepted at init: true
}
