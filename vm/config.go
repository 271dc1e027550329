package vm

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/timeline"
)

// Names of platforms.
const (
	None = "none" // no confidential computing: all memory is there from the start
	TDX  = "tdx"  // an Intel TDX guest
	SNP  = "snp"  // an AMD SEV-SNP guest
)

// A Config describes a machine and what runs on it. Its zero values are what most want.
type Config struct {
	Platform string       // TDX, SNP or None; empty means TDX
	Memory   uint64       // bytes, a multiple of 2 MiB, 128 MiB to 4 TiB; 0 means 4 GiB
	CPUs     int          // processors, 1 to MaxCPUs; 0 means as many as Topology has, or 1
	Topology Topology     // what they are parts of; the zero Topology means the cores of one package
	Image    *image.Image // what firmware starts; nil means tacit's own guest in Go ([guest.Demo])

	// Firmware runs in the guest in place of tacit's own, from the processor's reset on: an image for a PC's flash chip, such as
	// EDK2's OVMF. It is told of Image, Initrd and the command line by fw_cfg, as by QEMU. Without Data there is none.
	Firmware image.File

	// Disks are what firmware boots where Image is nil, and what it shows to an image in any case.
	Disks []Disk

	// Kept is what a machine with the same disks has left; nil means nothing.
	Kept *Kept

	// Initrd is the initial RAM disk; nil means one whose only file is tacit's init, for a bzImage. An empty one that
	// is not nil means none.
	Initrd []byte

	// Modules are modules of a bzImage's kernel that tacit's init loads, in this order, before it reports, and whose drivers
	// it has read a disk, send on a network, take randomness and ask for a quote. At most maxInitModules.
	Modules []image.File

	// CommandLine is the kernel's command line, or another EFI application's load options; nil means tacit's own for a
	// bzImage, a unified kernel image's own, and none for others. Append is added to it.
	CommandLine *string
	Append      string

	FirmwareAccepts uint64 // bytes that firmware accepts before it starts the image, or [firmware.AcceptBelow4G]; 0 means [firmware.DefaultFirmwareAccepts]
	FirmwarePolicy  string // what firmware does about unaccepted memory, one of FirmwarePolicies; empty means the first
	Misalign        bool   // hand memory over at odd boundaries, so that the EFI stub has to accept some
	HostPage        uint64 // size of the pages that the host adds: 4096 or 2 MiB; 0 means 2 MiB
	Touch           uint64 // bytes of memory that tacit's init touches before it reports
	HostAttack      string // how the host cheats, as [attack.Parse] reads it; empty means that it is honest
	FirmwareLie     string // how firmware lies, as [firmware.ParseLie] reads it; empty means that it is honest
	UnacceptedTable bool   // firmware installs a table of unaccepted memory, as a kernel leaves one for kexec

	Screen    Resolution // the zero Resolution: there is none
	LA57      bool       // linear addresses may have 57 bits, and page tables five levels
	HPET      bool       // there are high precision event timers
	DebugExit uint16     // port of a device through which a test program ends the run, QEMU's isa-debug-exit; 0 means none

	Seed uint64 // of all randomness

	// Where there are many processors: in what order they do what they could do at the same time, one of SchedulePolicies,
	// of which the empty one is the first, and the seed of those orders that have one.
	Schedule     string
	ScheduleSeed uint64

	// Limits, at which a run ends with the outcome [record.Limit]. MaxInstructions bounds what firmware's services do for
	// the guest as well, as one instruction for each nanosecond that they take. MaxHostMemory is of the pages that the
	// guest writes to, decoded code, image and initrd, and the program.
	MaxInstructions uint64        // 0 means no limit
	MaxVirtual      time.Duration // of virtual time; 0 means [DefaultMaxVirtual], or none where somebody types; negative means no limit
	MaxWall         time.Duration // since Since; 0 means no limit
	Since           time.Time     // zero means when Run is called
	MaxHostMemory   uint64        // bytes; 0 means [DefaultMaxHostMemory]; math.MaxUint64 means no limit

	Engine         string // what executes the guest's instructions, one of Engines; empty means the first
	BlockLimit     int    // instructions the processor decodes at once; 0 means its own choice. It must not matter
	TranslateAfter int    // how often a block is entered before the translator translates it; 0 means its own choice. It must not matter
	LockstepEvery  uint64 // in lock-step, instructions between two comparisons; 0 means those of a block

	Cost cost.Model // for the platform; the zero Model means tacit's own

	Console  io.Writer             // takes the guest's first serial port; nil loses it
	COM2     io.Writer             // takes the second, byte by byte, on which tacit's own guests report; what it returns is ignored. May be nil
	Progress func(record.Progress) // hears how far the run is, many times a second; may be nil
	Events   record.Sink           // hears of every event; may be nil
	Timeline *timeline.Recorder    // is shown what happens over time; it changes nothing in the run. May be nil, and has to be with [Load]
	Symbols  *image.Symbols        // names functions in diagnoses; nil means those that the image carries
	// StubSymbols names functions of the EFI stub of a bzImage, and makes its callers exact; nil means that nothing does.
	StubSymbols *image.Symbols

	Callers bool // find out who in the guest asks for memory to be accepted

	Debugger *gdb.Server // the machine waits for its gdb before the first instruction, and stops for it; nil lets no one in
	Trace    *Trace      // writes a line about each of some instructions; may be nil

	// Keyboard types on the first serial port, until it is closed; nil means that no one does. Replay is typed first,
	// each at its instant: what Typed heard in another run with the same configuration makes this run that one.
	Keyboard <-chan []byte
	Replay   []Typed
	Typed    func(Typed) // hears what the serial port took, and when; may be nil

	diskChanges int64 // bytes of a disk that can be changed; 0 means MaxDiskChanges. Of tests

	slice   int64  // virtual nanoseconds between two looks whether the machine is to stop, where not 0; of tests
	noSpins bool   // processors execute each round of a loop that changes nothing; of tests
	rival   *rival // in lock-step, what the interpreter is held against, in place of the translator; nil outside of tests
	reports bool   // the guest runs a program of tacit's, which reports

	keptSum  string // the SHA-256 of Kept, in hexadecimal; empty where that was nil
	restarts uint32 // how often the guest had restarted before
}

