package vm

import (
	"fmt"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
	"github.com/tacit-vm/tacit/uefi"
)

// A platform is what the machine knows of its x86.Platform beyond what the processor knows.
type platform struct {
	x86.Platform
	unaccepted func() uint64                          // bytes of private memory that nobody has accepted
	accept     func(c *x86.CPU, r accept.Range) error // firmware's way; nil where nothing is to be accepted
	state      func(gpa uint64) string                // names the state of a page

	privateBit uint64                                                               // in page-table entries that firmware makes
	tables     []firmware.PlatformTable                                             // that firmware publishes for the platform
	exception  func(c *x86.CPU, vector uint8, code uint64) (length uint64, ok bool) // firmware's handler, where the platform needs one
	attack     func() *record.Attack                                                // what a host that cheats has done; nil where it is honest
	parts      []part                                                               // whose state is saved
	efer       uint64                                                               // bits of EFER beyond those that every processor has
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

// hostConfig is what the hosts of all platforms are made with.
func (m *Machine) hostConfig() host.Config {
	size := record.Size2M
	if m.cfg.HostPage == 4<<10 {
		size = record.Size4K
	}
	return host.Config{RAM: m.ram, PageSize: size, Bus: m.board, Cost: m.cfg.Cost}
}

func makeTDX(m *Machine) (*platform, error) {
	h, err := host.New(m.hostConfig())
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	server, attack, err := m.tdHost(h)
	if err != nil {
		return nil, err
	}
	module, err := tdx.New(tdx.Config{
		Memory: m.memory, RAM: m.ram, CPUs: 1, Host: server,
		Attributes: abi.AttrSEPTVEDisable, Features: x86.Features,
		Cost: m.cfg.Cost, Log: m.log, Forget: m.forget,
	})
	if err != nil {
		return nil, err
	}
	server.Serve(module)
	parts := []part{{"tdx", tdx.StateVersion, module.Carry}, {"host", host.StateVersion, h.Carry}}
	if attack != nil {
		parts = append(parts, part{attackSection, host.StateVersion, server.Carry})
	}
	return &platform{Platform: module, unaccepted: module.Unaccepted, accept: module.AcceptRange, state: module.State, attack: attack, parts: parts}, nil
}

func makeSNP(m *Machine) (*platform, error) {
	var guest *snp.Platform
	h, err := host.NewSNP(m.hostConfig(), host.SNPConfig{
		WallClock: rtcStart, TSCHz: tscHz,
		CPUID: func(c *x86.CPU, leaf, subleaf uint32) [4]uint32 { return guest.CPUID(c, leaf, subleaf) },
	})
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	server, attack, err := m.snpHost(h)
	if err != nil {
		return nil, err
	}
	guest, err = snp.New(snp.Config{
		Memory: m.memory, RAM: m.ram, CPUs: 1, Host: server, Seed: m.cfg.Seed, Features: x86.Features,
		Cost: m.cfg.Cost, Log: m.log, Forget: m.forget,
	})
	if err != nil {
		return nil, err
	}
	server.Serve(guest)
	parts := []part{{"snp", snp.StateVersion, guest.Carry}, {"host", host.StateVersion, h.Carry}}
	if attack != nil {
		parts = append(parts, part{attackSection, host.StateVersion, server.Carry})
	}
	return &platform{
		Platform: guest, unaccepted: guest.Unaccepted, accept: guest.AcceptRange, state: guest.State, attack: attack, parts: parts,
		privateBit: snp.CBit, efer: snp.EFER,
		exception: func(c *x86.CPU, vector uint8, code uint64) (uint64, bool) {
			if vector != x86.VectorVC {
				return 0, false
			}
			return guest.ServeVC(c, code)
		},
		tables: []firmware.PlatformTable{{GUID: uefi.CCBlobGUID, Bytes: snp.LaunchSize, Content: guest.Launch}},
	}, nil
}
