//go:build linux && amd64

package kernel_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/guest/kernel"
)

// A program that uses memory, and sees that some has been accepted for it.
func Example() {
	s := kernel.Describe()
	fmt.Println("on", s.Platform, "firmware says:", s.Answer())

	var before, after kernel.Memory
	before.Read()
	b := make([]byte, 64<<20)
	for i := 0; i < len(b); i += 4096 {
		b[i] = 1
	}
	after.Read()
	fmt.Println((before.Unaccepted-after.Unaccepted)>>20, "MiB accepted for 64 MiB")
}