// Bounds of Config.Memory.
const (
	minMemory = 128 << 20
	maxMemory = 4 << 40
)

const defaultMemory = 4 << 30

// CommandLine is what tacit passes to Linux by default. The console is the first serial port.
const CommandLine = "console=ttyS0 earlyprintk=ttyS0 panic=-1"

// rtcStart is the guest's time at the start, in Unix seconds: the same in every run. 2026-01-01 00:00 UTC.
const rtcStart = 1767225600

// Check says what is wrong with c, but for its Image. Nothing is made for it.
func (c Config) Check() error {
	c.Platform = cmp.Or(c.Platform, TDX)
	if _, ok := platforms[c.Platform]; !ok {
		return fmt.Errorf("platform %q: there are %s", c.Platform, strings.Join(PlatformNames(), ", "))
	}
	if c.Memory != 0 && (c.Memory < minMemory || c.Memory > maxMemory || c.Memory%(2<<20) != 0) {
		return fmt.Errorf("%s of memory: want a multiple of 2 MiB from %s to %s",
			record.FormatBytes(c.Memory), record.FormatBytes(minMemory), record.FormatBytes(maxMemory))
	}
	if err := c.checkTopology(); err != nil {
		return err
	}
	if c.Schedule != "" && !slices.Contains(SchedulePolicies, c.Schedule) {
		return fmt.Errorf("schedule %q: there are %s", c.Schedule, strings.Join(SchedulePolicies, ", "))
	}
	if c.FirmwarePolicy != "" && !slices.Contains(FirmwarePolicies, c.FirmwarePolicy) {
		return fmt.Errorf("firmware policy %q: there are %s", c.FirmwarePolicy, strings.Join(FirmwarePolicies, ", "))
	}
	if c.HostAttack != "" {
		a, err := attack.Parse(c.HostAttack)
		if err != nil {
			return err
		}
		if c.Platform == None {
			return fmt.Errorf("host attack %s: on platform %s the host owns the memory, and nothing is promised", a.Kind, None)
		}
		if k, _ := attack.Named(a.Kind); !k.Against(c.Platform) {
			return fmt.Errorf("host attack %s: it is for platform %s, and the guest runs on %s", a.Kind, strings.Join(k.On, ", "), c.Platform)
		}
	}
	if c.FirmwareLie != "" {
		l, err := firmware.ParseLie(c.FirmwareLie)
		if err != nil {
			return err
		}
		if c.Platform == None {
			return fmt.Errorf("firmware lie %s: on platform %s no memory is unaccepted, and there is nothing to lie about", l, None)
		}
	}
	if p := c.Cost.Platform(); p != "" && p != c.Platform {
		return fmt.Errorf("%s is a cost model for platform %s, and the guest runs on %s", c.Cost.Name(), p, c.Platform)
	}
	if c.HostPage != 0 && c.HostPage != 4<<10 && c.HostPage != 2<<20 {
		return fmt.Errorf("host pages of %s: want 4 KiB or 2 MiB", record.FormatBytes(c.HostPage))
	}
	if err := c.checkStock(); err != nil {
		return err
	}
	memory := cmp.Or(c.Memory, defaultMemory)
	if err := errors.Join(c.checkEngine(), c.checkDisks(), c.Screen.check()); err != nil {
		return err
	}
	switch {
	case c.MaxWall < 0:
		return fmt.Errorf("a limit of %v of wall time is negative", c.MaxWall)
	case c.BlockLimit < 0:
		return fmt.Errorf("blocks of %d instructions", c.BlockLimit)
	case uint64(len(c.Initrd)) > memory:
		return fmt.Errorf("an initrd of %s does not fit into %s of memory", record.FormatBytes(uint64(len(c.Initrd))), record.FormatBytes(memory))
	case c.Touch > memory:
		return fmt.Errorf("%s of memory to touch: there are %s", record.FormatBytes(c.Touch), record.FormatBytes(memory))
	case c.Touch != 0 && c.Initrd != nil:
		return errors.New("memory to touch: that is for tacit's init, which another initrd replaces")
	case len(c.Modules) > 0 && c.Initrd != nil:
		return errors.New("modules: it is tacit's init that loads them, which another initrd replaces")
	case len(c.Modules) > maxInitModules:
		return fmt.Errorf("%d modules: tacit's init loads %d at most", len(c.Modules), maxInitModules)
	}
	return nil
}

