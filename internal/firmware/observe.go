package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// Image returns the memory of the image that is running, the one that was started last. It is empty before Boot. After
// ExitBootServices it is what called it: the kernel in a unified kernel image, not what started that.
func (f *Firmware) Image() accept.Range {
	if !f.leaver.Empty() {
		return f.leaver
	}
	i := f.running()
	if i < 0 {
		return accept.Range{}
	}
	return f.image(f.frames[i].image).memory
}

// Region returns the memory of one type that an address is in; it is empty where the memory map has none.
func (f *Firmware) Region(gpa uint64) accept.Range {
	gpa &^= f.cfg.PrivateBit
	i := f.memory.at(gpa)
	if i >= len(f.memory.regions) || gpa < f.memory.regions[i].start {
		return accept.Range{}
	}
	return accept.Range{Start: f.memory.regions[i].start, End: f.memory.regions[i].end}
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

// Missed returns the protocols that the guest asked for in vain: the last few, each once, the latest last.
func (f *Firmware) Missed() []uefi.GUID { return slices.Clone(f.missed) }

// Caller returns the address after the call by which the guest got to the service at the guest-physical address gpa,
// where the processor stands. There is none where the guest returned to firmware, or an exception took it there.
func (f *Firmware) Caller(gpa uint64) (ret uint64, ok bool) {
	slot := (gpa - f.trap) / entrySize
	return f.from, f.Trap(gpa) && slot < uint64(len(entries)) && entries[slot].land == nil
}
