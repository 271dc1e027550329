package negotiate

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// All yields the descriptors, in ascending order.
func (m *Map) All() func(yield func(uefi.MemoryDescriptor) bool) {
	return func(yield func(uefi.MemoryDescriptor) bool) {
		for i := range m.len() {
			if !yield(m.at(i)) {
				return
			}
		}
	}
}

// Unaccepted yields the memory that has to be accepted before it is touched, in ascending order and in the longest
// ranges possible.
func (m *Map) Unaccepted() func(yield func(accept.Range) bool) {
	return func(yield func(accept.Range) bool) { m.merged(isUnaccepted, yield) }
}

// Free yields the memory that is the system's for the taking after ExitBootServices, all of it accepted: what was free
// before, and what boot services and the loader used, without [Bounds].InUse. It comes in ascending order and in the
// longest ranges possible.
func (m *Map) Free() func(yield func(accept.Range) bool) {
	return func(yield func(accept.Range) bool) {
		m.merged(isFree, func(r accept.Range) bool { return m.unused(r, yield) })
	}
}

// Readable reports whether all of r is memory that firmware says has been accepted: where a table of firmware's can be. A
// range that ends below its start is none: the address was so high that the end has gone around 2⁶⁴.
func (m *Map) Readable(r accept.Range) bool {
	if r.End < r.Start {
		return false
	}
	for i := range m.len() {
		if d := m.at(i); isMemory(d) && d.PhysicalStart <= r.Start {
			r.Start = max(r.Start, min(r.End, d.End()))
		}
	}
	return r.Empty()
}

// merged yields the memory of the descriptors that keep keeps, neighbours as one.
func (m *Map) merged(keep func(uefi.MemoryDescriptor) bool, yield func(accept.Range) bool) {
	var run accept.Range
	for i := range m.len() {
		d := m.at(i)
		if !keep(d) {
			continue
		}
		r := rangeOf(d)
		if run.End == r.Start && !run.Empty() {
			run.End = r.End
			continue
		}
		if !run.Empty() && !yield(run) {
			return
		}
		run = r
	}
	if !run.Empty() {
		yield(run)
	}
}

// unused yields what of r is not in use, and reports false where yield does.
func (m *Map) unused(r accept.Range, yield func(accept.Range) bool) bool {
	for !r.Empty() {
		used := m.firstInUse(r)
		if used.Empty() {
			return yield(r)
		}
		if used.Start > r.Start && !yield(accept.Range{Start: r.Start, End: used.Start}) {
			return false
		}
		r.Start = used.End
	}
	return true
}

// firstInUse returns the memory in use, in whole pages, that has the lowest address in r; empty where there is none.
func (m *Map) firstInUse(r accept.Range) (first accept.Range) {
	for _, used := range m.inUse {
		used = used.AlignOut(uefi.PageSize).Intersect(r)
		if !used.Empty() && (first.Empty() || used.Start < first.Start) {
			first = used
		}
	}
	return first
}

func isUnaccepted(d uefi.MemoryDescriptor) bool { return d.Type == uefi.UnacceptedMemory }

// isFree says whether memory is free after ExitBootServices (UEFI 2.10, section 7.2.1, table 7.6). What is for a specific
// purpose, what runtime services use, and what cannot be cached is not for everybody.
func isFree(d uefi.MemoryDescriptor) bool {
	switch d.Type {
	case uefi.LoaderCode, uefi.LoaderData, uefi.BootServicesCode, uefi.BootServicesData, uefi.ConventionalMemory:
		return d.Attribute&uefi.MemoryWB != 0 && d.Attribute&(uefi.MemorySP|uefi.MemoryRuntime) == 0
	}
	return false
}

// isMemory says whether a descriptor is of memory that has been accepted.
func isMemory(d uefi.MemoryDescriptor) bool {
	switch d.Type {
	case uefi.RuntimeServicesCode, uefi.RuntimeServicesData, uefi.ACPIReclaimMemory, uefi.ACPIMemoryNVS:
		return true
	case uefi.LoaderCode, uefi.LoaderData, uefi.BootServicesCode, uefi.BootServicesData, uefi.ConventionalMemory:
		return true
	}
	return false
}