// complete checks c and fills in defaults.
func (c *Config) complete() error {
	if err := c.Check(); err != nil {
		return err
	}
	c.reports = c.Image == nil && len(c.Disks) == 0 || c.Image != nil && c.Image.Kind == image.BzImage && c.Initrd == nil
	if c.Touch != 0 && (c.Image == nil || !c.reports) {
		return errors.New("memory to touch: that is for tacit's init, which this image does not start")
	}
	if c.Image == nil && len(c.Disks) > 0 {
		name := cmp.Or(c.Disks[0].Name, "the disk")
		c.Image = &image.Image{Source: name, Name: name, Kind: image.EFIApplication}
	}
	if c.Image == nil {
		demo, err := image.Parse(guest.DemoName, guest.Demo())
		if err != nil {
			return err
		}
		c.Image = demo
	}
	if err := c.Image.Bootable(); err != nil {
		return err
	}
	c.Platform = cmp.Or(c.Platform, TDX)
	c.Memory = cmp.Or(c.Memory, defaultMemory)
	c.Topology = c.topology()
	c.CPUs = c.Topology.CPUs()
	c.FirmwareAccepts = cmp.Or(c.FirmwareAccepts, firmware.DefaultFirmwareAccepts)
	c.Schedule = cmp.Or(c.Schedule, SchedulePolicies[0])
	c.FirmwarePolicy = cmp.Or(c.FirmwarePolicy, FirmwarePolicies[0])
	c.HostPage = cmp.Or(c.HostPage, 2<<20)
	if c.MaxVirtual == 0 && c.Keyboard == nil && c.Replay == nil {
		c.MaxVirtual = DefaultMaxVirtual(c.Memory)
	}
	c.MaxHostMemory = hostLimit(c.MaxHostMemory)
	if c.HostAttack != "" {
		a, err := attack.Parse(c.HostAttack)
		if err != nil {
			return err
		}
		c.HostAttack = a.String()
	}
	if c.Cost.Name() == "" {
		c.Cost = platforms[c.Platform].cost()
	}
	if c.Initrd == nil && c.Image.Kind == image.BzImage { // a unified kernel image brings its own
		initrd, err := image.Initramfs(c.initFiles()...)
		if err != nil {
			return fmt.Errorf("the initramfs of tacit's own init: %w", err)
		}
		c.Initrd = initrd
	}
	return nil
}

