// Package host is the VMM's part of a machine, one for all platforms: it adds private pages to a guest and takes them
// away, converts memory between private and shared, and answers what the guest exits for from the machine's devices.
// It models KVM and QEMU; comments name what it follows.
//
// It is policy and nothing that a guest can rely on. The rules are the platform's, which declares what it needs of a
// host (tdx.Host) and offers what a host can do to the guest's memory ([Guest]). [Host] is the honest one. One that
// cheats is another type: it holds a *Host, answers some of the exits differently, and works on the same Guest.
package host

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// A Guest is what a host can do to a guest's memory; the platform implements it and keeps its rules. Addresses have
// no shared bit or C-bit and are multiples of the page size. The processor is the one whose exit the host is in.
type Guest interface {
	// AddPage adds a private page, which the guest has yet to accept.
	AddPage(c *x86.CPU, gpa uint64, size physical.PageSize) error
	// RemovePages takes the private pages in [start, end) away with their contents, where there are any.
	RemovePages(c *x86.CPU, start, end uint64) error
	// SplitPage turns the 2 MiB private page at gpa into 512 small ones.
	SplitPage(c *x86.CPU, gpa uint64) error
	// Share lets the guest reach [start, end) as shared memory; Unshare ends it, and the contents.
	Share(c *x86.CPU, start, end uint64) error
	Unshare(c *x86.CPU, start, end uint64) error
	// Shared says whether any of [start, end) is shared.
	Shared(start, end uint64) bool
}

// Config is a host's policy and what it serves a guest with.
type Config struct {
	RAM      []accept.Range    // the guest's memory: ascending, disjoint, whole pages
	PageSize physical.PageSize // of the private pages that it adds: Size4K, or Size2M where the whole 2 MiB are RAM and private
	Bus      x86.Bus
	Topology x86.Topology // of the guest's processors; the zero Topology is x86.Flat of one
}

// Host is an honest host.
type Host struct {
	cfg   Config
	guest Guest
	msrs  map[msrKey]uint64
}

// New returns a host that has yet to be given its guest, with [Host.Serve].
func New(cfg Config) (*Host, error) {
	if cfg.PageSize != physical.Size4K && cfg.PageSize != physical.Size2M {
		return nil, fmt.Errorf("host: pages of %v: want 4K or 2M", cfg.PageSize)
	}
	if cfg.Bus == nil {
		return nil, fmt.Errorf("host: no bus")
	}
	if cfg.Topology == (x86.Topology{}) {
		cfg.Topology = x86.Flat(1)
	}
	return &Host{cfg: cfg, msrs: make(map[msrKey]uint64)}, nil
}

// Serve makes g the host's guest.
func (h *Host) Serve(g Guest) { h.guest = g }

// isRAM says whether all of [start, end) is memory.
func (h *Host) isRAM(start, end uint64) bool { return accept.Contains(h.cfg.RAM, start, end-start) }
