package tdx

import (
	"slices"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// A field is an entry of one of the module's tables of metadata: fields whose elements' codes follow one another within a class.
// An identifier's class and code say which element it is; the module looks at nothing else of it (md_find_entry_idx in
// metadata_generic.c), but at what has to be 0 ([abi.Field.Single]).
type field struct {
	id       abi.Field // of the first element, as the module's table has it
	fields   uint32
	elements uint32 // of each field
	readable bool   // by the guest: its read mask is not 0
}

// codes is how many elements there are in all.
func (f field) codes() uint32 { return f.fields * f.elements }

// A table is what an identifier is looked up in, in the module's order, in which a guest goes through all fields.
type table []field

// find returns the entry that an identifier stands for, and which of its elements; -1 where there is none.
func (t table) find(id abi.Field) (entry int, element uint32) {
	entry = slices.IndexFunc(t, func(f field) bool {
		return f.id.Class() == id.Class() && id.Code()-f.id.Code() < f.codes()
	})
	if entry < 0 {
		return -1, 0
	}
	return entry, id.Code() - t[entry].id.Code()
}

// from is the first element of what is readable from an entry on, [abi.NoField] where nothing is.
func (t table) from(entry int) abi.Field {
	for _, f := range t[entry:] {
		if f.readable {
			return f.id
		}
	}
	return abi.NoField
}

// after is the next readable element after one that is readable. Within an entry it is what the caller has said but for the
// code, sizes and all (module, md_get_next_item_with_iterator).
func (t table) after(id abi.Field) abi.Field {
	entry, element := t.find(id)
	if element+1 < t[entry].codes() {
		return id + 1
	}
	return t.from(entry + 1)
}
