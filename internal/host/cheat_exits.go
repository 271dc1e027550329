package host

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A server is what honest hosts of all platforms answer.
type server interface {
	Serve(g Guest)
	Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error
	In(c *x86.CPU, port uint16, size int) uint32
	Out(c *x86.CPU, port uint16, size int, value uint32)
	Load(c *x86.CPU, gpa uint64, size int) uint64
	Store(c *x86.CPU, gpa uint64, size int, value uint64)
	ReadMSR(c *x86.CPU, index uint32) (uint64, bool)
	WriteMSR(c *x86.CPU, index uint32, value uint64) bool
	CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32
	Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64
	GiveUp(c *x86.CPU, why error)
}

// A CheatingTD is a host of a TD that attacks it.
type CheatingTD struct {
	*Cheat
	honest *Host
}

// CheatTD makes a cheat of an honest host.
func CheatTD(honest *Host, m Memory, a Attack) *CheatingTD {
	return &CheatingTD{&Cheat{honest: honest, memory: m, attack: a}, honest}
}

// Convert lies, or is honest.
func (h *CheatingTD) Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool) {
	h.act(c)
	if next, lied := h.lies(c, start, end, to); lied {
		return next, true
	}
	return h.honest.Convert(c, start, end, to)
}

// Halt is an exit as any other.
func (h *CheatingTD) Halt(c *x86.CPU, blocked bool) {
	h.act(c)
	h.honest.Halt(c, blocked)
}

// A CheatingSNP is a host of an SEV-SNP guest that attacks it.
type CheatingSNP struct {
	*Cheat
	honest *SNP
}

// CheatSNP makes a cheat of an honest host.
func CheatSNP(honest *SNP, m Memory, a Attack) *CheatingSNP {
	return &CheatingSNP{&Cheat{honest: honest, memory: m, attack: a}, honest}
}

// ChangePageState lies, or is honest.
func (h *CheatingSNP) ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool) {
	h.act(c)
	if next, lied := h.lies(c, start, end, to); lied {
		return next, true
	}
	return h.honest.ChangePageState(c, start, end, size, to)
}

// lies says whether this request is the one to lie about, and how far the lie reaches; it is noted then. There has to
// be something that an honest host would do: memory that is not shared is made private by doing nothing.
func (h *Cheat) lies(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, lied bool) {
	if h.attack.Kind != Lie || to == physical.Private && !h.guest.Shared(start, end) || !h.due(c) {
		return 0, false
	}
	end = min(end, start+maxConvert)
	h.lied(c, start, end, to)
	return end, true
}

// Fault answers honestly. Where it is the page under attack that is asked for, the guest is not done with accepting it.
func (h *Cheat) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	if !(accept.Range{Start: gpa, End: gpa + mem.PageSize}).In(h.target) {
		h.act(c)
	}
	return h.honest.Fault(c, gpa, p, size)
}

// In, Out and the rest are occasions to act, and answered honestly.
func (h *Cheat) In(c *x86.CPU, port uint16, size int) uint32 {
	h.act(c)
	return h.honest.In(c, port, size)
}

func (h *Cheat) Out(c *x86.CPU, port uint16, size int, value uint32) {
	h.act(c)
	h.honest.Out(c, port, size, value)
}

func (h *Cheat) Load(c *x86.CPU, gpa uint64, size int) uint64 {
	h.act(c)
	return h.honest.Load(c, gpa, size)
}

func (h *Cheat) Store(c *x86.CPU, gpa uint64, size int, value uint64) {
	h.act(c)
	h.honest.Store(c, gpa, size, value)
}

func (h *Cheat) ReadMSR(c *x86.CPU, index uint32) (uint64, bool) {
	h.act(c)
	return h.honest.ReadMSR(c, index)
}

func (h *Cheat) WriteMSR(c *x86.CPU, index uint32, value uint64) bool {
	h.act(c)
	return h.honest.WriteMSR(c, index, value)
}

func (h *Cheat) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 {
	h.act(c)
	return h.honest.CPUID(c, leaf, subleaf)
}

func (h *Cheat) Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64 {
	h.act(c)
	return h.honest.Hypercall(c, number, args)
}

// GiveUp comes too late for an attack.
func (h *Cheat) GiveUp(c *x86.CPU, why error) { h.honest.GiveUp(c, why) }
