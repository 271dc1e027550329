package host

import (
	"bytes"
	"fmt"

	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// replay keeps the page's contents, and puts them back once the guest has changed them.
func (h *Cheat) replay(c *x86.CPU) {
	switch {
	case h.old == nil:
		h.done = !h.remember()
	case h.unchanged():
		h.done = false
	case h.sealed != nil:
		h.step(c, "put the page back with its old contents", h.putBack(c))
	default:
		h.replace(c, "put the page back with its old contents", h.old)
	}
}

// remember keeps what the page has: to see that it has changed, and, where the host sees frames, what it reads there.
func (h *Cheat) remember() bool {
	h.old = make([]byte, h.target.Len())
	if h.memory.Read(physical.Private, h.target.Start, h.old) != nil {
		return false
	}
	frames, ok := h.guest.(Frames)
	if !ok {
		return true
	}
	var b [mem.PageSize]byte
	for at := h.target.Start; at < h.target.End; at += mem.PageSize {
		f, err := frames.FrameAt(at)
		if err == nil {
			err = frames.ReadFrame(f, &b)
		}
		if err != nil {
			return false
		}
		h.sealed = append(h.sealed, b[:]...)
	}
	return true
}

// putBack takes the page's frames away from the guest, writes to them what they held, and gives them back. They are the
// same frames, so that the guest's key makes of it what the guest once wrote.
func (h *Cheat) putBack(c *x86.CPU) error {
	frames, ok := h.guest.(Frames)
	if !ok {
		return fmt.Errorf("the platform does not show its frames to the host")
	}
	for at := h.target.Start; at < h.target.End; at += mem.PageSize {
		f, err := frames.FrameAt(at)
		for _, do := range []func() error{
			func() error { return frames.MapFrame(c, at, confidential.NoFrame) },
			func() error { return frames.UpdateFrame(c, f, at, false) },
			func() error { return frames.WriteFrame(f, (*[mem.PageSize]byte)(h.sealed[at-h.target.Start:])) },
			func() error { return frames.UpdateFrame(c, f, at, true) },
			func() error { return frames.MapFrame(c, at, f) },
		} {
			if err == nil {
				err = do()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// unchanged says whether the page has its old contents still.
func (h *Cheat) unchanged() bool {
	var b [mem.PageSize]byte
	for at := uint64(0); at < h.target.Len(); at += mem.PageSize {
		if h.memory.Read(physical.Private, h.target.Start+at, b[:]) != nil || !bytes.Equal(b[:], h.old[at:at+mem.PageSize]) {
			return false
		}
	}
	return true
}
