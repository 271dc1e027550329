package x86

// A tag is the address of a page in a TLB entry, as an access compares it; or noTag; or the page's address with marks,
// which no address equals. A mark turns a bit that in every canonical address is like the highest one: so a tag that is
// xored with an address in its page is the offset in the page, and far more than that with any mark, or in any other page.
type tag uint64

const (
	// noTag is no page's address, with marks or without.
	noTag tag = 1 << 58
	// slowTag says: the guest may load or store, but each access has to be looked at: because the frame holds decoded code
	// (stores only), or because somebody watches the page. In the tag of a fetch entry it says that the page is not wholly
	// inside the fence ([CPU.Fence]), or that the guest has a breakpoint there.
	slowTag tag = 1 << 60
	// unbackedTag says so of stores to a frame that was not backed when the entry was made. Zeros may be stored where
	// nothing but zeros is without a further look: nothing has to be stored.
	unbackedTag tag = 1 << unbackedBit
	unbackedBit     = 61

	allMarks = slowTag | unbackedTag
)

// marks returns the marks of t.
func (t tag) marks() tag { return (t ^ tag(int64(t)>>63)) & allMarks }

// page returns the page's address, without marks; of noTag, what is no address either.
func (t tag) page() uint64 { return uint64(t ^ t.marks()) }

// with returns t with marks m in addition to those that it has. without returns it with fewer.
func (t tag) with(m tag) tag    { return t ^ m&^t.marks() }
func (t tag) without(m tag) tag { return t ^ m&t.marks() }
