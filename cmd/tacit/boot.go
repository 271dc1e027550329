package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/attack"
	"github.com/tacit-vm/tacit/internal/firmware"
	"github.com/tacit-vm/tacit/internal/rom"
	"github.com/tacit-vm/tacit/vm"
)

// bootFlags is what the command line of tacit boot can say.
type bootFlags struct {
	platform        choice
	memory          size
	firmware        string
	firmwareAccepts acceptance
	policy          choice
	misalign        bool
	hostPage        choice
	cpus            int
	topology        topology
	schedule        choice
	scheduleSeed    uint64
	touch           size
	seed            uint64
	hostAttack      string
	firmwareLie     string
	unacceptedTable bool
	debugExit       port
	la57, hpet      bool
	screen          resolution
	cost            string
	model           cost.Model // what cost names

	initrd  string
	modules string
	disks   []string
	overlay string
	reboots int
	append  string
	cmdline string
	source  sourceFlags

	runFlags
}

func bootCommand(run machine, status *exitStatus) *cobra.Command {
	f := defaultMachine()
	cmd := &cobra.Command{
		Use:   "boot [IMAGE]",
		Short: "Boot a kernel as a confidential guest and say who accepted its memory",
		Long: "Boots IMAGE, " + packages + ", a bzImage, an EFI application\n" +
			"such as a unified kernel image, or a disk image, in a machine, and lets it run until it switches itself off. Of a\n" +
			"disk firmware starts what its boot manager finds (docs/loaders.md); nothing is ever written to the file. Without\n" +
			"IMAGE and --disk it boots tacit's own guest: a Go program that accepts memory when it needs it, and shows how.\n" +
			"With --append it takes words: hold=SIZE, unaccepted=lazy, unaccepted=eager, unaccepted=unknown, touch, nil,\n" +
			"handover. With --interactive and without IMAGE it is one that takes commands: alloc 1G, touch, map, help.\n\n" +
			"The guest's console goes to standard output. On a terminal, a line under it says how far the run is. At the\n" +
			"end a summary goes to standard error. The same image, flags and seed give the same console and the same\n" +
			"record on every host, except for what the record has under \"host\".\n\n" +
			sourceHelp +
			sizeHelp +
			outputHelp +
			attackHelp() + "\n" +
			lieHelp() + "\n" +
			exitHelp(),
		Example: "  tacit boot --platform snp\n" +
			"  tacit boot kernels/linux-image-6.12*cloud*.deb\n" +
			"  tacit boot --memory 64G --host-page 4K --json record.json bzImage\n" +
			"  tacit boot --append unaccepted=eager\n" +
			"  tacit boot --interactive",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(f.checkCPUs(cmd), f.checkFirmware(cmd), atMostOne("IMAGE")(cmd, args), f.check(len(args) > 0), f.files(args, streamsOf(cmd)).check())
		},
		ValidArgsFunction: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := f.settings(cmd.Context(), args, cmd.Flags().Changed("cmdline"))
			if err != nil {
				return err
			}
			ended, err := f.boot(cmd.Context(), run, s, streamsOf(cmd), s.own)
			if err == nil {
				*status = ended
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.machine(cmd)
	flags.StringVar(&f.overlay, "overlay", "", "keep what the guest changes on disks and in EFI variables in `FILE`, and begin with what is there")
	flags.IntVar(&f.reboots, "reboots", 0, "let the guest restart up to `N` times")
	f.source.add(flags)
	f.runFlags.register(cmd)
	return cmd
}

// defaultMachine is what the machine is like where no flag says otherwise.
func defaultMachine() bootFlags {
	return bootFlags{
		platform:        choice{vm.TDX, vm.PlatformNames()},
		policy:          choice{vm.FirmwarePolicies[0], vm.FirmwarePolicies},
		memory:          4 << 30,
		firmwareAccepts: acceptance{bytes: 256 << 20},
		hostPage:        choice{"2M", []string{"2M", "4K"}},
		schedule:        choice{vm.SchedulePolicies[0], vm.SchedulePolicies},
	}
}

// machine are the flags that say what the machine is like.
func (f *bootFlags) machine(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&f.platform, "platform", "what the guest runs on: an Intel TDX machine, an AMD SEV-SNP one, or one without memory encryption")
	flags.Var(&f.memory, "memory", "memory of the guest")
	flags.StringVar(&f.firmware, "firmware", "", "run the firmware in `FILE`, such as EDK2's OVMF.fd, in place of tacit's own, from the processor's reset on")
	flags.Var(&f.firmwareAccepts, "firmware-accepts",
		"memory that firmware accepts before it starts IMAGE, at least what IMAGE and initrd need; ovmf: all below 4 GiB")
	flags.Var(&f.policy, "firmware-policy", "what firmware does about unaccepted memory: ask the system that it starts, leave it, accept all, or as OVMF does")
	flags.BoolVar(&f.misalign, "misalign", false, "hand memory over in ranges that are not aligned to 2 MiB")
	flags.Var(&f.hostPage, "host-page", "size of the pages that the host adds")
	flags.IntVar(&f.cpus, "cpus", 0, "processors, `N` up to 255 (default: as many as --topology has, or 1)")
	flags.Var(&f.topology, "topology", "what they are parts of, such as sockets=2,cores=4,threads=2,nodes=2; what is left out is 1, or follows from --cpus")
	flags.Var(&f.schedule, "schedule", "in what order processors do what they could do at the same time")
	flags.Uint64Var(&f.scheduleSeed, "schedule-seed", f.scheduleSeed, "`SEED` of a random or adversarial schedule: another one is another order")
	flags.StringVar(&f.append, "append", "", "add `WORDS` to the kernel's command line")
	flags.StringVar(&f.cmdline, "cmdline", "", "use `WORDS` instead of tacit's command line, or a unified kernel image's own; --append still adds to them")
	flags.StringVar(&f.modules, "modules", "", "have tacit's init load and use the kernel's drivers for disks, networks, randomness and quotes, out of `PACKAGE`")
	flags.StringVar(&f.initrd, "initrd", "", "use `FILE` instead of tacit's initrd, whose init reports and switches off")
	flags.StringArrayVar(&f.disks, "disk", nil, "put the disk in `FILE`, or elsewhere as an IMAGE may be, into the machine; it is not written to; may be given up to 16 times")
	flags.StringVar(&f.hostAttack, "host-attack", "", "have the host cheat: `KIND[:N][@MOMENT][#SEED]`, at the N-th opportunity")
	flags.StringVar(&f.firmwareLie, "firmware-lie", "", "have firmware lie to the guest: `KIND`")
	flags.BoolVar(&f.unacceptedTable, "unaccepted-table", false, "have firmware install a table of unaccepted memory, as a kernel leaves one for kexec")
	flags.BoolVar(&f.la57, "la57", false, "let the guest have page tables of five levels, and linear addresses of 57 bits")
	flags.Var(&f.screen, "gop", "let the machine have a screen of `WIDTHxHEIGHT` pixels, which firmware offers by its graphics output protocol")
	flags.BoolVar(&f.hpet, "hpet", false, "give the machine high precision event timers, as QEMU's q35 has them")
	flags.Var(&f.debugExit, "debug-exit", "let a test program end the run by writing a code to `PORT`, as QEMU's isa-debug-exit does (alone: 0x501)")
	flags.Lookup("debug-exit").NoOptDefVal = portAlone
	flags.Var(&f.touch, "touch", "memory that tacit's init touches before it reports")
	flags.Uint64Var(&f.seed, "seed", 0, "where all randomness in the machine comes from")
	flags.StringVar(&f.cost, "cost", "", "charge virtual time by `MODEL`: a name or a file (tacit cost --help; default: tacit's own for the platform)")
	completeWith(cmd, "host-attack", cobra.FixedCompletions(attackKinds(), cobra.ShellCompDirectiveNoFileComp))
	completeWith(cmd, "cost", completeModel)
	completeWith(cmd, "firmware-lie", cobra.FixedCompletions(lieKinds(), cobra.ShellCompDirectiveNoFileComp))
}

