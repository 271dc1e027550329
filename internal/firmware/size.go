package firmware

import (
	"unsafe"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// Firmware's books grow with what the guest asks for, each up to a bound of its own: regions of memory, allocations,
// handles, images, events, variables, calls that have not returned. All of them together take a few MiB of the host's.

// size is about how many bytes of the host's memory they take. It looks at numbers that are kept anyway, since it is asked
// after every call.
func (f *Firmware) size() int64 {
	var n int64
	add := func(count int, bytes uintptr) { n += int64(count) * int64(bytes) }
	add(cap(f.memory.regions), unsafe.Sizeof(region{}))
	add(cap(f.pool.chunks), unsafe.Sizeof(chunk{}))
	add(2*f.pool.pieces, unsafe.Sizeof(accept.Range{})) // twice: what append keeps in reserve
	add(cap(f.handles.handles), unsafe.Sizeof(handle{}))
	add(2*f.handles.pieces, unsafe.Sizeof(installed{}))
	add(2*f.handles.openings, unsafe.Sizeof(opening{}))
	add(cap(f.registrations), unsafe.Sizeof(registration{}))
	add(cap(f.images), unsafe.Sizeof(image{}))
	add(cap(f.frames), unsafe.Sizeof(frame{}))
	add(cap(f.events), unsafe.Sizeof(event{}))
	add(cap(f.queue), unsafe.Sizeof(uint64(0)))
	add(cap(f.tables), unsafe.Sizeof(ConfigurationTable{}))
	add(cap(f.converting), unsafe.Sizeof(uefi.MemoryDescriptor{}))
	add(cap(f.variables.list), unsafe.Sizeof(variable{}))
	add(cap(f.files), unsafe.Sizeof(fileHandle{}))
	add(cap(f.mappings), unsafe.Sizeof(dmaMapping{}))
	add(cap(f.buffers), unsafe.Sizeof(accept.Range{}))
	add(cap(f.travellers), unsafe.Sizeof(traveller{}))
	for i := range f.packages {
		n += int64(len(f.packages[i].bytes))
	}
	return n + int64(f.variables.size)
}

// OnGrowth has grew hear how many bytes of the host's memory firmware's books take more, or less, than before, whenever a
// service has been called. The first time it is all that they take.
func (f *Firmware) OnGrowth(grew func(bytes int64)) { f.grew = grew }

// sized tells of it.
func (f *Firmware) sized() {
	if f.grew == nil {
		return
	}
	if n := f.size(); n != f.counted {
		f.grew(n - f.counted)
		f.counted = n
	}
}
