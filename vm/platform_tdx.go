package vm

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/rom"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/tdx/abi"
)

func makeTDX(m *Machine) (*platform, error) {
	h, err := host.New(m.hostConfig())
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	server, cheat, err := m.tdHost(h)
	if err != nil {
		return nil, err
	}
	attributes := uint64(abi.AttrSEPTVEDisable)
	if cheat != nil && cheat.Surprises() {
		attributes = 0
	}
	module, err := tdx.New(tdx.Config{
		Memory: m.memory, RAM: m.guestRAM(), CPUs: m.cfg.CPUs, Stamp: func(*x86.CPU) record.Stamp { return m.stamp() }, Host: server,
		VideoMemory: m.cfg.videoMemory(),
		Attributes:  attributes, Features: m.cfg.features(m.cfg.Topology.Features),
		Log: m.log, Forget: m.forget,
	})
	if err != nil {
		return nil, err
	}
	server.Serve(module)
	parts := []part{{"tdx", tdx.StateVersion, module.Carry}, {"host", host.StateVersion, h.Carry}}
	if cheat != nil {
		parts = append(parts, part{attackSection, host.StateVersion, server.Carry})
	}
	return &platform{
		Platform: module, unaccepted: module.Unaccepted, memory: module.Memory, accept: module.AcceptRange, convert: module.ConvertRange,
		launch:    func(c *x86.CPU, image *rom.Image) error { return m.launchTD(c, module, image) },
		sharedBit: module.SharedBit(), state: module.State, states: module, cheat: cheat, parts: parts,
		exception: func(c *x86.CPU, vector uint8, _, rip uint64) (uint64, bool) {
			if vector != abi.VectorVE {
				return 0, false
			}
			return module.ServeVE(c, rip)
		},
		busLocks: true, // which the module wants of a processor
		how:      "TDG.MEM.PAGE.ACCEPT", stranger: noTDXGuest,
	}, nil
}

// launchTD gives a TD what its firmware wants to find, and has its processor begin.
func (m *Machine) launchTD(c *x86.CPU, module *tdx.Module, image *rom.Image) error {
	pieces, hob, err := image.TDX(m.ram)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if err := module.AddLaunched(c, p.Start, p.End, p.Content); err != nil {
			return err
		}
	}
	module.Launch(c, hob)
	return nil
}

// A tdHost serves a TD, honestly or not.
type tdHost interface {
	tdx.Host
	Serve(host.Guest)
	Carry(*state.Stream)
}

// tdHost returns the host that the configuration asks for. The second result is what it does beyond serving; nil where it is
// honest.
func (m *Machine) tdHost(honest *host.Host) (tdHost, *attack.Host, error) {
	if m.cfg.HostAttack == "" {
		return honest, nil, nil
	}
	a, err := attack.Parse(m.cfg.HostAttack)
	cheat := attack.OfTD(honest, m.memory, a)
	return cheat, cheat.Host, err
}

// noTDXGuest knows a system that is no TDX guest: each of those asks the module first how wide its addresses are.
func noTDXGuest(r *record.Record) string {
	if len(r.Calls[record.TDCALL.String()]["VP.INFO"]) != 0 {
		return ""
	}
	return r.Image.Kernel + " is not a TDX guest: it never asked the TDX module for anything. A Linux kernel needs CONFIG_INTEL_TDX_GUEST."
}