func attackKinds() (kinds []string) {
	for _, k := range attack.Kinds() {
		if k.Lie == "" {
			kinds = append(kinds, k.Name)
		}
	}
	return kinds
}

func lieKinds() (kinds []string) {
	for _, l := range firmware.Lies() {
		kinds = append(kinds, string(l.Kind))
	}
	return kinds
}

// checkAttack finds what is wrong with --host-attack, whatever is attacked. Without one there is nothing wrong.
func checkAttack(text string) error {
	if text == "" {
		return nil
	}
	if err := known(attackName(text), attackKinds()); err != nil {
		return fmt.Errorf("--host-attack %s: %w", text, err)
	}
	_, err := attack.Parse(text)
	return err
}

// attackHelp is the part of --help that explains attacks.
func attackHelp() string {
	var b strings.Builder
	b.WriteString("What the host can be told to do to the guest, KIND[:N][@MOMENT][#SEED]: at the N-th occasion from the moment on,\n" +
		"which is start, init, a function of the kernel's, an address or a number of instructions (docs/attacks.md):\n")
	for _, k := range attack.Kinds() {
		if k.Lie == "" {
			fmt.Fprintf(&b, "  %-15s %s\n", k.Name, k.Does)
		}
	}
	return b.String()
}

// lieHelp is the part of --help that explains lies.
func lieHelp() string {
	var b strings.Builder
	b.WriteString("What firmware can be told to say to the guest that is not so (docs/attacks.md):\n")
	for _, l := range firmware.Lies() {
		fmt.Fprintf(&b, "  %-12s %s\n", l.Kind, l.Meaning)
	}
	return b.String()
}

