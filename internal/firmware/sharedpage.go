package firmware

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// sharePage leaves images a page in which they talk to the host, shared and mapped as such. Like OVMF's it is of type
// EfiReservedMemoryType: an operating system would take others to be private. The page tables of firmware, whose first is at
// top, map 2 MiB at a time; those around the page become pages of 4 KiB.
func (f *Firmware) sharePage(top uint64) error {
	page, err := f.takePages(uefi.ReservedMemoryType, 1, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	table, err := f.takePages(uefi.BootServicesData, 1, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if err := f.cfg.Share(page.Start); err != nil {
		return fmt.Errorf("a page for talking to the host: %w", err)
	}
	if err := f.cpu.WritePhysical(page.Start, make([]byte, pageSize)); err != nil {
		return err
	}
	const link = ptePresent | pteWrite | pteAccessed
	first := page.Start &^ (accept.UnitSize - 1)
	var b []byte
	for at := first; at < first+accept.UnitSize; at += pageSize {
		private := f.cfg.PrivateBit
		if at == page.Start {
			private = 0
		}
		b = binary.LittleEndian.AppendUint64(b, at|private|link|pteDirty)
	}
	if err := f.put(table.Start, b); err != nil {
		return err
	}
	return f.put64(top+directoryEntry(physical.RAM(f.cfg.TotalMemory), first), table.Start|f.cfg.PrivateBit|link)
}
