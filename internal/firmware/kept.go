package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/uefi"
)

// Variables are EFI variables that outlive their machine. The zero Variables is none.
type Variables struct{ store variableStore }

// Variables returns those that are non-volatile, but for firmware's own. They do not change with the machine's.
func (f *Firmware) Variables() Variables {
	var kept Variables
	for _, v := range f.variables.list {
		if v.attributes&uefi.VariableNonVolatile != 0 && !own(v.vendor, v.name) {
			v.name, v.data = slices.Clone(v.name), slices.Clone(v.data)
			kept.store.add(v)
		}
	}
	return kept
}

// Len is how many there are.
func (v *Variables) Len() int { return len(v.store.list) }

// Carry carries them.
func (v *Variables) Carry(s *state.Stream) { v.store.carry(s) }

// recall adds them to firmware's own, of which one can be replaced that is not firmware's to say.
func (f *Firmware) recall(kept Variables) {
	for _, v := range kept.store.list {
		if own(v.vendor, v.name) || v.attributes&uefi.VariableNonVolatile == 0 {
			continue // what no Firmware keeps
		}
		if i := f.variables.find(v.vendor, v.name); i >= 0 {
			f.variables.size -= f.variables.list[i].size()
			f.variables.list = slices.Delete(f.variables.list, i, i+1)
		}
		if f.variables.size+v.size() <= maxStore {
			v.name, v.data = slices.Clone(v.name), slices.Clone(v.data)
			f.variables.add(v)
		}
	}
}

func (s *variableStore) add(v variable) {
	s.size += v.size()
	s.list = append(s.list, v)
}
