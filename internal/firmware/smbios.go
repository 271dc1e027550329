package firmware

import (
	"github.com/tacit-vm/tacit/internal/firmware/smbios"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/uefi"
)

// publishSMBIOS writes the SMBIOS structures to memory that the operating system keeps, of the type that EDK2 takes for them
// (MdeModulePkg/Universal/SmbiosDxe).
func (f *Firmware) publishSMBIOS() error {
	m := smbios.Machine{Sockets: f.cfg.Sockets, Cores: f.cfg.Cores, Threads: f.cfg.Threads, Seed: f.cfg.Seed}
	for _, r := range physical.RAM(f.cfg.TotalMemory) {
		m.RAM = append(m.RAM, smbios.Range{Start: r.Start, End: r.End})
	}
	size := uint64(len(m.Tables(0)))
	r, err := f.takePages(uefi.RuntimeServicesData, (size+pageMask)/pageSize, physical.HighStart, pageSize)
	if err != nil {
		return err
	}
	if err := f.put(r.Start, m.Tables(r.Start)); err != nil {
		return err
	}
	return f.setTable(uefi.SMBIOS3TableGUID, r.Start)
}
