package host

import (
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// Frames is what a host can do beside a [Guest]'s calls where the architecture leaves it to the host which frame an address
// leads to: on SEV-SNP, whose RMP knows of each frame whose it is, for which address, and whether the guest has validated
// it. On TDX the secure EPT is the module's, and a page that comes back is pending, whatever frame it is in.
//
// The frames that a guest starts with have no numbers; one gets its own when it is first asked for. A frame is of 4 KiB.
type Frames interface {
	// NewFrame takes a frame of zeros that is the host's.
	NewFrame() (confidential.Frame, error)
	// FrameAt returns the frame that private page gpa leads to.
	FrameAt(gpa uint64) (confidential.Frame, error)
	// MapFrame has gpa lead to a frame that is assigned for it, in the place of the one to which it led, or to none. What
	// the RMP says of either, and what they hold, stays.
	MapFrame(c *x86.CPU, gpa uint64, f confidential.Frame) error
	// UpdateFrame assigns a frame to the guest, for address gpa, or takes it back; no address may lead to it. Contents stay.
	UpdateFrame(c *x86.CPU, f confidential.Frame, gpa uint64, guests bool) error
	// ReadFrame and WriteFrame are the host's view of a frame, without the guest's key. What is assigned cannot be written.
	ReadFrame(f confidential.Frame, b *[mem.PageSize]byte) error
	WriteFrame(f confidential.Frame, b *[mem.PageSize]byte) error
}
