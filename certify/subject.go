package certify

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// A Subject is an image to certify.
type Subject struct {
	Path   string       // of the file, as it was named; empty for an image that is in none
	SHA256 string       // of the file, in hexadecimal; may be empty
	Image  *image.Image // nil where Err says why there is none, Known what is known of it, or it is a disk
	Disk   *Disk        // nil for what is none

	// Reference is by what other machines get the same, as package source has it; empty where they cannot.
	Reference string

	Claims *Claims // nil where nothing is claimed
	Err    error   // why the image cannot be booted

	// Known is what was read out of the same file earlier: the image is opened only if a boot of it has to be run. Nil where
	// there is an Image.
	Known *Known
}

// Known is what is known of a bootable image that has not been opened.
type Known struct {
	Name   string                                          // as image.Image has it
	SHA256 string                                          // of what firmware loads, in hexadecimal
	Open   func(ctx context.Context) (*image.Image, error) // opens it; several may at a time
}

// name is what a table calls the subject.
func (s *Subject) name() string {
	switch {
	case s.Err != nil:
		return s.Path
	case s.Disk != nil:
		return s.Disk.Name
	case s.Image == nil:
		return s.Known.Name
	}
	return s.Image.Name
}

// Program is what firmware loads: its name, and its digest in hexadecimal. Of a disk it is its file's, and may be empty.
func (s *Subject) Program() (name, digest string) {
	if s.Disk != nil {
		return s.Disk.Name, s.Disk.SHA256
	}
	if s.Image == nil {
		return s.Known.Name, s.Known.SHA256
	}
	sum := sha256.Sum256(s.Image.Data)
	return s.Image.Name, hex.EncodeToString(sum[:])
}

// MaxInstructions ends a boot that goes nowhere.
func (s *Subject) MaxInstructions() uint64 {
	if s.Disk != nil {
		return DefaultMaxDiskInstructions
	}
	return DefaultMaxInstructions
}

// Open returns the image, and reads its file if that has not been done. A file that has changed is an error.
func (s *Subject) Open(ctx context.Context) (*image.Image, error) {
	if s.Image != nil {
		return s.Image, nil
	}
	img, err := s.Known.Open(ctx)
	if err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(img.Data); hex.EncodeToString(sum[:]) != s.Known.SHA256 || img.Name != s.Known.Name {
		return nil, fmt.Errorf("%s: it has changed while it was certified", s.Path)
	}
	return img, nil
}

// A Runner comes by the record of a boot: it runs it, here or elsewhere, or has kept it. Several are asked for at a time.
// The configuration has no image: that is the subject's. Told to end by ctx, it returns within a second, with a record whose
// outcome is [record.Cancelled] or an error.
type Runner interface {
	Run(ctx context.Context, s *Subject, cfg vm.Config) (*record.Record, error)
}

// Here is the Runner that runs boots in this process.
type Here struct{}

// Run runs the boot.
func (Here) Run(ctx context.Context, s *Subject, cfg vm.Config) (r *record.Record, err error) {
	if s.Disk != nil {
		return s.Disk.run(ctx, cfg)
	}
	if cfg.Image, err = s.Open(ctx); err != nil {
		return nil, err
	}
	return vm.Run(ctx, cfg)
}
