package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/compare/hunt"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// huntFlags is what the command line of tacit hunt can say: what the machine is like, as for tacit boot, and which orders are
// to be tried.
type huntFlags struct {
	bootFlags
	seeds, jobs int
	json        string
}

// ofHunt are the flags that tacit boot has not, or that mean something else there: what is found is repeated without them.
var ofHunt = []string{"seeds", "jobs", "json", "schedule", "schedule-seed", "max-virtual-time", "max-host-memory", "timeout"}

// huntCommand is tacit hunt.
func huntCommand(status *exitStatus) *cobra.Command {
	f := huntFlags{bootFlags: defaultMachine()}
	seeded := vm.SchedulePolicies[1:]
	f.schedule, f.scheduleSeed, f.quiet = choice{seeded[len(seeded)-1], seeded}, 1, true
	cmd := &cobra.Command{
		Use:   "hunt [IMAGE]",
		Short: "Look for races: boot a guest in one order of its processors after another",
		Long: "hunt boots IMAGE, or tacit's own guest, in the plain order of what its processors could do at the same time, and then in\n" +
			"others, seed after seed, several boots at a time, until one ends otherwise than the first: with a violation, a panic, an\n" +
			"exit code, or not at all within ten times as long. What is found is the lowest seed that does, however many boots there\n" +
			"are at a time, with the command that repeats it; gdb, traces and saved machines go with that. docs/processors.md says\n" +
			"what the orders are.\n\n" +
			"Flags that say what the machine is like are those of tacit boot.\n\n" +
			sourceHelp + sizeHelp + outputHelp +
			statusHelp(huntStatuses),
		Example: "  tacit hunt --platform snp --cpus 4 bzImage\n" +
			"  tacit hunt --seeds 1000 --schedule-seed 501 --json - race.efi",
		Args: func(cmd *cobra.Command, args []string) error {
			wrong := cmp.Or(f.checkCPUs(cmd), f.checkFirmware(cmd))
			if f.cpus == 0 && f.topology.text == "" {
				f.cpus = 2
			}
			return cmp.Or(wrong, atMostOne("IMAGE")(cmd, args), f.check(len(args) > 0), f.files(args, streamsOf(cmd)).check())
		},
		ValidArgsFunction: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := f.run(cmd, args)
			*status = result
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.seeds, "seeds", 100, "orders to try, `N`")
	flags.StringVar(&f.json, "json", "", "write what came of it, with the records of the plain order and of what was found, to `FILE`; - is standard output instead of text")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "boots at a time; 0 is one a processor")
	f.machine(cmd)
	f.source.add(flags)
	flags.Var(&f.maxVirtual, "max-virtual-time", "let a boot take so much virtual time (default: ten times what the plain order takes, and a second)")
	flags.DurationVar(&f.timeout, "timeout", 0, "give a boot up after so much time on the host; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what all boots at a time may take of the host's memory (default: most of what is available)")
	flags.StringVar(&f.symbols, "symbols", "", "name guest functions from `FILE`: a vmlinux or System.map of IMAGE")
	engineFlag(flags, &f.engine)
	flags.Lookup("schedule-seed").Usage = "begin with `SEED`"
	flags.Lookup("cpus").Usage = "processors, `N` up to 255 (default: as many as --topology has, or 2)"
	return cmd
}

// huntStatuses are the exit statuses of tacit hunt.
var huntStatuses = []statusMeaning{
	{0, "all seeds end as the plain order does"},
	{statusNo, "one does not, or the plain order ends with a violation or a panic already"},
	{statusUnknown, "none was found to, but of some seed nothing is known"},
	{statusError, "tacit could not run the image, or not write what was asked for"},
	{statusUsage, "the command line is wrong"},
	{statusOf(record.Cancelled), "it was interrupted: how far it came is shown"},
}

