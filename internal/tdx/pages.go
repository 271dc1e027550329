package tdx

// A pageState is what is known of one 4 KiB page of guest-physical address space: the state of its secure EPT entry
// in the low two bits, and two flags (ABI, "Secure EPT entry states"; module, sept_manager.h).
type pageState uint8

const (
	absent   pageState = 0 // SEPT_FREE: the host has added no private page
	pending  pageState = 1 // SEPT_PENDING: added by TDH.MEM.PAGE.AUG, not accepted
	accepted pageState = 2 // SEPT_MAPPED: the guest may use it

	privateMask pageState = 3

	// small: the 2 MiB entry above this page is no leaf, a table of 4 KiB entries hangs from it. The flag is the same
	// in all 512 pages of a 2 MiB page; where it is not set, so is the private state. It outlives the pages: the
	// table is never taken away again.
	small pageState = 1 << 2

	// shared: the host maps this page's other plane in the shared EPT.
	shared pageState = 1 << 3

	pageStates = 1 << 4
)

func (s pageState) private() pageState { return s & privateMask }

func (s pageState) with(private pageState) pageState { return s&^privateMask | private }

// String names the state as diagnoses do.
func (s pageState) String() string {
	switch {
	case s.private() == accepted:
		return "accepted"
	case s.private() == pending:
		return "pending"
	case s&shared != 0:
		return "shared"
	}
	return "absent"
}
