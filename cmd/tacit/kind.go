package main

import (
	"bytes"
	"fmt"
	"os"
	"unicode/utf8"

	"github.com/tacit-vm/tacit/internal/bootdisk"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record/perfetto"
)

// A kind is what a command writes. It replaces an earlier file of its kind, and an empty one: anything else got onto the
// command line by mistake.
type kind struct {
	name string
	is   func(head []byte) bool
}

var (
	textFile     = kind{"text", isText}
	efiFile      = kind{"an EFI application", func(head []byte) bool { return bytes.HasPrefix(head, []byte("MZ")) }}
	diskFile     = kind{"a disk of tacit guest build", bootdisk.Is}
	elfFile      = kind{"an ELF file", func(head []byte) bool { return bytes.HasPrefix(head, []byte("\x7fELF")) }}
	perfettoFile = kind{"a trace of tacit's", perfetto.Is}
	savedFile    = kind{"a saved machine", state.IsFile}
	pngFile      = kind{"a picture", func(head []byte) bool { return bytes.HasPrefix(head, []byte("\x89PNG")) }}
	gzipFile     = kind{"a profile", func(head []byte) bool { return bytes.HasPrefix(head, []byte("\x1f\x8b")) }}
)

// headSize is how many bytes of a file show what it is. Packages, kernels and disks all have bytes in there that no text
// has.
const headSize = 512

func isText(head []byte) bool {
	for len(head) > 0 {
		r, size := utf8.DecodeRune(head)
		if r == 0 || r == utf8.RuneError && size == 1 && utf8.FullRune(head) {
			return false
		}
		head = head[size:]
	}
	return true
}

// replaces says why a file of this kind should not take the place of what is there.
func (k kind) replaces(p place) error {
	if p.descriptor >= 0 || p.info == nil || !p.info.Mode().IsRegular() || p.info.Size() == 0 {
		return nil
	}
	file, err := os.Open(p.path)
	if err != nil {
		return nil // whether it can be written is found out elsewhere
	}
	defer file.Close()
	head := make([]byte, headSize)
	n, _ := file.ReadAt(head, 0) // a short file is no error
	if k.is(head[:n]) {
		return nil
	}
	return fmt.Errorf("it would replace a file that is not %s; remove that first, or give another name", k.name)
}
