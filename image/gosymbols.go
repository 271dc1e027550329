package image

import (
	"bytes"
	"debug/gosym"
	"debug/pe"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/pefile"
)

// GoTableSection is the PE section in which package guest/efi leaves Go's table of functions (runtime.pclntab).
const GoTableSection = ".gopclnt"

// tableMagic is how Go's table of functions begins, for amd64: its version, two zeros, the smallest instruction's size
// and a pointer's (Go, internal/abi/symtab.go).
var tableMagic = []byte{0xF1, 0xFF, 0xFF, 0xFF, 0, 0, 1, 8}

const pageOfTable = 4096

// maxGoTable bounds that table, in bytes: of a program of 100 MiB it has about 30.
const maxGoTable = 64 << 20

// goSymbols reads the functions of a Go program that is an EFI application; it returns nil where the file is none.
func goSymbols(data []byte) (*Symbols, error) {
	if !isPE(data) {
		return nil, nil
	}
	r := bytes.NewReader(data)
	file, err := ReadPE(r, r.Size())
	if err != nil {
		return nil, nil // not for symbols to judge
	}
	section, ok := file.Section(GoTableSection)
	text, hasText := file.Section(".text")
	if !ok || !hasText {
		return nil, nil
	}
	table, err := ReadSection(r, section, maxGoTable)
	if err != nil {
		return nil, err
	}
	header, err := pefile.Read(r, r.Size())
	if err != nil {
		return nil, err
	}
	if header.Magic != pefile.PE32Plus {
		return nil, errors.New("a Go program that is not 64-bit")
	}
	// The section begins with a page, the table somewhere in it.
	at := bytes.Index(table[:min(len(table), pageOfTable)], tableMagic)
	if at < 0 {
		return nil, errors.New("no table of functions that is known, of Go 1.20 or newer")
	}
	table = table[at:]
	start := header.ImageBase + uint64(text.Address)
	functions, err := gosym.NewTable(nil, gosym.NewLineTable(table, start))
	if err != nil {
		return nil, fmt.Errorf("the table of functions: %w", err)
	}
	if len(functions.Funcs) > maxSymbols {
		return nil, fmt.Errorf("a Go program of %d functions; at most %d are read", len(functions.Funcs), maxSymbols)
	}
	var all []Symbol
	for _, f := range functions.Funcs {
		all = append(all, Symbol{f.Entry, f.Name})
	}
	if n := len(functions.Funcs); n > 0 {
		all = append(all, Symbol{functions.Funcs[n-1].End, "end"})
	}
	s, err := sorted(all)
	if err != nil {
		return nil, err
	}
	// A program that does not move itself has firmware relocate it.
	if s.Fixed = header.Directory(pe.IMAGE_DIRECTORY_ENTRY_BASERELOC).Size == 0; !s.Fixed {
		s.ImageBase = header.ImageBase
	}
	return s, nil
}
