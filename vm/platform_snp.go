package vm

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/internal/rom"
	"github.com/tacit-vm/tacit/internal/snp"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
	"github.com/tacit-vm/tacit/uefi"
)

func makeSNP(m *Machine) (*platform, error) {
	var guest *snp.Platform
	h, err := host.NewSNP(m.hostConfig(), host.SNPConfig{
		WallClock: rtcStart, TSCHz: tscHz,
		CPUID: func(c *x86.CPU, leaf, subleaf uint32) [4]uint32 { return guest.CPUID(c, leaf, subleaf) },
	})
	if err != nil {
		return nil, fmt.Errorf("host: %w", err)
	}
	server, cheat, err := m.snpHost(h)
	if err != nil {
		return nil, err
	}
	guest, err = snp.New(snp.Config{
		Memory: m.memory, RAM: m.guestRAM(), CPUs: m.cfg.CPUs, Topology: m.cfg.Topology, Processors: processors{m}, Stamp: func(*x86.CPU) record.Stamp { return m.stamp() }, Host: server, Seed: m.cfg.Seed, Features: m.cfg.features(x86.Features),
		Log: m.log, Forget: m.forget, VideoMemory: m.cfg.videoMemory(),
	})
	if err != nil {
		return nil, err
	}
	server.Serve(guest)
	parts := []part{{"snp", snp.StateVersion, guest.Carry}, {"host", host.StateVersion, h.Carry}}
	if cheat != nil {
		parts = append(parts, part{attackSection, host.StateVersion, server.Carry})
	}
	return &platform{
		Platform: guest, unaccepted: guest.Unaccepted, memory: guest.Memory, accept: guest.AcceptRange, convert: guest.ConvertRange,
		launch: func(c *x86.CPU, image *rom.Image) error { return m.launchSNP(c, guest, image) },
		state:  guest.State, states: guest, cheat: cheat, parts: parts,
		share: guest.RegisterGHCB, privateBit: snp.CBit, efer: snp.EFER,
		how: "a page state change, then PVALIDATE", stranger: noSNPGuest,
		idleVMSAs:   guest.IdleVMSAs,
		unvalidated: func() *confidential.Violation { return guest.Unvalidated(m.cpu()) },
		exception: func(c *x86.CPU, vector uint8, code, rip uint64) (uint64, bool) {
			if vector != x86.VectorVC {
				return 0, false
			}
			return guest.ServeVC(c, code, rip)
		},
		tables: []firmware.PlatformTable{{GUID: uefi.CCBlobGUID, Bytes: snp.LaunchSize, Content: guest.Launch}},
	}, nil
}

// launchSNP gives an SEV-SNP guest what its firmware wants to find.
func (m *Machine) launchSNP(c *x86.CPU, guest *snp.Platform, image *rom.Image) error {
	pieces, err := image.SNP(m.ram)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		switch p.Kind {
		case rom.Secrets:
			p.Content = guest.SecretsPage()
		case rom.CPUID:
			p.Content = guest.CPUIDPage()
		}
		if err := guest.LaunchUpdate(c, p.Start, p.End, p.Content); err != nil {
			return err
		}
	}
	c.Reset()
	toX2APIC(c)
	return nil
}

// An snpHost serves an SEV-SNP guest, honestly or not.
type snpHost interface {
	snp.Host
	Serve(host.Guest)
	Carry(*state.Stream)
}

// snpHost returns the host that the configuration asks for. The second result is what it does beyond serving; nil where it is
// honest.
func (m *Machine) snpHost(honest *host.SNP) (snpHost, *attack.Host, error) {
	if m.cfg.HostAttack == "" {
		return honest, nil, nil
	}
	a, err := attack.Parse(m.cfg.HostAttack)
	cheat := attack.OfSNP(honest, m.memory, a)
	return cheat, cheat.Host, err
}

// noSNPGuest knows a system that is no SEV-SNP guest: each of those registers a GHCB before it uses one. Firmware here
// asks for nothing but page state changes. A kernel that knows SEV-ES and nothing newer asks, and does not register.
func noSNPGuest(r *record.Record) string {
	asked := false
	for name := range r.Calls[record.GHCB.String()] {
		if name == abi.CodeRegisterRequest.String() {
			return ""
		}
		asked = asked || name != abi.EventPSC.String()
	}
	if asked {
		return r.Image.Kernel + " is not an SEV-SNP guest: it never registered a GHCB with the hypervisor, as SEV-ES guests need not. Linux knows SEV-SNP since 5.19."
	}
	return r.Image.Kernel + " is not an SEV-SNP guest: it never asked the hypervisor for anything. A Linux kernel needs CONFIG_AMD_MEM_ENCRYPT."
}
