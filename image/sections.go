package image

import (
	"debug/pe"
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tacit-vm/tacit/internal/pefile"
)

// PE is what the headers of a PE file say: an EFI application, a unified kernel image, a Linux bzImage with EFI stub.
type PE struct {
	Machine           uint16 // IMAGE_FILE_MACHINE_*
	Subsystem         uint16
	EntryPoint        uint32 // address
	Base              uint64 // where it would be loaded; addresses count from there
	MajorImageVersion uint16 // Linux counts its boot protocol for initrds in it: at least 1 for LoadFile2
	Sections          []Section
}

// A Section of a PE file. Address counts from where the file is loaded, Offset in the file. Of what is in memory, the
// file has the first Size bytes.
type Section struct {
	Name    string
	Address uint32
	Offset  int64
	Size    int64
}

// PE machine types (Microsoft PE format, "Machine Types").
const (
	MachineAMD64 = pe.IMAGE_FILE_MACHINE_AMD64
	MachineI386  = pe.IMAGE_FILE_MACHINE_I386
)

// ReadPE reads the headers of the PE file of size bytes in r. Sections that the file does not have whole are an error.
func ReadPE(r io.ReaderAt, size int64) (*PE, error) {
	f, err := pefile.Read(r, size)
	if err != nil {
		return nil, fmt.Errorf("no valid PE header: %w", err)
	}
	out := &PE{
		Machine: f.Machine, Subsystem: f.Subsystem, EntryPoint: f.EntryPoint, Base: f.ImageBase,
		MajorImageVersion: f.MajorImageVersion,
	}
	for _, s := range f.Sections {
		held := int64(s.Held())
		if held != 0 && int64(s.Offset)+held > size {
			return nil, fmt.Errorf("truncated PE file: section %q ends at byte %d, the file has %d",
				s.Name, int64(s.Offset)+held, size)
		}
		out.Sections = append(out.Sections, Section{s.Name, s.VirtualAddress, int64(s.Offset), held})
	}
	return out, nil
}

// IsEFI tells whether firmware can start the file, or load it as a driver.
func (p *PE) IsEFI() bool {
	return p.Subsystem >= pe.IMAGE_SUBSYSTEM_EFI_APPLICATION && p.Subsystem <= pe.IMAGE_SUBSYSTEM_EFI_ROM
}

// Section returns the first section of that name.
func (p *PE) Section(name string) (s Section, ok bool) {
	for _, s := range p.Sections {
		if s.Name == name {
			return s, true
		}
	}
	return Section{}, false
}

// ReadSection returns what r has of a section, which may be at most limit bytes.
func ReadSection(r io.ReaderAt, s Section, limit int64) ([]byte, error) {
	if s.Size > min(limit, math.MaxInt32) {
		return nil, fmt.Errorf("PE section %s of %d bytes; at most %d are read", s.Name, s.Size, limit)
	}
	b := make([]byte, s.Size)
	if _, err := r.ReadAt(b, s.Offset); err != nil && !(errors.Is(err, io.EOF) && s.Size == 0) {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, fmt.Errorf("PE section %s: %w", s.Name, err)
	}
	return b, nil
}
