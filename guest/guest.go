// Package guest has the Go that runs inside a machine: the init that a Linux guest starts when it is given no other
// (directory init), the guest that runs when there is no image (demo), the kernel that it and others are built on
// (package kernel), alone too, for ordinary executables (monitor), the one of these that takes commands (prompt), and the language in which both report (package report).
package guest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
)

// The programs are kept built, so that running a machine needs no second build. Anyone can build them again and get the
// same bytes: go generate writes the files, and a test compares.
//
//go:generate go run ./mkguest
var (
	//go:embed init.gz
	packedInit []byte
	//go:embed demo.efi.gz
	packedDemo []byte
	//go:embed prompt.gz
	packedPrompt []byte
	//go:embed monitor.efi.gz
	packedMonitor []byte
)

// Init returns the init, a static executable for linux/amd64. It is the file /init of an initramfs; see
// [github.com/tacit-vm/tacit/image.Initramfs]. The slice is shared and must not be changed.
var Init = sync.OnceValue(func() []byte { return unpack("init.gz", packedInit) })

// Demo returns the guest in Go, an EFI application. The slice is shared and must not be changed.
var Demo = sync.OnceValue(func() []byte { return unpack("demo.efi.gz", packedDemo) })

// Prompt returns the program that takes commands from the console, a static executable for linux/amd64 that goes on
// [Monitor]. The slice is shared and must not be changed.
var Prompt = sync.OnceValue(func() []byte { return unpack("prompt.gz", packedPrompt) })

// Monitor returns the kernel for programs that are ordinary executables, an EFI application to which package guest/efi
// adds one (Pack there). The slice is shared and must not be changed.
var Monitor = sync.OnceValue(func() []byte { return unpack("monitor.efi.gz", packedMonitor) })

// DemoName is the file name of [Demo].
const DemoName = "demo.efi"

// unpack panics where a file that was built into the program is damaged; a test unpacks them.
func unpack(name string, packed []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("BUG: guest/" + name + ": " + err.Error())
	}
	b, err := io.ReadAll(z)
	if err != nil {
		panic("BUG: guest/" + name + ": " + err.Error())
	}
	return b
}
