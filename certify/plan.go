package certify

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"time"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/inspect"
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

	// Kernels are those of a disk, of which the boots show the one that is started. Of a disk nothing else is claimed.
	Kernels []KernelClaims
}

// A PlatformClaim is what is said of an image on one platform.
type PlatformClaim struct {
	Guest   Answer // it can run as a guest there
	Accepts Answer // it accepts memory that firmware hands over unaccepted
}

// A Config says what is to be booted.
type Config struct {
	Subjects  []Subject
	Platforms []string // empty means every confidential platform
	Policies  []string // empty means all of vm.FirmwarePolicies
	Memory    []uint64 // bytes; empty means DefaultMemory

	Require []inspect.Requirement // what the images have to show; they are those of package inspect

	Costs []cost.Model // of platforms that are not to be charged by tacit's own; each of another platform

	Append          string        // to the kernels' command lines
	Workers         int           // boots at a time; 0 means one a processor of the host
	Engine          string        // as vm.Config has it
	MaxInstructions uint64        // a boot; 0 means DefaultMaxInstructions, or DefaultMaxDiskInstructions
	MaxVirtual      time.Duration // a boot, as vm.Config has it
	MaxWall         time.Duration // a boot; 0 means no limit
	MaxHostMemory   uint64        // of all boots at a time, in bytes; 0 means [vm.DefaultMaxHostMemory]

	Runner Runner // comes by the records; nil means [Here]

	// Progress hears of every boot that has ended, from one goroutine at a time; may be nil.
	Progress func(done, all int, b *Boot)

	// Watch hears how far a boot is, many times a second, for several boots at the same time; may be nil.
	Watch func(b *Boot, reached record.Phase, p record.Progress)
}

// DefaultMemory is how much the guests get by default: more than the 2 GiB that lie below the PCI hole, so that
// there is memory above 4 GiB to lose.
var DefaultMemory = []uint64{4 << 30}

// DefaultMaxInstructions ends a boot that goes nowhere: four times what a distribution kernel needs.
const DefaultMaxInstructions = 10_000_000_000

// DefaultMaxDiskInstructions does the same to a disk, which has all of a distribution to start, and not its kernel alone.
const DefaultMaxDiskInstructions = 10 * DefaultMaxInstructions

// A Boot is one run.
type Boot struct {
	Image    string         `json:"image"`
	Platform string         `json:"platform"`
	Policy   string         `json:"firmware_policy"`
	Memory   uint64         `json:"memory_bytes"`
	Record   *record.Record `json:"record"`
	Error    string         `json:"error,omitempty"` // what kept the machine from running

	// Required says for each requirement that the boot has to do with whether the boot shows it.
	Required map[string]Answer `json:"required"`

	subject int
	cfg     vm.Config
}

// Proves says whether the boot tells anything of the image: it got to its init, or ran to an end that was the guest's own,
// not one of the caller's or for want of something in the machine.
func (b *Boot) Proves() bool {
	if b.Record == nil {
		return false
	}
	switch b.Record.Outcome {
	case record.Cancelled, record.NoReport:
		return false
	case record.Limit, record.Unsupported:
		return b.Reached()
	case record.GuestPanic:
		return b.Reached() || !b.wantsRoot()
	}
	return true
}

// Reports says whether the guest's init has reported: that is tacit's, which a bzImage gets. A unified kernel image has an
// init of its own, which knows nothing of that.
func (b *Boot) Reports() bool { return b.Record != nil && b.memInfo() != nil }

// ownInit says whether the image was left to start its own init.
func (b *Boot) ownInit() bool { return b.Record.Config.InitrdSHA256 == "" }

// wants are the words of a panic of a kernel that has got all the way to its init, and has none: its root file system is on
// a disk (Linux init/do_mounts.c, init/main.c).
var wants = regexp.MustCompile(`Unable to mount root fs|No working init found|Requested init .* failed`)

func (b *Boot) wantsRoot() bool {
	d := b.Record.Diagnosis
	return b.ownInit() && d != nil && wants.MatchString(d.Summary)
}

// Reached says whether the guest got to its init: that reported, or a program ran and the guest did not die of what a
// confidential guest dies of. An init of the image's own may have given up for whatever reason, such as a missing disk. A
// disk's, which misses nothing, has to get on: to where one can log in or systemd has started everything, or to an end of
// its own.
func (b *Boot) Reached() bool {
	if b.Record == nil || b.Record.Acceptance.UnacceptedAtInit == nil {
		return false
	}
	if b.Reports() || b.Record.Guest.Up != nil {
		return true
	}
	switch b.Record.Outcome {
	case record.Violation, record.TripleFault:
		return false
	case record.PowerOff, record.Reset:
		return true
	case record.GuestPanic:
		return b.ownInit() && !b.ofDisk()
	}
	return !b.ofDisk()
}

// ofDisk says whether a disk was booted, by its own loader.
func (b *Boot) ofDisk() bool { return len(b.Record.Disks) > 0 }

