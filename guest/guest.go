// Package guest has the Go that runs inside a machine: the init that a Linux guest starts when it is given no other
// (directory init), and the language it reports in (package report).
package guest

import (
	"bytes"
	"compress/gzip"
	_ "embed"
	"io"
	"sync"
)

// The init is kept built, so that running a machine needs no second build. Anyone can build it again and get the same
// bytes: go generate writes the file, and a test compares.
//
//go:generate go run ./mkinit
//go:embed init.gz
var packed []byte

// Init returns the init, a static executable for linux/amd64. It is the file /init of an initramfs; see
// [github.com/tacit-vm/tacit/image.Initramfs]. The slice is shared and must not be changed.
var Init = sync.OnceValue(func() []byte {
	z, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic("BUG: guest/init.gz: " + err.Error()) // a build with a damaged file; a test unpacks it
	}
	init, err := io.ReadAll(z)
	if err != nil {
		panic("BUG: guest/init.gz: " + err.Error())
	}
	return init
})