// checkCPUs finds a number of processors that says nothing.
func (f *bootFlags) checkCPUs(cmd *cobra.Command) error {
	if f.cpus == 0 && cmd.Flags().Changed("cpus") {
		return errors.New("--cpus 0: a machine has at least one processor")
	}
	return nil
}

// ownFirmware are the flags that are about tacit's own firmware, or need it.
var ownFirmware = []string{"firmware-accepts", "firmware-policy", "misalign", "firmware-lie", "unaccepted-table", "gop", "overlay", "reboots"}

// checkFirmware finds a flag that is about tacit's own firmware where that is not there.
func (f *bootFlags) checkFirmware(cmd *cobra.Command) error {
	if !cmd.Flags().Changed("firmware") {
		return nil
	}
	for _, name := range ownFirmware {
		if cmd.Flags().Changed(name) {
			return fmt.Errorf("--%s is for tacit's own firmware, which --firmware replaces", name)
		}
	}
	return nil
}

// check finds what is wrong with the flags whatever the machine is.
func (f *bootFlags) check(hasImage bool) error {
	switch {
	case f.memory == 0:
		return errors.New("--memory is 0")
	case f.reboots < 0:
		return fmt.Errorf("--reboots %d is negative", f.reboots)
	case f.reboots > 0 && f.ofOneMachine() != "":
		return fmt.Errorf("%s is about one machine, and --reboots lets there be several", f.ofOneMachine())
	case f.scheduleSeed != 0 && f.schedule.word == vm.SchedulePolicies[0]:
		return fmt.Errorf("--schedule-seed %d has no effect on %s: say --schedule random or adversarial", f.scheduleSeed, f.schedule.word)
	case f.screenshot != "" && f.screen.Resolution == (vm.Resolution{}):
		return errors.New("--screenshot is of a screen: let the machine have one, with --gop 1024x768")
	case f.overlay == "-":
		return errors.New("--overlay -: it is read, too, and has to be a file")
	case f.touch != 0 && f.initrd != "":
		return errors.New("--touch is for tacit's init, which --initrd replaces")
	case f.modules != "" && f.initrd != "":
		return errors.New("--modules is for tacit's init, which --initrd replaces")
	case f.modules != "" && !hasImage:
		return errors.New("--modules is for tacit's init, which starts on a kernel: give an IMAGE")
	case f.touch != 0 && !hasImage:
		return errors.New("--touch is for tacit's init, which starts on a kernel: give an IMAGE, or tacit's own guest --append hold=SIZE")
	}
	if err := cmp.Or(f.runFlags.check(), f.source.check()); err != nil {
		return err
	}
	if err := checkAttack(f.hostAttack); err != nil {
		return err
	}
	if f.firmwareLie != "" {
		if err := known(f.firmwareLie, lieKinds()); err != nil {
			return fmt.Errorf("--firmware-lie %s: %w", f.firmwareLie, err)
		}
	}
	if f.cost != "" {
		var err error
		if f.model, err = modelOf(f.cost); err != nil {
			return fmt.Errorf("--cost: %w", err)
		}
	}
	return vm.Config{
		Platform: f.platform.word, CPUs: f.cpus, Topology: f.topology.of(f.cpus), Engine: f.engine.word, Cost: f.model, Memory: uint64(f.memory), HostAttack: f.hostAttack, FirmwareLie: f.firmwareLie,
		Touch: uint64(f.touch),
	}.Check()
}

