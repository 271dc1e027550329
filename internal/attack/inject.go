package attack

import (
	"errors"
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/snp/abi"
)

// An injector is a guest that a host can have take events (package snp, package tdx: what the architecture lets it).
type injector interface {
	Interrupt(c *x86.CPU, vector uint8) error
	Exception(c *x86.CPU, e x86.Exception) error
}

// vectors of interrupts that Heckler injects (Schlüter et al., USENIX Security 2024).
const (
	vectorDE    = 0
	vectorNMI   = 2
	vectorPF    = 14
	vectorInt80 = 0x80
)

// interrupts injects an interrupt of a vector; what it is for goes into the account.
func interrupts(vector uint8, as string) func(h *Host, c *x86.CPU) {
	return func(h *Host, c *x86.CPU) {
		h.step(c, fmt.Sprintf("injected an interrupt of vector %d%s at %#x", vector, as, c.RIP()), h.inject(func(g injector) error {
			return g.Interrupt(c, vector)
		}))
	}
}

// spurious injects an interrupt that no device has, of a vector from the seed.
func spurious(h *Host, c *x86.CPU) {
	const first, last = 0x22, 0xEB // where Linux has devices, between the legacy ones and its own
	vector := uint8(first + h.value()%(last-first+1))
	if vector == vectorInt80 {
		vector++
	}
	interrupts(vector, ", which no device has")(h, c)
}

// pretends injects #VC, as if the instruction that comes next had caused an exit.
func pretends(code abi.ExitCode) func(h *Host, c *x86.CPU) {
	return func(h *Host, c *x86.CPU) {
		e := x86.Exception{Vector: x86.VectorVC, Code: uint32(code), HasCode: true}
		h.step(c, fmt.Sprintf("injected #VC for %v at %#x", code, c.RIP()), h.inject(func(g injector) error { return g.Exception(c, e) }))
	}
}

func (h *Host) inject(how func(g injector) error) error {
	g, ok := h.guest.(injector)
	if !ok {
		return errors.New("this guest takes no events from its host")
	}
	return how(g)
}

// answersVC looks whether the guest asks for what a #VC of the host's pretended, by one of the codes that stand for it, before
// anything else. It gets an answer of the host's choosing.
func answersVC(codes ...abi.ExitCode) func(*Host, *x86.CPU, abi.ExitCode, *[abi.GHCBSize]byte) {
	return func(h *Host, c *x86.CPU, asked abi.ExitCode, page *[abi.GHCBSize]byte) {
		if !h.acted || h.counter != 0 {
			return
		}
		if h.counter = 1; !slices.Contains(codes, asked) {
			return
		}
		for i := range 8 {
			page[abi.GHCBRAX+i] = Mark
		}
		h.deceived("the guest believed a #VC of its host's: it asked for %v, which no instruction of its own wanted", asked)
	}
}

// nests injects #VC for VMMCALL as the host answers an exit, into the handler that asked for it, and looks whether the guest asks for
// that next.
func nests(h *Host, c *x86.CPU, asked abi.ExitCode, _ *[abi.GHCBSize]byte) {
	switch {
	case h.stage == added:
		if h.stage = over; asked == abi.ExitVMMCALL {
			h.deceived("the guest believed a #VC of its host's within the handler of another: it asked for %v, which no instruction of its own wanted", asked)
		}
	case h.stage == 0 && h.once():
		h.stage = added
		pretends(abi.ExitVMMCALL)(h, c)
	}
}

// resumed compares what the guest was at when the host acted with what it comes back to.
func resumed(h *Host, c *x86.CPU) {
	if !h.acted || h.last != 0 || len(h.steps) == 0 || h.steps[0].Refused != "" {
		return
	}
	h.last = 1
	if rip := c.RIP(); rip != h.was[16] {
		h.deceived("what was interrupted at %#x went on at %#x", h.was[16], rip)
		return
	}
	for i, was := range h.was[:16] {
		if is := c.R[i]; is != was {
			h.deceived("what was interrupted at %#x went on with %s changed from %#x to %#x", h.was[16], x86.RegisterName(i), was, is)
			return
		}
	}
}
