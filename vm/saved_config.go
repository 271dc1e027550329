package vm

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/state"
)

// configVersion changes with what [Config.carry] carries.
const configVersion = 10

// maxText bounds texts in a saved machine, in bytes.
const maxText = 1 << 20

// carry carries the fields of a complete Config that are about the machine and what runs on it. The image and the initrd
// have sections of their own; cfg.Image has its source alone when it is read.
func (c *Config) carry(s *state.Stream) {
	if s.Reading() {
		c.Image = &image.Image{}
	}
	for _, text := range []*string{&c.Platform, &c.Image.Source, &c.Image.Name, &c.Append, &c.FirmwarePolicy, &c.Firmware.Name, &c.Schedule, &c.HostAttack, &c.FirmwareLie} {
		state.String(s, text, maxText)
	}
	state.Optional(s, &c.CommandLine, func(text *string) { state.String(s, text, maxText) })
	state.Numbers(s, &c.Memory, &c.FirmwareAccepts, &c.HostPage, &c.Touch, &c.Seed, &c.ScheduleSeed, &c.MaxInstructions)
	state.Numbers(s, &c.MaxVirtual)
	state.Numbers(s, &c.DebugExit)
	t := [4]uint32{uint32(c.Topology.Sockets), uint32(c.Topology.Cores), uint32(c.Topology.Threads), uint32(c.Topology.Nodes)}
	if state.Array(s, t[:]); s.Reading() {
		c.Topology = Topology{Sockets: int(t[0]), Cores: int(t[1]), Threads: int(t[2]), Nodes: int(t[3])}
		s.Check(c.Topology.Check() == nil, "processors that no machine has")
		if s.Err() == nil {
			c.CPUs = c.Topology.CPUs()
		}
	}
	s.Bool(&c.Misalign, &c.UnacceptedTable, &c.LA57, &c.HPET, &c.Callers, &c.reports)
	c.Screen.carry(s)
	carryDisks(s, &c.Disks)
	state.String(s, &c.keptSum, maxText)
	state.Numbers(s, &c.restarts)
	carryModel(s, &c.Cost)
}

// carryModel carries a cost model: tacit's own by its name, whose numbers never change, and others with their rows.
func carryModel(s *state.Stream, m *cost.Model) {
	name, platform, rows, holds := m.Name(), m.Platform(), m.Table(), m.Holds()
	state.String(s, &name, maxText)
	state.String(s, &platform, maxText)
	state.Slice(s, &rows, len(cost.Events()), func(r *cost.Row) {
		state.Numbers(s, &r.Event)
		state.Numbers(s, &r.NS)
		state.String(s, &r.Source, maxText)
	})
	state.Slice(s, &holds, len(cost.Events())+1, func(h *cost.Hold) {
		state.Numbers(s, &h.Event)
		state.Numbers(s, &h.Lock)
		state.Numbers(s, &h.NS)
		state.String(s, &h.Source, maxText)
		s.Bool(&h.Halt)
	})
	if !s.Reading() || s.Err() != nil {
		return
	}
	var err error
	if *m, err = cost.Named(name); err == nil {
		return
	}
	given, _, _ := strings.Cut(name, "@") // the rest is the digest of the numbers
	if *m, err = cost.New(given, platform, rows, holds); err != nil || m.Name() != name {
		s.Fail("the cost model %s is not what it says: %v", name, err)
	}
}

// resume puts what is given for the rest of a run into the Config of the saved one. What is about the machine cannot be
// given: it is.
func (c *Config) resume(given Config) error {
	if slices.Contains([]bool{
		given.Platform != "", given.Memory != 0, given.CPUs != 0, given.Topology != Topology{}, given.Schedule != "", given.ScheduleSeed != 0, given.Image != nil, given.Initrd != nil, given.Modules != nil, given.CommandLine != nil, given.Append != "",
		given.FirmwareAccepts != 0, given.FirmwarePolicy != "", given.isStock(), given.Misalign, given.HostPage != 0, given.Touch != 0, given.FirmwareLie != "",
		given.UnacceptedTable, given.DebugExit != 0, given.LA57, given.HPET, given.Screen != Resolution{}, given.Kept != nil, given.Seed != 0, given.Cost.Name() != "",
	}, true) {
		return errMachineGiven
	}
	disks, err := sameDisks(c.Disks, given.Disks)
	if err != nil {
		return err
	}
	given.Disks = nil
	if given.Timeline != nil {
		return errTimelineGiven
	}
	if given.HostAttack != "" && c.HostAttack != "" {
		return fmt.Errorf("the saved machine's host attacks it already: %s", c.HostAttack)
	}
	if a, err := attack.Parse(given.HostAttack); given.HostAttack != "" && err == nil {
		if k, _ := attack.Named(a.Kind); k.Whole {
			return fmt.Errorf("host attack %s: it has to be there from the start of the machine", a.Kind)
		}
	}
	given.Platform = c.Platform // an attack depends on it
	if err := given.Check(); err != nil {
		return err
	}
	saved := *c
	*c = given
	c.CPUs, c.Topology = saved.CPUs, saved.Topology
	c.Schedule, c.ScheduleSeed = saved.Schedule, saved.ScheduleSeed
	c.Memory, c.Image, c.Initrd, c.CommandLine, c.Append = saved.Memory, saved.Image, saved.Initrd, saved.CommandLine, saved.Append
	c.Disks, c.keptSum, c.restarts = disks, saved.keptSum, saved.restarts
	c.DebugExit, c.LA57, c.HPET, c.Screen = saved.DebugExit, saved.LA57, saved.HPET, saved.Screen
	c.Firmware = saved.Firmware
	c.FirmwareAccepts, c.FirmwarePolicy, c.Misalign, c.HostPage = saved.FirmwareAccepts, saved.FirmwarePolicy, saved.Misalign, saved.HostPage
	c.Touch, c.FirmwareLie, c.UnacceptedTable, c.Seed, c.Cost = saved.Touch, saved.FirmwareLie, saved.UnacceptedTable, saved.Seed, saved.Cost
	c.Callers, c.reports = saved.Callers || given.Callers, saved.reports
	if given.HostAttack == "" {
		c.HostAttack = saved.HostAttack
	}
	if given.MaxInstructions == 0 {
		c.MaxInstructions = saved.MaxInstructions
	}
	if given.MaxVirtual == 0 && given.Keyboard == nil && given.Replay == nil {
		c.MaxVirtual = saved.MaxVirtual
	}
	c.MaxHostMemory = hostLimit(given.MaxHostMemory)
	return nil
}

var errMachineGiven = errors.New("a saved machine is what it is: of a configuration, only what is about the rest of the run can be given")

// A saved machine does not know what has happened over time, nor what has been touched.
var errTimelineGiven = errors.New("a timeline begins where the machine is started, and cannot begin with a saved one")

// sound says what is wrong with a Config that has been read. A complete one has what others leave out.
func (c Config) sound() error {
	if c.Platform == "" || c.Memory == 0 || c.FirmwarePolicy == "" || c.Schedule == "" || c.HostPage == 0 || c.Cost.Name() == "" || uint64(len(c.Initrd)) > c.Memory {
		return errors.New("the configuration is not complete")
	}
	c.Initrd = nil // which Check takes for one that replaces tacit's
	c.Disks = nil  // which are not there yet
	return c.Check()
}

// tool names this tacit, for a file that another one may not understand.
func tool() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	name := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			name += " " + s.Value
		}
	}
	return name
}