// files are what the command line names.
func (f *bootFlags) files(args []string, std streams) files {
	all := files{
		in:  []named{{by: "--initrd", path: f.initrd}, {by: "--firmware", path: f.firmware}, {by: "--modules", path: f.modules}, {by: "--cost", path: f.cost}},
		std: std,
	}
	in, out := f.runFlags.files()
	out = append(out, named{"--overlay", f.overlay, savedFile})
	for _, path := range f.disks {
		all.in = append(all.in, named{by: "--disk", path: path})
	}
	all.in, all.out = append(append(all.in, images(args)...), in...), append(all.out, out...)
	return all
}

// settings turns the flags into what the machine needs, and reads the files that it needs.
func (f *bootFlags) settings(ctx context.Context, args []string, hasCmdline bool) (s settings, err error) {
	s = settings{
		platform: f.platform.word, memory: uint64(f.memory), cpus: f.cpus, topology: f.topology.of(f.cpus), schedule: f.schedule.word, scheduleSeed: f.scheduleSeed,
		firmwareAccepts: max(uint64(f.firmwareAccepts.bytes), 1), firmwareAcceptsLikeOVMF: f.firmwareAccepts.ovmf,
		policy: f.policy.word, misalign: f.misalign, hostPage: 2 << 20, touch: uint64(f.touch), seed: f.seed, append: f.append,
		hostAttack: f.hostAttack, firmwareLie: f.firmwareLie, table: f.unacceptedTable, debugExit: uint16(f.debugExit), la57: f.la57, hpet: f.hpet, screen: f.screen.Resolution, cost: f.model, disks: f.disks, modules: f.modules,
		overlay: f.overlay, reboots: f.reboots, source: f.source,
	}
	f.runFlags.settings(&s)
	if f.hostPage.word == "4K" {
		s.hostPage = 4 << 10
	}
	if hasCmdline {
		s.commandLine = &f.cmdline
	}
	if len(args) == 1 {
		s.image = args[0]
	} else {
		s.own = len(f.disks) == 0
		s.prompt = s.own && f.interactive
	}
	if f.firmware != "" {
		b, err := readRegular(f.firmware, rom.MaxSize)
		if err != nil {
			return s, err
		}
		s.firmware = image.File{Name: filepath.Base(f.firmware), Data: b}
	}
	if f.initrd != "" {
		ctx, done := s.within(ctx)
		defer done()
		s.initrd, err = readInitrd(ctx, f.initrd, s.memory, cmp.Or(s.maxHostMemory, vm.DefaultMaxHostMemory()))
	}
	return s, err
}
