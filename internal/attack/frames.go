package attack

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A watcher is the guest as the honest host has it, where the attack is on a page that the host adds.
type watcher struct {
	host.Guest
	h *Host
}

func (w watcher) AddPage(c *x86.CPU, gpa uint64, size physical.PageSize) error {
	err := w.Guest.AddPage(c, gpa, size)
	if h := w.h; err == nil && h.begun && h.target == 0 && h.once() {
		h.target, h.stage = gpa, 1
	}
	return err
}

// exits hears of every exit but a fault at the page under attack, after which the guest has accepted it.
func (h *Host) exits(c *x86.CPU) {
	h.goesOn(c)
	if h.begun && h.stage != 0 && h.tactic.exit != nil {
		h.tactic.exit(h, c)
	}
}

// goesOn hears of every exit.
func (h *Host) goesOn(c *x86.CPU) {
	if h.begun && h.tactic.late != nil {
		h.tactic.late(h, c)
	}
}

// Stages of an attack on a page.
const (
	added   = 1 // the guest has the page
	changed = 2 // and something has been done to it
	over    = 3
)

// flip has the address of a page that the guest has validated lead to another frame, and when the guest has validated that
// too, back to the first: of two validated frames the host chooses which one the guest gets.
func flip(h *Host, c *x86.CPU) {
	frames, ok := h.guest.(host.Frames)
	if !ok {
		h.stage = over
		return
	}
	validated := h.state() == "validated"
	switch {
	case h.stage == added && validated:
		h.stage = changed
		h.step(c, fmt.Sprintf("had %#x lead to a frame of its own", h.target), h.toAnother(c, frames))
	case h.stage == changed && validated:
		h.stage = over
		h.step(c, fmt.Sprintf("had %#x lead back to the first frame", h.target), frames.MapFrame(c, h.target, h.frame))
		h.deceived("the guest has validated two frames at %#x, and its host chooses which it gets", h.target)
	}
}

func (h *Host) toAnother(c *x86.CPU, frames host.Frames) error {
	first, err := frames.FrameAt(h.target)
	if err != nil {
		return err
	}
	h.frame = first
	next, err := frames.NewFrame()
	for _, do := range []func() error{
		func() error {
			return frames.WriteFrame(next, (*[mem.PageSize]byte)(bytes.Repeat([]byte{Mark}, mem.PageSize)))
		},
		func() error { return frames.UpdateFrame(c, next, h.target, true) },
		func() error { return frames.MapFrame(c, h.target, next) },
	} {
		if err == nil {
			err = do()
		}
	}
	return err
}

// state is that of the page under attack.
func (h *Host) state() string {
	if g, ok := h.guest.(interface{ State(gpa uint64) string }); ok {
		return g.State(h.target)
	}
	return ""
}

// overwrites writes to a page of the guest's past whatever guards it, as one can who has an alias of its frame: the state of
// the page stays.
func overwrites(h *Host, c *x86.CPU) {
	if s := h.state(); s != "accepted" && s != "validated" {
		return
	}
	h.stage = over
	h.step(c, fmt.Sprintf("wrote to the guest's page at %#x by an alias of its frame", h.target),
		h.behind(bytes.Repeat([]byte{Mark}, mem.PageSize)))
}

// undoes has the guest's page be what it was some exits before: writes that were made since are lost, as where a cache's lines
// are dropped before they have reached memory. Where nothing has been written to the page for a while it is the turn of the
// one that the stack is in, as in the published attack.
func undoes(h *Host, c *x86.CPU) {
	const exits, patient = 4, 64
	s := h.state()
	switch {
	case s != "accepted" && s != "validated":
	case h.stage == added:
		h.stage = changed
		h.remember()
	case h.stage == changed:
		if h.counter++; h.counter < exits {
			return
		}
		now := make([]byte, mem.PageSize)
		if h.memory.Read(physical.Private, h.target, now) != nil || !bytes.Equal(now, h.old) {
			h.stage = over
			h.step(c, fmt.Sprintf("undid the guest's last writes to its page at %#x", h.target), h.behind(h.old))
			return
		}
		if h.counter%patient == 0 {
			if gpa, err := c.Translate(c.R[x86.RSP], true); err == nil {
				h.target = gpa & address &^ (mem.PageSize - 1)
				h.remember()
			}
		}
	}
}

// remember keeps what is in the page under attack.
func (h *Host) remember() {
	h.old = make([]byte, mem.PageSize)
	if h.memory.Read(physical.Private, h.target, h.old) != nil {
		h.stage = over
	}
}

// behind writes to the frame that the page under attack is in, whatever state that has.
func (h *Host) behind(b []byte) error {
	if h.memory == nil {
		return errors.New("it has no way to the memory")
	}
	return h.memory.Write(physical.Private, h.target, b)
}

// warps moves the guest's stack pointer by a multiple of 8 bytes, between two instructions.
func warps(h *Host, c *x86.CPU) {
	const furthest = 64
	by := 8 * (1 + h.value()%furthest)
	h.step(c, fmt.Sprintf("moved the guest's stack pointer by %d bytes at %#x", by, c.RIP()), nil)
	c.R[x86.RSP] += by
}