// check says what is wrong with the flags before anything takes time.
func (f *huntFlags) check(hasImage bool) error {
	switch {
	case f.jobs < 0:
		return errors.New("--jobs cannot be negative")
	case f.seeds < 1 || f.seeds > hunt.MaxSeeds:
		return fmt.Errorf("--seeds %d: want 1 to %d", f.seeds, hunt.MaxSeeds)
	}
	if err := f.bootFlags.check(hasImage); err != nil {
		return err
	}
	cfg := f.config(vm.Config{CPUs: f.cpus, Topology: f.topology.of(f.cpus), Schedule: f.schedule.word, ScheduleSeed: f.scheduleSeed})
	return cfg.Check()
}

func (f *huntFlags) config(m vm.Config) hunt.Config {
	m.MaxWall, m.Since = f.timeout, time.Time{} // of each boot
	return hunt.Config{Machine: m, Seeds: f.seeds, Workers: f.jobs}
}

// files are what the command line names.
func (f *huntFlags) files(args []string, std streams) files {
	all := f.bootFlags.files(args, std)
	all.out = append(all.out, named{"--json", f.json, textFile})
	return all
}

func (f *huntFlags) run(cmd *cobra.Command, args []string) (_ exitStatus, err error) {
	ctx, stdout, stderr := cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr()
	out := outputs{stdout: stdout}
	defer out.discard()
	file, err := out.create(ctx, f.json)
	if err != nil {
		return 0, err
	}
	line := newBootsProgress(stderr)
	defer line.close()
	r, err := f.hunt(cmd, args, line)
	if err != nil {
		return 0, err
	}
	line.close()
	r.Tool = versionText()
	if r.Found != nil {
		r.Again = f.again(cmd, args, r.Found)
	}
	err = errors.Join(file.fill(r.WriteJSON), out.keep())
	if !toStdout(f.json) {
		err = errors.Join(err, onPaper(stdout, r.WriteText))
	}
	status := exitStatus(0)
	switch {
	case r.Found != nil:
		return statusNo, err
	case len(r.Unjudged) > 0:
		status = statusUnknown
	}
	if ctx.Err() != nil {
		err = cmp.Or[error](err, interruption(fmt.Sprintf("cancelled: --schedule-seed %d goes on where it was", r.Next)))
	}
	return status, err
}

// hunt opens what the command line names, and boots it.
func (f *huntFlags) hunt(cmd *cobra.Command, args []string, line *bootsProgress) (*hunt.Result, error) {
	ctx := cmd.Context()
	s, err := f.settings(ctx, args, cmd.Flags().Changed("cmdline"))
	if err != nil {
		return nil, err
	}
	var disks disks
	defer disks.close()
	for _, path := range slices.Concat(args, f.disks) {
		line.reading(path)
	}
	m, err := s.config(ctx, &disks)
	if err != nil {
		return nil, err
	}
	cfg := f.config(m)
	cfg.Progress = func(done int, b *hunt.Boot) { line.ended(done, f.seeds, b, b.Order(), b.Outcome) }
	if line.watched() {
		cfg.Watch = func(b *hunt.Boot, reached record.Phase, at record.Progress) {
			line.watch(b, bootName{"", b.Order()}, reached, at)
		}
	}
	return hunt.Run(ctx, cfg)
}

// again are the words of a command that repeats what was found.
func (f *huntFlags) again(cmd *cobra.Command, args []string, found *hunt.Finding) []string {
	words := []string{"tacit", "boot"}
	add := func(name, value string) { words = append(words, "--"+name, value) }
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		list, several := flag.Value.(pflag.SliceValue)
		switch {
		case slices.Contains(ofHunt, flag.Name):
		case flag.NoOptDefVal != "": // its value stands behind =
			words = append(words, "--"+flag.Name+"="+flag.Value.String())
		case several:
			for _, value := range list.GetSlice() {
				add(flag.Name, value)
			}
		default:
			add(flag.Name, flag.Value.String())
		}
	})
	if !cmd.Flags().Changed("cpus") && f.cpus != 0 {
		add("cpus", fmt.Sprint(f.cpus))
	}
	if found.Seed != nil {
		add("schedule", f.schedule.word)
		add("schedule-seed", fmt.Sprint(*found.Seed))
	}
	if found.Record.Outcome == record.Limit {
		add("max-virtual-time", time.Duration(found.Record.Config.MaxVirtualNS).String())
	}
	return append(words, args...)
}
