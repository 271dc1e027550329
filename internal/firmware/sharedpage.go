package firmware

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// This file makes pages shared, and maps them as such. Firmware's page tables map 2 MiB at a time; those around such a page become
// pages of 4 KiB.

// sharePage leaves images a page in which they talk to the host on a processor. Like OVMF's it is of type EfiReservedMemoryType: an
// operating system would take others to be private.
func (f *Firmware) sharePage(processor int) error {
	page, err := f.takePages(uefi.ReservedMemoryType, 1, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if err := f.cfg.Share(processor, page.Start); err != nil {
		return fmt.Errorf("a page for talking to the host: %w", err)
	}
	if err := f.cpu.WritePhysical(page.Start, make([]byte, pageSize)); err != nil {
		return err
	}
	return f.mapPages(page, f.cfg.SharedBit)
}

// convertPages makes pages that firmware has accepted shared or private, and maps them as such. What is in them is lost. Where it fails
// for want of memory nothing has happened.
func (f *Firmware) convertPages(r accept.Range, shared bool) error {
	bit := f.cfg.PrivateBit
	if shared {
		bit = f.cfg.SharedBit
	}
	for first := r.Start &^ (accept.UnitSize - 1); first < r.End; first += accept.UnitSize {
		if _, err := f.smallPages(first); err != nil {
			return err
		}
	}
	if err := f.cfg.Convert(r, shared); err != nil {
		return fmt.Errorf("converting memory for a device: %w", err)
	}
	return f.mapPages(r, bit)
}

// mapPages has firmware's page tables map each page of r to itself, with a bit that marks it as private or shared.
func (f *Firmware) mapPages(r accept.Range, bit uint64) error {
	for page := r.Start; page < r.End; page += pageSize {
		table, err := f.smallPages(page &^ (accept.UnitSize - 1))
		if err != nil {
			return err
		}
		if err := f.put64(table+page%accept.UnitSize/pageSize*8, page|bit|pteLink|pteDirty); err != nil {
			return err
		}
	}
	return nil
}

const pteLink = ptePresent | pteWrite | pteAccessed

// smallPages returns the table that maps the 2 MiB from first on by pages of 4 KiB, and makes it where there is none.
func (f *Firmware) smallPages(first uint64) (table uint64, err error) {
	at := f.pageTables + directoryEntry(physical.RAM(f.cfg.TotalMemory), first)
	var entry [8]byte
	if err := f.get(at, entry[:]); err != nil {
		return 0, err
	}
	if get64(entry[:])&pteLarge == 0 {
		return get64(entry[:]) &^ (f.cfg.PrivateBit | pageMask), nil
	}
	t, err := f.takePages(uefi.BootServicesData, 1, physical.HighStart, pageSize)
	if err != nil {
		return 0, err
	}
	var b []byte
	for gpa := first; gpa < first+accept.UnitSize; gpa += pageSize {
		b = binary.LittleEndian.AppendUint64(b, gpa|f.cfg.PrivateBit|pteLink|pteDirty)
	}
	if err := f.put(t.Start, b); err != nil {
		return 0, err
	}
	return t.Start, f.put64(at, t.Start|f.cfg.PrivateBit|pteLink)
}
