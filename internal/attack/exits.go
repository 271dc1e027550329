package attack

import (
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
)

// A server is what hosts of all platforms answer.
type server interface {
	Serve(g host.Guest)
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

// A TD is a host of a TD that cheats.
type TD struct {
	*Host
	answers tdServer
}

type tdServer interface {
	server
	Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool)
	Halt(c *x86.CPU, blocked bool)
}

// OfTD makes a cheat of an honest host.
func OfTD(honest *host.Host, m host.Memory, a Attack) *TD {
	h := &TD{newHost(honest, m, a), honest}
	h.convertHonestly = honest.Convert
	if kind, ok := onMemory(a.Kind); ok {
		h.become = func() {
			cheat := host.CheatTD(honest, m, host.Attack{Kind: kind, N: a.N})
			h.answers, h.honest, h.cheat = cheat, cheat, cheat.Cheat
			cheat.Serve(h.guest)
		}
	}
	return h
}

// Convert answers MapGPA.
func (h *TD) Convert(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok bool) {
	h.exits(c)
	if next, ok, answered := h.converts(c, start, end, to); answered {
		return next, ok
	}
	return h.answers.Convert(c, start, end, to)
}

// Halt is answered honestly.
func (h *TD) Halt(c *x86.CPU, blocked bool) {
	h.goesOn(c)
	h.answers.Halt(c, blocked)
}

// Heard tells what a call leaves in registers that the host does not need.
func (h *TD) Heard(c *x86.CPU, call tdxabi.VMCall, spare *[16]uint64) {
	if h.begun && h.tactic.heard != nil {
		h.tactic.heard(h.Host, c, call, spare)
	}
}

// An SNP is a host of an SEV-SNP guest that cheats.
type SNP struct {
	*Host
	answers snpServer
}

type snpServer interface {
	server
	ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool)
}

// OfSNP makes a cheat of an honest host.
func OfSNP(honest *host.SNP, m host.Memory, a Attack) *SNP {
	h := &SNP{newHost(honest, m, a), honest}
	h.convertHonestly = func(c *x86.CPU, start, end uint64, to physical.Plane) (uint64, bool) {
		return honest.ChangePageState(c, start, end, physical.Size4K, to)
	}
	if kind, ok := onMemory(a.Kind); ok {
		h.become = func() {
			cheat := host.CheatSNP(honest, m, host.Attack{Kind: kind, N: a.N})
			h.answers, h.honest, h.cheat = cheat, cheat, cheat.Cheat
			cheat.Serve(h.guest)
		}
	}
	return h
}

// ChangePageState answers a page state change.
func (h *SNP) ChangePageState(c *x86.CPU, start, end uint64, size physical.PageSize, to physical.Plane) (next uint64, ok bool) {
	h.exits(c)
	if next, ok, answered := h.converts(c, start, end, to); answered {
		return next, ok
	}
	return h.answers.ChangePageState(c, start, end, size, to)
}

// ReplyGHCB leaves in the GHCB what the attack wants.
func (h *SNP) ReplyGHCB(c *x86.CPU, code abi.ExitCode, info1 uint64, page *[abi.GHCBSize]byte) {
	h.matters = answers(code, info1)
	if h.begun && h.tactic.ghcb != nil {
		h.tactic.ghcb(h.Host, c, code, page)
	}
	if h.begun && h.tactic.message != nil && (code == abi.EventGuestRequest || code == abi.EventExtendedRequest) {
		h.tactic.message(h.Host, c, info1, page)
	}
}

// answers says whether the guest gets anything by a request that it has to believe or not: a byte that it writes to a port
// is lost or is not, and it cannot tell.
func answers(code abi.ExitCode, info1 uint64) bool {
	switch code {
	case abi.ExitIOIO:
		return info1&abi.IOIn != 0
	case abi.ExitMSR:
		return info1 == abi.MSRRead
	case abi.ExitCPUID, abi.EventMMIORead, abi.EventPSC:
		return true
	}
	return false
}

// ReplyMSR leaves in the GHCB MSR what the attack wants.
func (h *SNP) ReplyMSR(c *x86.CPU, request, response uint64) uint64 {
	if h.begun && h.tactic.ghcbMSR != nil {
		return h.tactic.ghcbMSR(h.Host, c, request, response)
	}
	return response
}

func (h *Host) converts(c *x86.CPU, start, end uint64, to physical.Plane) (next uint64, ok, answered bool) {
	if h.begun && h.tactic.convert != nil {
		return h.tactic.convert(h, c, start, end, to)
	}
	return 0, false, false
}

// Fault answers an access to a page that is not there.
func (h *Host) Fault(c *x86.CPU, gpa uint64, p physical.Plane, size physical.PageSize) error {
	if gpa&^(mem.PageSize-1) != h.target {
		h.exits(c)
	}
	if h.begun && h.tactic.fault != nil {
		if err := h.tactic.fault(h, c, gpa, p); err != nil {
			return err
		}
	}
	return h.honest.Fault(c, gpa, p, size)
}

// In answers port I/O.
func (h *Host) In(c *x86.CPU, port uint16, size int) uint32 {
	h.exits(c)
	v := h.honest.In(c, port, size)
	if h.begun && h.tactic.in != nil {
		v = uint32(h.tactic.in(h, c, uint64(port), size, uint64(v)))
	}
	return v
}

// Load answers memory-mapped I/O.
func (h *Host) Load(c *x86.CPU, gpa uint64, size int) uint64 {
	h.exits(c)
	v := h.honest.Load(c, gpa, size)
	if h.begun && h.tactic.load != nil {
		v = h.tactic.load(h, c, gpa, size, v)
	}
	return v
}

// ReadMSR answers RDMSR.
func (h *Host) ReadMSR(c *x86.CPU, index uint32) (uint64, bool) {
	h.exits(c)
	v, ok := h.honest.ReadMSR(c, index)
	if h.begun && h.tactic.msr != nil {
		v, ok = h.tactic.msr(h, c, index, v, ok)
	}
	return v, ok
}

// CPUID answers CPUID.
func (h *Host) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 {
	h.exits(c)
	v := h.honest.CPUID(c, leaf, subleaf)
	if h.begun && h.tactic.cpuid != nil {
		v = h.tactic.cpuid(h, c, leaf, subleaf, v)
	}
	return v
}

// WriteMSR is answered honestly, but for where the guest wants KVM's clock to be.
func (h *Host) WriteMSR(c *x86.CPU, index uint32, value uint64) bool {
	h.exits(c)
	if h.sends(c, index, value) {
		return true
	}
	ok := h.honest.WriteMSR(c, index, value)
	if h.begun && h.tactic.clock != nil && index == msrKVMClock && value&1 != 0 {
		h.tactic.clock(h, c, value&^1)
	}
	return ok
}

// Out is answered honestly, as the rest is.
func (h *Host) Out(c *x86.CPU, port uint16, size int, value uint32) {
	h.goesOn(c)
	h.honest.Out(c, port, size, value)
}

// Store is.
func (h *Host) Store(c *x86.CPU, gpa uint64, size int, value uint64) {
	h.exits(c)
	h.honest.Store(c, gpa, size, value)
}

// Hypercall is.
func (h *Host) Hypercall(c *x86.CPU, number uint64, args [4]uint64) uint64 {
	h.exits(c)
	return h.honest.Hypercall(c, number, args)
}

// GiveUp is.
func (h *Host) GiveUp(c *x86.CPU, why error) { h.honest.GiveUp(c, why) }
