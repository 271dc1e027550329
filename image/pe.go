package image

import (
	"bytes"
	"debug/pe"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/pefile"
)

func isPE(b []byte) bool { return len(b) >= 64 && b[0] == 'M' && b[1] == 'Z' }

// checkPE tells whether x86-64 UEFI firmware can start the application in b. The second result is an error for a file
// that is damaged, the first one the reason why a sound file cannot be started.
func checkPE(b []byte) (unbootable, damaged error) {
	if string(b[4:8]) == "zimg" { // Linux drivers/firmware/efi/libstub/zboot-header.S
		return errors.New("an EFI zboot kernel, a format of other processors than x86"), nil
	}
	f, err := pefile.Read(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		return nil, fmt.Errorf("starts like an EFI application, but has no valid PE header: %w", err)
	}
	for _, s := range f.Sections {
		if end := uint64(s.Offset) + uint64(s.Size); s.Size != 0 && end > uint64(len(b)) {
			return nil, fmt.Errorf("truncated PE file: section %q ends at byte %d, the file has %d", s.Name, end, len(b))
		}
	}
	switch {
	case f.Machine != pe.IMAGE_FILE_MACHINE_AMD64:
		return fmt.Errorf("an EFI application for another processor than x86-64 (PE machine %#x)", f.Machine), nil
	case f.Magic != pefile.PE32Plus:
		return nil, errors.New("PE file for x86-64 without PE32+ header")
	case f.Subsystem != pe.IMAGE_SUBSYSTEM_EFI_APPLICATION:
		return fmt.Errorf("a PE file that is no EFI application (subsystem %d)", f.Subsystem), nil
	case f.EntryPoint >= f.SizeOfImage:
		return nil, fmt.Errorf("PE file whose entry point %#x is outside its image of %#x bytes", f.EntryPoint, f.SizeOfImage)
	case f.SizeOfImage > maxFile:
		return nil, fmt.Errorf("PE file that asks for %d bytes; at most %d can be loaded", f.SizeOfImage, maxFile)
	}
	return nil, nil
}
