package x86

import "github.com/tacit-vm/tacit/internal/mem"

// Memory types mean nothing to contents and time here. Software hears of them where it asks for bus locks (buslock.go).

const (
	ptePWT      = 1 << 3
	ptePCD      = 1 << 4
	ptePAT      = 1 << 7 // of a page of 4 KiB
	pteLargePAT = 1 << 12

	typeWB = 6 // in an entry of the PAT (SDM vol. 3, table 12-10)
)

// writeBack says whether page tables make the memory at a linear address write-back memory: whether the entry of the PAT that they
// select says so (SDM vol. 3, 12.12.3). It is true where they map nothing.
func (c *CPU) writeBack(va uint64) bool {
	if c.cr0&CR0PG == 0 || !c.canonical(va) {
		return true
	}
	entry, shift, err := c.entryFor(va, false)
	if err != nil {
		return true
	}
	index := entry / ptePWT & 3
	if shift == mem.PageShift && entry&ptePAT != 0 || shift > mem.PageShift && entry&pteLargePAT != 0 {
		index |= 4
	}
	return c.msr.pat>>(8*index)&7 == typeWB
}

// pageOf returns the guest-physical address of va in the page of 1<<shift bytes that an entry maps.
func pageOf(entry uint64, shift uint, va uint64) uint64 {
	mask := uint64(1)<<shift - 1
	return entry&pteAddr&^mask | va&mask
}
