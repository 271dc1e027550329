package host

import (
	"fmt"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

const size2M = 2 << 20

// Fault is called for a page that the guest touches and cannot reach; size is the largest page that helps it.
//
// A private fault gets a page, as large as policy allows. One at a page that is shared is made private first: KVM
// exits to user space with KVM_EXIT_MEMORY_FAULT and QEMU converts it (kvm_convert_memory); the guest has to accept
// it anew. A shared fault at a page that is private converts it likewise, and the private page is gone.
func (h *Host) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	end := gpa + mem.PageSize
	if !h.isRAM(gpa, end) {
		return fmt.Errorf("no memory at %#x", gpa)
	}
	if p == physical.Shared {
		return h.share(c, gpa, end)
	}
	if err := h.guest.Unshare(c, gpa, end); err != nil {
		return err
	}
	base := gpa &^ (size2M - 1)
	if size == physical.Size4K && h.guest.SplitPage(c, base) == nil {
		return nil // there was a page, too large
	}
	if min(size, h.cfg.PageSize) == physical.Size2M && h.isRAM(base, base+size2M) && !h.guest.Shared(base, base+size2M) &&
		h.guest.AddPage(c, base, physical.Size2M) == nil {
		c.Charge(cost.HostAdd2M, 1)
		return nil
	}
	if err := h.guest.AddPage(c, gpa, physical.Size4K); err != nil {
		return err
	}
	c.Charge(cost.HostAdd4K, 1)
	return nil
}

// maxConvert bounds the memory that one call converts, so that a guest is not away for long: QEMU answers MapGPA with
// RETRY after 64 MiB (gramine-tdx issue 34).
const maxConvert = 64 << 20

// Convert makes pages private or shared at the guest's request. It returns the address that it has come to, and
// whether it will go on from there: memory that is not the guest's cannot be converted.
func (h *Host) Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool) {
	end = min(end, start+maxConvert)
	c.Charge(cost.MapGPA, 1)
	if !h.isRAM(start, end) {
		return start, false
	}
	large := uint64(0)
	if first, last := (start+size2M-1)/size2M, end/size2M; first < last {
		large = last - first
	}
	c.Charge(cost.MapGPA2M, large)
	c.Charge(cost.MapGPA4K, (end-start-large*size2M)/mem.PageSize)

	convert := h.guest.Unshare // private pages come when the guest accepts them
	if to == physical.Shared {
		convert = h.share
	}
	if convert(c, start, end) != nil {
		return start, false
	}
	return end, true
}

// share takes private pages away and maps shared ones.
func (h *Host) share(c *x86.CPU, start, end uint64) error {
	if err := h.guest.RemovePages(c, start, end); err != nil {
		return err
	}
	return h.guest.Share(c, start, end)
}
