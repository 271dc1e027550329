package attack

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/tacit-vm/tacit/internal/device/virtio"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// The host makes the guest's devices, and rings are memory that both write to (virtio 1.2, 2.7).

// Completes is told of a request that a device has done, and returns what the guest is told of it. See [virtio.Liar].
func (h *Host) Completes(c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	if h.begun && h.tactic.complete != nil {
		return h.tactic.complete(h, c, r, u)
	}
	return u
}

// beyond is how many bytes more than it has left a device says that it has.
const beyond = 3072

// longer says of each request that it has left more than there was room for.
func longer(h *Host, c *x86.CPU, _ virtio.Ring, u virtio.Used) virtio.Used {
	if h.from() {
		h.step(c, fmt.Sprintf("had devices say that they have left %d bytes more than there are", beyond), nil)
		u.Length += beyond
	}
	return u
}

// noRequest says that a request is done whose descriptor the queue does not have.
func noRequest(h *Host, c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	if h.from() {
		h.step(c, "had devices say that a request is done whose number is beyond their queue", nil)
		u.ID = uint32(r.Size) + 1
	}
	return u
}

// anotherRequest says that another request is done than is.
func anotherRequest(h *Host, c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	if h.from() {
		h.step(c, "had devices say that another request is done than is", nil)
		u.ID = (u.ID + 1) % uint32(r.Size)
	}
	return u
}

// more says that more requests are done than a queue can have.
func more(h *Host, c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	if h.from() {
		h.step(c, "had devices say that more requests are done than their queue has", nil)
		u.Index += 2 * r.Size
	}
	return u
}

// rewritten changes the descriptor of a request, which the device only reads, once that is done.
func rewritten(h *Host, c *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	const size, length, flags, next = 16, 8, 12, 14
	if !h.from() {
		return u
	}
	var d [size]byte
	le := binary.LittleEndian
	le.PutUint64(d[:], h.value())
	le.PutUint32(d[length:], beyond)
	le.PutUint16(d[flags:], uint16(h.value()))
	le.PutUint16(d[next:], uint16(h.value()))
	h.step(c, "changed the descriptor of a request that was done", h.writeShared(r.Desc+size*uint64(u.ID), d[:]))
	return u
}

// ringEntry is how many bytes an entry of the used ring has, and usedRing is where the first is.
const (
	usedRing  = 4
	ringEntry = 8
)

// shown notes where the driver is to read of a request: between two reads it is changed there (entryRead). The page is
// watched from then on.
func shown(h *Host, _ *x86.CPU, r virtio.Ring, u virtio.Used) virtio.Used {
	at := r.Device&address + usedRing + ringEntry*uint64((u.Index-1)%r.Size)
	if page := at &^ (mem.PageSize - 1); h.target == 0 || h.target == page {
		h.target, h.last = page, at
		h.fetched = fetched{}
	}
	return u
}

// entryRead changes an entry of the used ring once the guest has read of it, and notes what it reads again.
func entryRead(h *Host, c *x86.CPU, gpa uint64, write bool) {
	if !write && gpa >= h.last && gpa < h.last+ringEntry {
		h.readTwice(c, gpa, "the used ring of a device")
	}
}

// readTwice changes a byte of shared memory that the guest has read, and notes where it reads it again.
func (h *Host) readTwice(c *x86.CPU, gpa uint64, what string) {
	at := gpa - h.target
	word, bit := at/64, uint64(1)<<(at%64)
	switch {
	case h.fetched.read[word]&bit != 0:
		h.deceived("the guest read %s twice, by the instruction at %#x, and got something else", what, c.RIP())
	case h.from():
		h.fetched.read[word] |= bit
		var b [1]byte
		err := h.memory.Read(physical.Shared, gpa, b[:])
		if b[0] = ^b[0]; err == nil {
			err = h.writeShared(gpa, b[:])
		}
		h.step(c, "changed what the guest had read of "+what, err)
	}
}

// address is a guest-physical address without the bits that say whose a page is.
const address = 1<<46 - 1

// writeShared writes to memory that the guest shares.
func (h *Host) writeShared(gpa uint64, b []byte) error {
	if h.memory == nil {
		return errors.New("it has no way to the memory")
	}
	return h.memory.Write(physical.Shared, gpa&address, b)
}

// marks are n bytes of the host's own.
func marks(n int) []byte { return bytes.Repeat([]byte{Mark}, n) }
