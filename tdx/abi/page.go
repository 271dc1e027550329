package abi

// A Level is the size of a page, as a level of the secure EPT (ABI, "GPA mapping information"; module,
// page_info_api_input_t).
type Level uint64

// Levels. Modules to this day (1.5, 2.0) refuse to accept Level1G, with OperandInvalid.
const (
	Level4K Level = 0
	Level2M Level = 1
	Level1G Level = 2
)

// PageInfoLevel are the bits of a page's address in a register that hold its Level.
const PageInfoLevel = 7

// PageAttrPending says of the page that TDG.MEM.PAGE.ATTR.RD and WR return in RCX that it is not accepted.
const PageAttrPending = 1 << 62

// PageInfo is how TDG.MEM.PAGE.ACCEPT takes a page, in RCX: its address, a multiple of its size without shared bit, and
// its level.
func PageInfo(gpa uint64, l Level) uint64 { return gpa | uint64(l) }

// Bytes returns how large a page is.
func (l Level) Bytes() uint64 { return 4 << 10 << (9 * l) }

// String returns "4K", "2M" or "1G", or the number of a level that there is not.
func (l Level) String() string {
	if l <= Level1G {
		return [...]string{Level4K: "4K", Level2M: "2M", Level1G: "1G"}[l]
	}
	return hex(uint64(l), 1)
}
