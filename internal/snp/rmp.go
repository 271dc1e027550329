package snp

// A pageState is what is known of one 4 KiB page of guest-physical address space: whose it is in the low two bits, and
// flags of its RMP entry (APM 15.36.3, table 15-34).
type pageState uint8

const (
	unmapped  pageState = 0 // RMP Assigned is 0, and the host maps nothing: how all memory starts
	shared    pageState = 1 // RMP Assigned is 0; the host maps the page for the guest as shared memory
	assigned  pageState = 2 // RMP Assigned is 1, Validated 0: the guest's, and not yet to be used
	validated pageState = 3 // RMP Assigned and Validated are 1

	ownerMask pageState = 3

	// large: Page_Size is 2 MiB. The flag is the same in all 512 pages of a 2 MiB page, and where it is set so is the
	// rest of the entry.
	large pageState = 1 << 2

	// vmsa: the VMSA flag, which the guest sets with RMPADJUST.
	vmsa pageState = 1 << 3

	// fresh: the page has changed owner and has not been touched yet: its contents are junk that is not written down
	// (junk.go).
	fresh pageState = 1 << 4

	pageStates = 1 << 5
)

func (s pageState) owner() pageState { return s & ownerMask }

// private says whether the page is assigned to the guest.
func (s pageState) private() bool { return s.owner() >= assigned }

func (s pageState) with(owner pageState) pageState { return s&^ownerMask | owner }

// gone is the state of a page that leads to its frame no more.
func (s pageState) gone() pageState { return unmapped }

// String names the state as diagnoses do.
func (s pageState) String() string {
	return [...]string{"hypervisor-owned", "shared", "not validated", "validated"}[s.owner()]
}
