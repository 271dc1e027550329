package vm

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/host"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx"
	"github.com/tacit-vm/tacit/x86"
)

// A platform is what the machine knows of its x86.Platform beyond what the processor knows.
type platform struct {
	x86.Platform
	unaccepted func() uint64                          // bytes of private memory that nobody has accepted
	accept     func(c *x86.CPU, r accept.Range) error // firmware's way; nil where nothing is to be accepted
	state      func(gpa uint64) string                // names the state of a page
}

// platforms knows how to make each platform.
var platforms = map[string]struct {
	cost         func() cost.Model
	make         func(m *Machine) (*platform, error)
	upstreamAsks bool // OVMF has the memory acceptance protocol here (OvmfPkg/AmdSevDxe)
}{
	None: {cost: cost.Plain, make: makePlain},
	TDX:  {cost: cost.TDX, make: makeTDX},
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

func makePlain(m *Machine) (*platform, error) {
	return &platform{
		Platform: &x86.Plain{Memory: m.memory, Bus: m.board, RAM: func(gpa uint64) bool {
			for _, r := range m.ram {
				if gpa >= r.Start && gpa < r.End {
					return true
				}
			}
			return false
		}},
		unaccepted: func() uint64 { return 0 },
		state:      func(uint64) string { return "memory" },
	}, nil
}

func makeTDX(m *Machine) (*platform, error) {
	size := record.Size2M
	if m.cfg.HostPage == 4<<10 {
		size = record.Size4K
	}
	h, err := host.New(host.Config{RAM: m.ram, PageSize: size, Bus: m.board, Cost: m.cfg.Cost})
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	module, err := tdx.New(tdx.Config{
		Memory: m.memory, RAM: m.ram, CPUs: 1, Host: h,
		Attributes: tdx.AttrSEPTVEDisable, Features: x86.Features,
		Cost: m.cfg.Cost, Log: m.log, Forget: m.forget,
	})
	if err != nil {
		return nil, err
	}
	h.Serve(module)
	return &platform{Platform: module, unaccepted: module.Unaccepted, accept: module.AcceptRange, state: module.State}, nil
}
