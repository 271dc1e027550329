package certify

import (
	"errors"
	"fmt"
	"time"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// An Answer is what is known about a property.
type Answer string

// Answers.
const (
	Yes     Answer = "yes"
	No      Answer = "no"
	Unknown Answer = "unknown"
)

// Claims are what is said of an image without running it.
type Claims struct {
	Negotiates Answer                   // it calls the memory acceptance protocol
	On         map[string]PlatformClaim // by platform, as package vm names them
}

// A PlatformClaim is what is said of an image on one platform.
type PlatformClaim struct {
	Guest   Answer // it can run as a guest there
	Accepts Answer // it accepts memory that firmware hands over unaccepted
}

// A Subject is an image to certify.
type Subject struct {
	Image  *image.Image
	Claims *Claims // nil where nothing is claimed
}

// A Config says what is to be booted.
type Config struct {
	Subjects  []Subject
	Platforms []string // empty means every confidential platform
	Policies  []string // empty means all of vm.FirmwarePolicies
	Memory    []uint64 // bytes; empty means DefaultMemory

	Append          string        // to the kernels' command lines
	Workers         int           // boots at a time; 0 means one a processor of the host
	MaxInstructions uint64        // a boot; 0 means DefaultMaxInstructions
	MaxVirtual      time.Duration // a boot, as vm.Config has it
	MaxWall         time.Duration // a boot; 0 means no limit
	MaxHostMemory   uint64        // of all boots at a time, in bytes; 0 means [vm.DefaultMaxHostMemory]

	// Progress hears of every boot that has ended, from one goroutine at a time; may be nil.
	Progress func(done, all int, b *Boot)
}

// DefaultMemory is how much the guests get where nobody says: more than the 2 GiB that lie below the PCI hole, so that
// there is memory above 4 GiB to lose.
var DefaultMemory = []uint64{4 << 30}

// DefaultMaxInstructions ends a boot that goes nowhere: four times what a distribution kernel needs.
const DefaultMaxInstructions = 10_000_000_000

// A Boot is one run.
type Boot struct {
	Image    string         `json:"image"`
	Platform string         `json:"platform"`
	Policy   string         `json:"firmware_policy"`
	Memory   uint64         `json:"memory_bytes"`
	Record   *record.Record `json:"record"`
	Error    string         `json:"error,omitempty"` // what kept the machine from running

	subject int
	cfg     vm.Config
}

// Proves says whether the boot tells anything of the image: it ran to an end that was the guest's own, not one of the
// caller's or for want of something in the machine.
func (b *Boot) Proves() bool {
	if b.Record == nil {
		return false
	}
	switch b.Record.Outcome {
	case record.Cancelled, record.Limit, record.Unsupported:
		return false
	}
	return true
}

// Reached says whether the guest's init ran and reported.
func (b *Boot) Reached() bool {
	return b.Record != nil && b.Record.Acceptance.UnacceptedAtInit != nil && b.Record.Guest.MemInfo != nil
}

// Sees returns the memory that the guest counts as its own, in bytes: what a kernel of Linux's kind keeps for itself
// from the start is not in it.
func (b *Boot) Sees() uint64 {
	if !b.Reached() {
		return 0
	}
	return b.Record.Guest.MemInfo.MemTotal
}

// overhead is what Linux takes of its memory before it counts the rest: 1/64 for struct page; for SWIOTLB, which a
// confidential guest cannot do without, 6 %, at least 64 MiB and at most 1 GiB (arch/x86/mm/mem_encrypt.c); and for its
// image, initrd and firmware.
func overhead(memory uint64) uint64 {
	swiotlb := min(max(memory/100*6, 64<<20), 1<<30)
	return memory/64 + swiotlb + 192<<20
}

// Loses says whether the guest came up with less memory than it was given.
func (b *Boot) Loses() bool { return b.Reached() && b.Sees()+overhead(b.Memory) < b.Memory }

// plan makes the boots, in the order in which tables show them.
func (c *Config) plan() ([]*Boot, error) {
	if len(c.Subjects) == 0 {
		return nil, errors.New("no image to certify")
	}
	platforms, policies, memory := c.Platforms, c.Policies, c.Memory
	if len(platforms) == 0 {
		platforms = vm.ConfidentialPlatforms()
	}
	if len(policies) == 0 {
		policies = vm.FirmwarePolicies
	}
	if len(memory) == 0 {
		memory = DefaultMemory
	}
	limit := c.MaxInstructions
	if limit == 0 {
		limit = DefaultMaxInstructions
	}
	var boots []*Boot
	for i, s := range c.Subjects {
		if err := s.Image.Bootable(); err != nil {
			return nil, fmt.Errorf("%s: %w", s.Image.Source, err)
		}
		for _, platform := range platforms {
			for _, policy := range policies {
				for _, m := range memory {
					boots = append(boots, &Boot{
						Image: s.Image.Name, Platform: platform, Policy: policy, Memory: m, subject: i,
						cfg: vm.Config{
							Platform: platform, FirmwarePolicy: policy, Memory: m, Image: s.Image,
							Append: c.Append, MaxInstructions: limit, MaxVirtual: c.MaxVirtual, MaxWall: c.MaxWall,
						},
					})
				}
			}
		}
	}
	return boots, nil
}