// maxInitModules is how many modules tacit's init loads: their files have single characters for names, from 0 on.
const maxInitModules = 32

// initFiles are what is in the initramfs of tacit's own init.
func (c *Config) initFiles() []image.File {
	files := []image.File{{Name: "init", Mode: 0o755, Data: guest.Init()}}
	if len(c.Modules) == 0 {
		return files
	}
	files = append(files, image.File{Name: "modules", Mode: fs.ModeDir | 0o755})
	for i, m := range c.Modules {
		files = append(files, image.File{Name: "modules/" + string(rune('0'+i)), Mode: 0o644, Data: m.Data})
	}
	return files
}

// features are those that processors announce: what plain says, and what the host allows beyond it.
func (c *Config) features(plain func(leaf, subleaf uint32) [4]uint32) func(leaf, subleaf uint32) [4]uint32 {
	if c.LA57 {
		return x86.LA57(plain)
	}
	return plain
}

// FirmwarePolicies are what Config.FirmwarePolicy can be. The first three are those of package firmware. Upstream is
// what OVMF does today: it accepts what lies below 4 GiB, and asks the operating system on SEV-SNP only.
var FirmwarePolicies = []string{"negotiate", "lazy", "eager", "upstream"}

// policy returns what FirmwarePolicy means on this platform, and how much firmware accepts up front.
func (c *Config) policy() (p firmware.Policy, accepts uint64) {
	switch c.FirmwarePolicy {
	case "lazy":
		return firmware.Lazy, c.FirmwareAccepts
	case "eager":
		return firmware.Eager, c.FirmwareAccepts
	case "upstream":
		if platforms[c.Platform].upstreamAsks {
			return firmware.Negotiate, firmware.AcceptBelow4G
		}
		return firmware.Lazy, firmware.AcceptBelow4G
	}
	return firmware.Negotiate, c.FirmwareAccepts
}

// kernelArguments returns the whole command line.
func (c *Config) kernelArguments() string {
	if options := c.loadOptions(); options != "" {
		return options
	}
	own, _ := unifiedKernel(c.Image)
	return own
}

// loadOptions returns what firmware hands to the image. A unified kernel image that is handed none takes its own command
// line, as where firmware starts it from a disk; what is to be added goes after that.
func (c *Config) loadOptions() string {
	var words []string
	switch {
	case c.CommandLine != nil:
		words = append(words, *c.CommandLine)
	case c.Image.Kind == image.BzImage:
		words = append(words, CommandLine)
	case c.Append != "":
		if own, _ := unifiedKernel(c.Image); own != "" {
			words = append(words, own)
		}
	}
	if c.Append != "" {
		words = append(words, c.Append)
	}
	if c.Touch != 0 {
		words = append(words, fmt.Sprintf("tacit.touch=%d", c.Touch))
	}
	return strings.Join(words, " ")
}