// memInfo is what the guest said first of its memory; nil where it said nothing. Tacit's init for Linux says it once,
// its own guest at every step.
func (b *Boot) memInfo() *record.MemInfo {
	g := &b.Record.Guest
	if g.MemInfo != nil {
		return g.MemInfo
	}
	for _, s := range g.Steps {
		if s.MemInfo != nil {
			return s.MemInfo
		}
	}
	return nil
}

// Sees returns the memory that the guest counts as its own, in bytes: what a kernel of Linux's kind keeps for itself
// from the start is not in it. It is 0 where the guest does not say.
func (b *Boot) Sees() uint64 {
	if !b.Reports() {
		return 0
	}
	return b.memInfo().MemTotal
}

// told is the memory that a kernel of Linux's kind was told of when it was entered, in bytes; 0 where none was.
func (b *Boot) told() uint64 {
	if k := b.Record.Path.Kernel; k != nil {
		return k.Usable
	}
	return 0
}

// overhead is what Linux takes of its memory before it counts the rest: 1/64 for struct page; for SWIOTLB, which a
// confidential guest cannot do without, 6 %, at least 64 MiB and at most 1 GiB (arch/x86/mm/mem_encrypt.c); and for its
// image, initrd and firmware.
func overhead(memory uint64) uint64 {
	swiotlb := min(max(memory/100*6, 64<<20), 1<<30)
	return memory/64 + swiotlb + 192<<20
}

// used is how much of the memory that firmware handed over unaccepted the guest has made its own, by the machine's books.
// Memory that it has converted there and back counts nothing.
func (b *Boot) used() uint64 {
	left := b.Record.Acceptance.UnacceptedAtEnd
	if handed := handedOver(b.Record); left != nil && *left < handed {
		return handed - *left
	}
	return 0
}

// Accepts says whether the guest made memory its own that firmware had handed over unaccepted.
func (b *Boot) Accepts() bool {
	by := &b.Record.Acceptance.By
	return b.Reached() && by.Kernel.Bytes+by.Stub.Bytes > 0 && b.used() > 0
}

// Loses says whether the guest came up with less memory than it was given: as it says itself; or, where it does not say,
// as a loader or firmware has told its kernel; or else, and where it was told to use less, if it has accepted nothing of
// what was left to it.
func (b *Boot) Loses() bool {
	if !b.Reached() {
		return false
	}
	sees := b.Sees()
	if told := b.told(); !b.Reports() && told > 0 {
		sees = told
	} else if !b.Reports() || b.Record.ToldToUseLess() {
		if b.Accepts() {
			return false
		}
		sees = b.Memory - min(handedOver(b.Record), b.Memory)
	}
	return sees+overhead(b.Memory) < b.Memory
}

// accepts says whether a guest that came up, and had memory to accept, accepted of it and lost none. One that lost none
// and needed none shows neither.
func (b *Boot) accepts() Answer {
	switch {
	case b.Loses():
		return No
	case b.Accepts():
		return Yes
	}
	return Unknown
}

// title tells a boot of an image from the others of it.
func (b *Boot) title() string {
	return fmt.Sprintf("%s/%s/%s", b.Platform, b.Policy, record.FormatBytes(b.Memory))
}

// axes are what is to be combined with each subject.
func (c *Config) axes() (platforms, policies []string, memory []uint64) {
	platforms, policies, memory = c.Platforms, c.Policies, c.Memory
	if len(platforms) == 0 {
		platforms = vm.ConfidentialPlatforms()
	}
	if len(policies) == 0 {
		policies = vm.FirmwarePolicies
	}
	if len(memory) == 0 {
		memory = DefaultMemory
	}
	return platforms, policies, memory
}

// costOf is the cost model for a platform; the zero Model is the machine's own.
func (c *Config) costOf(platform string) cost.Model {
	for _, m := range c.Costs {
		if m.Platform() == platform {
			return m
		}
	}
	return cost.Model{}
}

// plan makes the boots, in the order in which tables show them. It notes which subjects cannot be booted.
func (c *Config) plan() ([]*Boot, error) {
	if len(c.Subjects) == 0 {
		return nil, errors.New("no image to certify")
	}
	if err := c.Check(); err != nil {
		return nil, err
	}
	platforms, policies, memory := c.axes()
	var boots []*Boot
	for i := range c.Subjects {
		s := &c.Subjects[i]
		if s.Err == nil && s.Image != nil {
			s.Err = s.Image.Bootable()
		}
		if s.Err != nil {
			continue
		}
		limit := cmp.Or(c.MaxInstructions, s.MaxInstructions())
		s.Disk.Expect(len(platforms) * len(policies) * len(memory))
		for _, platform := range platforms {
			for _, policy := range policies {
				for _, m := range memory {
					boots = append(boots, &Boot{
						Image: s.name(), Platform: platform, Policy: policy, Memory: m, subject: i,
						cfg: vm.Config{
							Platform: platform, Cost: c.costOf(platform), FirmwarePolicy: policy, Memory: m,
							Append: c.Append, Engine: c.Engine, MaxInstructions: limit, MaxVirtual: c.MaxVirtual, MaxWall: c.MaxWall,
						},
					})
				}
			}
		}
	}
	return boots, nil
}
