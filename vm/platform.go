package vm

import (
	"cmp"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/rom"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/record"
)

// A platform is what the machine knows of its x86.Platform beyond what the processor knows.
type platform struct {
	x86.Platform
	unaccepted func() uint64                                             // bytes of private memory that has not been accepted
	memory     func() (private, accepted, shared uint64)                 // bytes; nil where no memory is private
	launch     func(c *x86.CPU, image *rom.Image) error                  // has the guest find firmware of its own in its memory, and what that wants; nil where it is ROM
	accept     func(c *x86.CPU, r accept.Range) error                    // firmware's way; nil where nothing is to be accepted
	convert    func(c *x86.CPU, r accept.Range, to physical.Plane) error // firmware's way; nil where devices reach all memory
	state      func(gpa uint64) string                                   // names the state of a page
	states     grower                                                    // what knows the states of all pages; nil where they have none

	privateBit uint64                                                                    // in page-table entries that firmware makes
	share      func(c *x86.CPU, gpa uint64) error                                        // leaves images a page for talking to the host; nil where they need none
	sharedBit  uint64                                                                    // the same, of devices' registers
	tables     []firmware.PlatformTable                                                  // that firmware publishes for the platform
	exception  func(c *x86.CPU, vector uint8, code, rip uint64) (length uint64, ok bool) // firmware's handler, where the platform needs one
	cheat      *attack.Host                                                              // the host, where it cheats; nil where it is honest
	parts      []part                                                                    // whose state is saved
	busLocks   bool                                                                      // processors can tell software of bus locks
	efer       uint64                                                                    // bits of EFER beyond those that every processor has

	how         string                         // how memory is accepted here, in a clause that says what a guest has to do
	unvalidated func() *confidential.Violation // a page that the guest touched too early, got an exception for, and did not survive; nil where that ends the run
	idleVMSAs   func() uint64                  // pages that a host could run processors from; nil where there is no such thing
	stranger    func(r *record.Record) string  // what a system that has taken over lacks, where it does not know on what it runs
}

// platforms knows how to make each platform.
var platforms = map[string]struct {
	cost         func() cost.Model
	make         func(m *Machine) (*platform, error)
	upstreamAsks bool // OVMF has the memory acceptance protocol here (OvmfPkg/AmdSevDxe)
}{
	None: {cost: cost.Plain, make: makePlain},
	TDX:  {cost: cost.TDX, make: makeTDX},
	SNP:  {cost: cost.SNP, make: makeSNP, upstreamAsks: true},
}

// ConfidentialPlatforms returns the names of the platforms on which memory has to be accepted, sorted.
func ConfidentialPlatforms() []string {
	var names []string
	for n := range platforms {
		if n != None {
			names = append(names, n)
		}
	}
	slices.Sort(names)
	return names
}

// PlatformNames returns the names of all platforms, sorted.
func PlatformNames() []string {
	names := append(ConfidentialPlatforms(), None)
	slices.Sort(names)
	return names
}

// guestRAM is where a confidential guest can have private memory: RAM, and where firmware of its own lies.
func (m *Machine) guestRAM() []accept.Range {
	if !m.cfg.isStock() {
		return m.ram
	}
	all := append(slices.Clone(m.ram), accept.Range{Start: physical.HighStart - uint64(len(m.cfg.Firmware.Data)), End: physical.HighStart})
	slices.SortFunc(all, func(a, b accept.Range) int { return cmp.Compare(a.Start, b.Start) })
	return all
}

// hostConfig is what the hosts of all platforms are made with.
func (m *Machine) hostConfig() host.Config {
	size := physical.Size2M
	if m.cfg.HostPage == 4<<10 {
		size = physical.Size4K
	}
	return host.Config{RAM: m.guestRAM(), PageSize: size, Bus: bus{m}, Topology: m.cfg.Topology}
}
