package host

import (
	"bytes"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// Memory is the physical memory under a guest's pages, as far as a host can write to it: [mem.Memory].
//
// A host writes to a frame before it gives it to the guest, or after it has taken it away; while the guest has it, TDX
// answers with a machine check and SEV-SNP with a page fault in the host. What it reads there is ciphertext. Here it is
// the plain contents: the best that a host could hope to put back.
type Memory interface {
	Read(p physical.Plane, gpa uint64, b []byte) error
	Write(p physical.Plane, gpa uint64, b []byte) error
}

// Mark is the byte of which a host that cheats makes contents of its own. A guest that reads it in private memory has
// been deceived.
const Mark = 0xBD

// A Cheat is what the hosts that cheat have in common: an honest host, which serves the guest, and one [Attack] in the
// course of it. It is a [CheatingTD] or a [CheatingSNP].
//
// It knows what a host can know. It does not see the guest accept a page, but it adds pages when the guest asks for
// them, and when the guest next exits for something else, it has accepted the page. Nothing is counted before the
// guest's first instruction: what firmware accepts until then is not attacked.
type Cheat struct {
	honest server
	guest  Guest
	memory Memory
	attack Attack

	count  uint64 // pages added, or conversions asked for
	target accept.Range
	size   physical.PageSize // of target
	old    []byte            // target's contents, to be replayed
	sealed []byte            // the same as the host reads them, where it sees frames
	was    string            // state of target before the attack
	done   bool
	steps  []record.AttackStep
}

// Serve makes g the guest of both hosts.
func (h *Cheat) Serve(g Guest) {
	h.guest = g
	h.honest.Serve(spy{g, h})
}

// Report is what the host has done.
func (h *Cheat) Report() *record.Attack {
	return &record.Attack{Kind: h.attack.Kind, N: h.attack.N, Steps: append([]record.AttackStep{}, h.steps...)}
}

// A spy is the guest as the honest host has it: the other one watches the pages that it adds.
type spy struct {
	Guest
	cheat *Cheat
}

func (s spy) AddPage(c *x86.CPU, gpa uint64, size physical.PageSize) error {
	err := s.Guest.AddPage(c, gpa, size)
	if err == nil && s.cheat.attack.Kind != Lie && s.cheat.due(c) {
		s.cheat.added(c, gpa, size)
	}
	return err
}

// due counts an opportunity and says whether it is the one.
func (h *Cheat) due(c *x86.CPU) bool {
	if c.Instructions() == 0 {
		return false
	}
	h.count++
	return h.count == h.attack.N
}

// added learns of the page that is to be attacked. It is the guest's now and not accepted yet: the frame counts as
// filled before it was added.
func (h *Cheat) added(c *x86.CPU, gpa uint64, size physical.PageSize) {
	h.target, h.size = accept.Range{Start: gpa, End: gpa + size.Bytes()}, size
	if h.attack.Kind == Preload {
		h.done, h.was = true, h.state()
		h.step(c, "filled the page before it gave it to the guest", h.write(h.target, nil))
	}
}

// act attacks the page, once the guest has exited for something else than it.
func (h *Cheat) act(c *x86.CPU) {
	if h.done || h.size.Bytes() == 0 || h.target.Empty() {
		return
	}
	h.done = true
	h.was = h.state()
	switch t := h.target; h.attack.Kind {
	case Drop:
		h.step(c, "took the page away", h.guest.RemovePages(c, t.Start, t.End))
	case Swap:
		h.replace(c, "put another page in its place", nil)
	case Replay:
		h.replay(c)
	case Split:
		h.step(c, "split the page", h.guest.SplitPage(c, t.Start))
	case Join:
		base := t.Start &^ (size2M - 1)
		h.target = accept.Range{Start: base, End: base + size2M}
		if h.size == physical.Size2M {
			h.step(c, "split the page", h.guest.SplitPage(c, base))
		}
		h.step(c, "joined the small pages", h.join(c, base))
	}
}

// replace takes the page away, fills a frame with b, or with its mark where b is nil, and adds that.
func (h *Cheat) replace(c *x86.CPU, what string, b []byte) {
	t := h.target
	err := h.guest.RemovePages(c, t.Start, t.End)
	if err == nil {
		err = h.write(t, b)
	}
	if err == nil {
		err = h.guest.AddPage(c, t.Start, h.size)
	}
	h.step(c, what, err)
}

// join maps 512 pages as one, as the architecture has it: TDX calls it TDH.MEM.PAGE.PROMOTE. SEV-SNP leaves the host
// RMPUPDATE with Page_Size.
func (h *Cheat) join(c *x86.CPU, base uint64) error {
	if g, ok := h.guest.(interface {
		JoinPages(c *x86.CPU, gpa uint64) error
	}); ok {
		return g.JoinPages(c, base)
	}
	return h.guest.AddPage(c, base, physical.Size2M)
}

// lied notes a conversion that was answered and not done. What stays shared, the host fills.
func (h *Cheat) lied(c *x86.CPU, start, end uint64, to physical.Plane) {
	h.done = true
	h.target = accept.Range{Start: start, End: end}
	h.was = h.state()
	for at := start; at < end; at += mem.PageSize {
		if h.guest.Shared(at, at+mem.PageSize) {
			// Nothing to say where it fails: the guest has been lied to all the same.
			_ = h.memory.Write(physical.Shared, at, bytes.Repeat([]byte{Mark}, mem.PageSize))
		}
	}
	h.step(c, "said that it had made the memory "+to.String()+", and had not", nil)
}

func (h *Cheat) write(r accept.Range, b []byte) error {
	if b == nil {
		b = bytes.Repeat([]byte{Mark}, int(r.Len()))
	}
	return h.memory.Write(physical.Private, r.Start, b)
}

// state is that of the page under attack, which a host does not see: it is for the report.
func (h *Cheat) state() string {
	if g, ok := h.guest.(interface{ State(gpa uint64) string }); ok {
		return g.State(h.target.Start)
	}
	return ""
}

func (h *Cheat) step(c *x86.CPU, what string, err error) {
	s := record.AttackStep{
		Stamp: record.Stamp{VirtualNS: c.Now(), Instructions: c.Instructions()},
		What:  what, GPA: record.Address(h.target.Start), Bytes: h.target.Len(), State: h.was,
	}
	if err != nil {
		s.Refused = err.Error()
	}
	h.steps = append(h.steps, s)
}
