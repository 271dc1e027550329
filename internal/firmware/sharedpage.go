package firmware

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// sharePage leaves images a page in which they talk to the host on a processor, shared and mapped as such. Like OVMF's it is of
// type EfiReservedMemoryType: an operating system would take others to be private. Firmware's page tables map 2 MiB at a time;
// those around the page become pages of 4 KiB.
func (f *Firmware) sharePage(processor int) error {
	page, err := f.takePages(uefi.ReservedMemoryType, 1, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	const link = ptePresent | pteWrite | pteAccessed
	first := page.Start &^ (accept.UnitSize - 1)
	at := f.pageTables + directoryEntry(physical.RAM(f.cfg.TotalMemory), first)
	var entry [8]byte
	if err := f.get(at, entry[:]); err != nil {
		return err
	}
	table := get64(entry[:]) &^ (f.cfg.PrivateBit | pageMask)
	if get64(entry[:])&pteLarge != 0 {
		r, err := f.takePages(uefi.BootServicesData, 1, physical.HighStart, pageSize)
		if err != nil {
			return err
		}
		table = r.Start
		var b []byte
		for gpa := first; gpa < first+accept.UnitSize; gpa += pageSize {
			b = binary.LittleEndian.AppendUint64(b, gpa|f.cfg.PrivateBit|link|pteDirty)
		}
		if err := f.put(table, b); err != nil {
			return err
		}
		if err := f.put64(at, table|f.cfg.PrivateBit|link); err != nil {
			return err
		}
	}
	if err := f.cfg.Share(processor, page.Start); err != nil {
		return fmt.Errorf("a page for talking to the host: %w", err)
	}
	if err := f.cpu.WritePhysical(page.Start, make([]byte, pageSize)); err != nil {
		return err
	}
	return f.put64(table+page.Start%accept.UnitSize/pageSize*8, page.Start|link|pteDirty)
}
