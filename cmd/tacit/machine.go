package main

import (
	"context"
	"errors"
	"fmt"
	"image/png"
	"io"
	"time"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

// settings is what the flags ask of a machine, read and checked.
type settings struct {
	saved        string   // path of a saved machine, which has what is said of the machine below; or empty
	image        string   // path, or where else it is
	own          bool     // there is no path: tacit's own guest
	prompt       bool     // … which takes commands
	disks        []string // paths
	overlay      string   // path, or empty
	reboots      int
	source       sourceFlags
	platform     string
	memory       uint64
	cpus         int         // 0: those of topology
	topology     vm.Topology // the zero Topology: the cores of one package
	schedule     string
	scheduleSeed uint64

	firmware                image.File // that runs in the guest; without Data tacit's own
	firmwareAccepts         uint64     // bytes
	firmwareAcceptsLikeOVMF bool       // everything below 4 GiB instead
	policy                  string
	misalign                bool
	hostPage                uint64

	initrd      []byte  // nil: tacit's own
	modules     string  // path of a package, or empty
	commandLine *string // nil: tacit's own
	append      string
	touch       uint64
	seed        uint64
	hostAttack  string // KIND:N, or empty
	firmwareLie string // KIND, or empty
	cost        cost.Model
	table       bool   // firmware installs a table of unaccepted memory
	debugExit   uint16 // port; 0: none
	la57, hpet  bool
	screen      vm.Resolution
	symbols     string // path, or empty
	stubSymbols string // path, or empty

	maxInstructions uint64        // 0: no limit
	maxVirtual      time.Duration // 0: the machine's own; negative: no limit
	maxWall         time.Duration // 0: no limit
	since           time.Time     // when maxWall began to count
	maxHostMemory   uint64        // bytes; 0: the machine's own
	engine          string
	blockLimit      int    // 0: the engine's own
	translateAfter  int    // 0: the engine's own
	lockstepEvery   uint64 // instructions; 0: a block

	saveAt vm.Event                          // at which the run ends, and save takes the machine; the zero Event never comes
	save   func(func(io.Writer) error) error // or nil

	screenshot func(func(io.Writer) error) error // takes a picture of the screen at the end of the run; or nil

	console  io.Writer
	progress func(record.Progress)
	events   record.Sink        // or nil
	timeline *timeline.Recorder // or nil

	callers bool // find out who asked for memory to be accepted

	debugger *gdb.Server // or nil
	trace    *vm.Trace   // or nil
	keyboard <-chan []byte
	replay   []vm.Typed
	typed    func(vm.Typed) // or nil
}

// machine runs what the settings say to its end. However the guest ends, and if the context is done, there is a record
// that says so and no error; an error is for what kept the machine from running, and a record that comes with it tells
// what was reached.
type machine func(ctx context.Context, s settings) (*record.Record, error)

// boot is the machine of package vm.
func boot(ctx context.Context, s settings) (*record.Record, error) {
	var disks disks
	defer disks.close()
	reading, done := s.within(ctx)
	defer done()
	config, err := s.config(reading, &disks)
	if err != nil {
		return nil, err
	}
	kept, err := openOverlay(ctx, s.overlay)
	if err != nil {
		return nil, err
	}
	defer kept.discard()
	config.Kept = kept.before
	var m *vm.Machine
	if s.saved != "" {
		m, err = load(reading, s.saved, config)
	} else {
		m, err = vm.New(config)
	}
	if err != nil {
		return nil, err
	}
	defer func() { m.Close() }()
	r, err := drive(ctx, m, s)
	for n := 0; n < s.reboots && err == nil && r.Outcome == record.Reset; n++ {
		next, err := m.Restart()
		if err != nil {
			return r, err
		}
		m.Close()
		m = next
		if r, err = drive(ctx, m, s); err != nil {
			return r, err
		}
	}
	return r, errors.Join(err, s.takePicture(m, r), kept.write(m, r))
}

// takePicture writes what the machine's screen shows, where that is wanted.
func (s *settings) takePicture(m *vm.Machine, r *record.Record) error {
	if s.screenshot == nil || r == nil {
		return nil
	}
	picture, err := m.Picture()
	if err != nil {
		return fmt.Errorf("--screenshot: %w", err)
	}
	return s.screenshot(func(w io.Writer) error { return png.Encode(w, picture) })
}

// config opens what the settings name, and makes of them what package vm is told. The disks have to stay open as long as the
// machine, and until it has begun they are read as long as ctx allows.
func (s settings) config(ctx context.Context, disks *disks) (config vm.Config, err error) {
	var img *image.Image // the machine's own, or a disk's
	switch {
	case s.saved != "":
		err = disks.again(ctx, s)
	case s.prompt:
		img, err = promptImage()
	default:
		img, err = disks.open(ctx, s)
	}
	if err != nil {
		return config, err
	}
	config = vm.Config{
		Platform: s.platform, Memory: s.memory, CPUs: s.cpus, Topology: s.topology, Schedule: s.schedule, ScheduleSeed: s.scheduleSeed, Image: img, Disks: disks.all,
		Initrd: s.initrd, CommandLine: s.commandLine, Append: s.append,
		Firmware: s.firmware, FirmwareAccepts: s.firmwareAccepts, FirmwarePolicy: s.policy, Misalign: s.misalign, HostPage: s.hostPage, Touch: s.touch, Seed: s.seed,
		HostAttack: s.hostAttack, FirmwareLie: s.firmwareLie, UnacceptedTable: s.table, DebugExit: s.debugExit, LA57: s.la57, HPET: s.hpet, Screen: s.screen, Cost: s.cost,
		MaxInstructions: s.maxInstructions, MaxVirtual: s.maxVirtual, MaxWall: s.maxWall, Since: s.since,
		MaxHostMemory: s.maxHostMemory, Engine: s.engine, BlockLimit: s.blockLimit, TranslateAfter: s.translateAfter, LockstepEvery: s.lockstepEvery,
		Console: s.console, Progress: s.progress, Events: s.events, Timeline: s.timeline,
		Callers: s.callers, Debugger: s.debugger, Trace: s.trace, Keyboard: s.keyboard, Replay: s.replay, Typed: s.typed,
	}
	if s.modules != "" && img != nil {
		if config.Modules, err = image.KernelModules(ctx, s.modules, img.Name, trial.Drivers); err != nil {
			return config, err
		}
		if len(config.Modules) == 0 {
			return config, fmt.Errorf("%s: no drivers of kernel %s are in it", s.modules, img.Name)
		}
	}
	if s.firmwareAcceptsLikeOVMF {
		config.FirmwareAccepts = firmware.AcceptBelow4G
	}
	if s.modules != "" && img != nil {
		if config.Modules, err = image.KernelModules(ctx, s.modules, img.Name, trial.Drivers); err != nil {
			return config, err
		}
		if len(config.Modules) == 0 {
			return config, fmt.Errorf("%s: no drivers of kernel %s are in it", s.modules, img.Name)
		}
	}
	if s.symbols != "" {
		if config.Symbols, err = image.OpenSymbols(s.symbols); err != nil {
			return config, err
		}
	}
	if s.stubSymbols != "" {
		if s.saved == "" && (img == nil || img.Kind != image.BzImage) {
			return config, errors.New("--stub-symbols is for a bzImage, which has an EFI stub of its own build")
		}
		if config.StubSymbols, err = image.OpenStubSymbols(s.stubSymbols); err != nil {
			return config, err
		}
	}
	return config, nil
}

// promptImage is tacit's own guest that takes commands.
func promptImage() (*image.Image, error) {
	b, err := efi.Pack(guest.Monitor(), efi.Program{Executable: guest.Prompt(), Arguments: []string{"prompt"}, Input: true})
	if err != nil {
		return nil, err
	}
	return image.Parse("prompt.efi", b)
}
