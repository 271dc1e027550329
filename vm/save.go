package vm

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/device"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A saved machine is a file of sections (package internal/state), in this order: who saved it, its configuration, what runs
// on it, the contents of memory, and the state of each part. What it runs with, such as a console or a debugger, is not
// in it: the next one who runs it brings his own.

// A part is one of the machine's, with a section of its own.
type part struct {
	section string
	version uint32
	carry   func(*state.Stream)
}

// parts returns the parts of the machine, in the order of their sections. Memory comes before them: what a processor
// knows of a page depends on what it holds.
func (m *Machine) parts() []part {
	all := []part{
		{"log", record.StateVersion, m.log.Carry},
		{"firmware", firmware.StateVersion, m.boot.Carry},
		{"devices", device.StateVersion, m.board.Carry},
	}
	all = append(all, m.pciParts()...)
	all = append(all, m.platform.parts...)
	for _, c := range m.cpus {
		all = append(all, part{"cpu", x86.StateVersion, c.Carry})
	}
	return append(append(all, m.diskParts()...), part{"vm", vmVersion, m.carry})
}

// Save writes the machine, as it stands, to a file that [Load] reads; the same machine gives the same bytes. It can be
// saved wherever [Machine.Run] has stopped, and where its run has ended with a violation.
func (m *Machine) Save(w io.Writer) error {
	if err := m.savable(); err != nil {
		return err
	}
	if err := m.knowDisks(); err != nil {
		return err
	}
	f := state.NewWriter(w)
	f.Write("tool", 1, func(s *state.Stream) { name := tool(); state.String(s, &name, maxText) })
	f.Write("config", configVersion, m.cfg.carry)
	f.Section("image", 1, m.cfg.Image.Data)
	f.Section("initrd", 1, m.cfg.Initrd)
	if m.cfg.isStock() {
		f.Section(firmwareImageSection, 1, m.cfg.Firmware.Data)
	}
	m.memory.Save(f)
	for _, p := range m.parts() {
		f.Write(p.section, p.version, p.carry)
	}
	return f.End()
}

// savable says why the machine cannot be saved, or forked, as it stands.
func (m *Machine) savable() error {
	switch {
	case !m.started:
		return errNotStarted
	case m.over != nil && m.outcome(m.over) != record.Violation:
		return fmt.Errorf("a run that has ended cannot be saved or forked: %w", m.over)
	}
	return nil
}

// Load makes the machine that [Machine.Save] has written. Of cfg counts what is about the rest of the run: Console,
// Progress, Events, Symbols, StubSymbols, Callers, Debugger, Trace, Keyboard, Replay, Typed, Engine and what is said of
// engines, limits in place of those before, HostAttack, which begins to count now, and Disks: a machine that had disks wants
// the same ones again, in the same order, and what they are is held against their checksums. The other fields have to be zero:
// the machine has them.
//
// The file may be anybody's. What is wrong with it is an error, and what the machine may take of the host's memory is
// bounded by Config.MaxHostMemory.
func Load(r io.Reader, cfg Config) (*Machine, error) {
	f := state.NewReader(r)
	var by string
	if err := f.Read("tool", 1, func(s *state.Stream) { state.String(s, &by, maxText) }); err != nil {
		return nil, err
	}
	m, err := load(f, cfg)
	if err != nil {
		if m != nil {
			m.Close()
		}
		if own := tool(); by != own {
			err = fmt.Errorf("%w; it was saved by tacit %s, and this is %s", err, record.Printable(by), own)
		}
		return nil, err
	}
	return m, nil
}

// load reads all but the first section. With an error there may be a machine that is to be closed.
func load(f *state.Reader, given Config) (m *Machine, err error) {
	var cfg Config
	if err := f.Read("config", configVersion, cfg.carry); err != nil {
		return nil, err
	}
	attacked := cfg.HostAttack != ""
	if err := cfg.readImage(f); err != nil {
		return nil, err
	}
	if cfg.Firmware.Name != "" {
		if cfg.Firmware.Data, err = f.Section(firmwareImageSection, 1); err != nil {
			return nil, err
		}
	}
	if err := cfg.sound(); err != nil {
		return nil, fmt.Errorf("%w: %w", state.ErrDamaged, err)
	}
	if err := cfg.resume(given); err != nil {
		return nil, err
	}
	if m, err = newMachine(cfg, mem.New); err != nil {
		return nil, err // newMachine has closed it
	}
	most := uint64(math.MaxUint64)
	if m.budget.all > 0 {
		most = m.budget.guest
	}
	if err := m.memory.Load(f, most); err != nil {
		return m, m.explain(err)
	}
	if err := m.readParts(f, attacked); err != nil {
		return m, err
	}
	return m, f.End()
}

// readParts reads the state of all parts but memory. Attacked says that the machine's host cheated when it was saved.
func (m *Machine) readParts(f *state.Reader, attacked bool) error {
	for _, p := range m.parts() {
		if p.section == attackSection && !attacked {
			continue // it begins now
		}
		if err := f.Read(p.section, p.version, p.carry); err != nil {
			return err
		}
	}
	m.refresh()
	m.started, m.before = true, m.stamp().Instructions
	return nil
}

// explain says what a limit of the host's memory means.
func (m *Machine) explain(err error) error {
	if errors.Is(err, mem.ErrTooMuch) {
		return m.exhausted()
	}
	return err
}

// readImage reads what runs on the machine.
func (c *Config) readImage(f *state.Reader) error {
	data, err := f.Section("image", 1)
	if err != nil {
		return err
	}
	initrd, err := f.Section("initrd", 1)
	if err != nil {
		return err
	}
	if len(data) == 0 && len(c.Disks) > 0 { // firmware had started it from a disk
		c.Image.Kind, c.Initrd = image.EFIApplication, initrd
		return nil
	}
	name := c.Image.Name
	if c.Image, err = image.Parse(c.Image.Source, data); err != nil {
		return fmt.Errorf("%w: %w", state.ErrDamaged, err)
	}
	if err := c.Image.Bootable(); err != nil {
		return fmt.Errorf("%w: %w", state.ErrDamaged, err)
	}
	c.Image.Name, c.Initrd = name, initrd
	return nil
}

// firmwareImageSection is the section of firmware that runs in the guest.
const firmwareImageSection = "rom"

// attackSection is the section of a host that cheats.
const attackSection = "attack"
