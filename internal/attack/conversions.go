package attack

import (
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// refuse refuses to convert memory.
func refuse(h *Host, c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok, answered bool) {
	if !h.from() {
		return 0, false, false
	}
	h.step(c, "refused to make memory "+to.String(), nil)
	h.notDone(start, end, to)
	return start, false, true
}

// notDone notes memory that was to be shared and is not.
func (h *Host) notDone(start, end uint64, to physical.Plane) {
	if to == physical.Shared {
		h.last, h.counter = start, end
	}
}

// useRefused looks whether the guest uses as shared what it was told is not: an honest host takes the private page away for
// that, with what it holds.
func useRefused(h *Host, _ *x86.CPU, gpa uint64, p physical.Plane) error {
	if p == physical.Shared && gpa >= h.last && gpa < h.counter {
		h.deceived("the guest used memory as shared that its host had not made so")
	}
	return nil
}

// patience is how often in a row a guest may ask for the same before it counts as asking for ever. Linux asks for an address
// three times (tdx_map_gpa).
const patience = 1000

// stall says that there is more to do, and does nothing.
func stall(h *Host, c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok, answered bool) {
	if len(h.broken) > 0 || !h.from() {
		return 0, false, false // it has shown what there is to see
	}
	if start != h.last {
		h.last, h.counter = start, 0
	}
	if h.counter++; h.counter > patience {
		h.deceived("the guest asked %d times for the same %d bytes, and would have asked for ever", patience, end-start)
		return 0, false, false
	}
	h.step(c, "did nothing to make memory "+to.String()+", and asked to be asked again", nil)
	return start, true, true
}

// half converts half of what the guest asks for at once, honestly, and asks to be asked again.
func half(h *Host, c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok, answered bool) {
	if start == h.last {
		h.last, h.counter = 0, 0 // it does ask for the rest
	}
	middle := (start + (end-start)/2) &^ (mem.PageSize - 1)
	if middle <= start || !h.once() {
		return 0, false, false
	}
	h.step(c, "made half of the memory "+to.String()+", and asked to be asked for the rest", nil)
	h.notDone(middle, end, to)
	next, ok = h.convertHonestly(c, start, middle, to)
	return next, ok, true
}

// withhold gives the guest no more pages.
func withhold(h *Host, c *x86.CPU, gpa uint64, p physical.Plane) error {
	if p != physical.Private || !h.from() {
		return nil
	}
	h.step(c, fmt.Sprintf("withheld the page at %#x", gpa), nil)
	return errors.New("it withholds its pages")
}
