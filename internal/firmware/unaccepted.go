package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// publishUnaccepted installs the table of unaccepted memory that the configuration asks for, true or not. With
// Config.Misalign or a lie it is in memory of the type in which Linux's EFI stub leaves it
// (drivers/firmware/efi/libstub/unaccepted_memory.c), else of one that is free after ExitBootServices: what lies in such
// memory a system has to keep itself. What the table is about stays EfiUnacceptedMemory in the map. A kernel that kexec
// starts is given the map of the first boot, which still says so; and the stub, which takes over an installed table,
// would place the kernel in what the map calls free.
func (f *Firmware) publishUnaccepted() error {
	lies := f.cfg.Lie == LieTable || f.cfg.Lie == LieStale
	if !lies && !f.cfg.UnacceptedTable {
		return nil
	}
	marked := f.plan.unaccepted
	if lies {
		marked = append(slices.Clone(marked), f.victim())
	}
	h := tableFor(marked)
	if h.Size == 0 {
		return nil // nothing is unaccepted
	}
	b := make([]byte, accept.HeaderSize+h.Size)
	h.Put(b)
	bits, err := h.Bitmap(b[accept.HeaderSize:])
	if err != nil {
		return err
	}
	for _, r := range marked {
		bits.Mark(r)
	}
	if f.cfg.Lie == LieTable {
		const unheardOf = 7
		put32(b, unheardOf) // the version
	}
	kind := uefi.BootServicesData
	if f.cfg.Misalign || lies {
		kind = uefi.ACPIReclaimMemory
	}
	r, err := f.takePages(kind, (uint64(len(b))+pageMask)/pageSize, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if err := f.put(r.Start, b); err != nil {
		return err
	}
	if lies {
		f.tell(Told{1, f.victim()})
	} else {
		f.unaccepted = r.Start
	}
	return f.setTable(uefi.LinuxUnacceptedMemTableGUID, r.Start)
}

// clearUnaccepted notes in firmware's own table, if there is one, that r has been accepted.
func (f *Firmware) clearUnaccepted(r accept.Range) error {
	if f.unaccepted == 0 {
		return nil
	}
	h := tableFor(f.plan.unaccepted) // and not what lies there: the guest may have written to it
	bits := make([]byte, h.Size)
	if err := f.get(f.unaccepted+accept.HeaderSize, bits); err != nil {
		return err
	}
	b, err := h.Bitmap(bits)
	if err != nil {
		return err
	}
	b.Clear(r)
	return f.put(f.unaccepted+accept.HeaderSize, bits)
}

// tableFor returns the header of a table for ranges.
func tableFor(ranges []accept.Range) accept.Header {
	var span accept.Range
	for _, r := range ranges {
		span = span.Union(r)
	}
	return accept.HeaderFor(span)
}
