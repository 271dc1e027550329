package physical

import "github.com/tacit-vm/tacit/accept"

// Where RAM may be. The boundary is QEMU's for its machine type q35 with memory that fills whole gigabytes
// (hw/i386/pc_q35.c), the one that OVMF's users see.
const (
	LowEnd    = 0x8000_0000 // where RAM below 4 GiB ends at the latest; what follows is left to devices
	HighStart = 1 << 32     // where the rest of it begins
)

// RAM returns where total bytes of RAM are: from 0 up to [LowEnd] at most, and the rest from [HighStart] on.
func RAM(total uint64) []accept.Range {
	low := accept.Range{Start: 0, End: min(total, LowEnd)}
	if total <= LowEnd {
		return []accept.Range{low}
	}
	return []accept.Range{low, {Start: HighStart, End: HighStart + total - LowEnd}}
}
