package image

import "io"

// ReadSymbols reads the names that an unpacked kernel, an ELF file, has in its symbol table or carries for itself.
func ReadSymbols(vmlinux io.ReaderAt) (*Symbols, error) { return symbolsOfVmlinux(vmlinux) }
