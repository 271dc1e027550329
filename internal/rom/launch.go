package rom

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/physical"
)

// A Piece is memory that a confidential guest has before its first instruction.
type Piece struct {
	accept.Range
	Kind    PieceKind
	Content []byte // of Contents; what is missing is zeros
}

// PieceKind is what a piece holds.
type PieceKind uint8

// Kinds of pieces.
const (
	Contents PieceKind = iota // a part of the image, or zeros
	Secrets                   // SEV-SNP's secrets page
	CPUID                     // SEV-SNP's CPUID page
)

// Kinds of areas in the metadata of SEV-SNP (EDK2, OvmfPkg/ResetVector/X64/OvmfSevMetadata.asm).
const (
	snpMemory       = 1
	snpSecrets      = 2
	snpSVSM         = 4 // the calling area of an SVSM, of which there is none
	snpKernelHashes = 0x10
)

// SNP is what an SEV-SNP guest of this image has in its memory, and what else the image asks for: as QEMU launches it
// (target/i386/sev.c, snp_populate_metadata_pages).
func (i *Image) SNP(ram []accept.Range) ([]Piece, error) {
	m, err := image.ReadFirmware(i.bytes)
	switch {
	case err != nil:
		return nil, err
	case len(m.SEV) == 0:
		return nil, errors.New("it has no metadata of SEV-SNP, which would say what memory it wants to find at its start")
	}
	all := []Piece{{Range: i.all(), Content: i.bytes}}
	for _, a := range m.SEV {
		p := Piece{Range: accept.Range{Start: a.Address, End: a.Address + a.Size}}
		switch a.Kind {
		case snpMemory, snpSVSM, snpKernelHashes: // without hashes it is zeros
		case snpSecrets:
			p.Kind = Secrets
		case image.SNPCPUID:
			p.Kind = CPUID
		default:
			return nil, fmt.Errorf("its metadata of SEV-SNP has an area of kind %#x, which is not known", a.Kind)
		}
		if a.Size == 0 { // as of kernel hashes where there is no room for any
			continue
		}
		all = append(all, p)
	}
	return all, check(all, i.all(), ram)
}

// check says what is wrong with pieces: they have to be whole pages of RAM or of the image, and apart. It sorts them.
func check(all []Piece, own accept.Range, ram []accept.Range) error {
	slices.SortFunc(all, func(a, b Piece) int {
		if a.Start < b.Start {
			return -1
		}
		return 1
	})
	end := uint64(0)
	for _, p := range all {
		one := p.Kind != Contents
		switch {
		case p.Empty() || (p.Start|p.End)%mem.PageSize != 0 || one && p.Len() != mem.PageSize:
			return fmt.Errorf("its metadata has an area at %v, which is not of whole pages", p.Range)
		case !p.In(own) && !accept.Contains(ram, p.Start, p.Len()):
			return fmt.Errorf("its metadata has an area at %v, where there is no memory", p.Range)
		case p.Start < end:
			return fmt.Errorf("its metadata has an area at %v, where there is another", p.Range)
		}
		end = p.End
	}
	return nil
}

// all is where the image lies.
func (i *Image) all() accept.Range {
	return accept.Range{Start: physical.HighStart - uint64(len(i.bytes)), End: physical.HighStart}
}
