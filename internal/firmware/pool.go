package firmware

import (
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// A pool serves AllocatePool and firmware's own small needs from chunks of pages of the same memory type. Nothing of
// its bookkeeping is in guest memory.
type pool struct {
	chunks []chunk
	pieces int
}

// A chunk is a run of pages that is handed out in pieces.
type chunk struct {
	accept.Range
	kind uefi.MemoryType
	used []accept.Range // sorted
}

const (
	poolAlign = 16       // the specification asks for 8
	poolChunk = 64 << 10 // pages are taken by so many bytes, so that small allocations seldom change the memory map
	maxPieces = 1 << 16  // allocations at a time
)

// place finds the first gap of size bytes.
func (c *chunk) place(size uint64) (start uint64, index int, ok bool) {
	start = c.Start
	for i, u := range c.used {
		if u.Start-start >= size {
			return start, i, true
		}
		start = u.End
	}
	return start, len(c.used), c.End-start >= size
}

// takePool returns the address of size bytes of memory.
func (f *Firmware) takePool(kind uefi.MemoryType, size uint64) (uint64, error) {
	if size > f.memory.total(uefi.ConventionalMemory) || f.pool.pieces >= maxPieces {
		return 0, outOfResources
	}
	size = max(size+poolAlign-1, poolAlign) &^ (poolAlign - 1)
	for i := range f.pool.chunks {
		c := &f.pool.chunks[i]
		if c.kind != kind {
			continue
		}
		if start, index, ok := c.place(size); ok {
			c.used = slices.Insert(c.used, index, accept.Range{Start: start, End: start + size})
			f.pool.pieces++
			return start, nil
		}
	}
	r, err := f.takePages(kind, (max(size, poolChunk)+pageMask)/pageSize, noLimit, pageSize)
	if err != nil {
		return 0, err
	}
	f.pool.chunks = append(f.pool.chunks, chunk{r, kind, []accept.Range{{Start: r.Start, End: r.Start + size}}})
	f.pool.pieces++
	return r.Start, nil
}

// returnPool takes back what takePool gave.
func (f *Firmware) returnPool(address uint64) error {
	for i := range f.pool.chunks {
		c := &f.pool.chunks[i]
		if address < c.Start || address >= c.End {
			continue
		}
		j, ok := slices.BinarySearchFunc(c.used, address, func(u accept.Range, a uint64) int {
			switch {
			case u.Start < a:
				return -1
			case u.Start > a:
				return 1
			}
			return 0
		})
		if !ok {
			break
		}
		if len(c.used) == 1 {
			// Where the map has no room for the hole the chunk stays, empty and of use again.
			if f.memory.set(c.Range, uefi.ConventionalMemory) {
				f.pool.chunks = slices.Delete(f.pool.chunks, i, i+1)
				f.pool.pieces--
				return nil
			}
		}
		c.used = slices.Delete(c.used, j, j+1)
		f.pool.pieces--
		return nil
	}
	return invalidParameter
}
