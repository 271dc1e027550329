package firmware

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// Image returns the memory that the image started first is loaded in. It is empty before Boot.
func (f *Firmware) Image() accept.Range {
	if len(f.images) == 0 {
		return accept.Range{}
	}
	return f.images[0].memory
}

// ConfigurationTable returns the address of a configuration table that has been installed, as the installer gave it.
func (f *Firmware) ConfigurationTable(id uefi.GUID) (address uint64, ok bool) {
	for _, t := range f.tables {
		if t.GUID == id {
			return t.Address, true
		}
	}
	return 0, false
}
