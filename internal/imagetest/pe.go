package imagetest

import "github.com/tacit-vm/tacit/internal/pefile"

// Section is one of a PE file.
type Section = pefile.Part

// PE makes an EFI application for x86-64 of sections; with .linux and .cmdline it is a unified kernel image.
func PE(sections ...Section) []byte { return pefile.Make(sections...) }
