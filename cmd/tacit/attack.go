package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/trial"
	"github.com/tacit-vm/tacit/vm"
)

type attackFlags struct {
	platforms     []string
	attacks       []string
	seeds         int
	memory        size
	append        string
	modules       []string
	jobs          int
	timeout       time.Duration
	maxHostMemory size
	json, junit   string
	markdown      string
	own, list     bool
}

// allPlatforms is what --platform says for all that promise something.
const allPlatforms = "all"

// attackCommand is tacit attack.
func attackCommand(status *exitStatus) *cobra.Command {
	f := attackFlags{platforms: []string{allPlatforms}, memory: 4 << 30}
	cmd := &cobra.Command{
		Use:   "attack IMAGE…",
		Short: "Try the published attacks on confidential guests against images",
		Long: "attack starts each IMAGE (" + packages + ", a bzImage, an EFI application) once on every platform that is asked for,\n" +
			"and runs one copy of the guest to its end under an honest host, and one under each attack of the catalogue, several at\n" +
			"once. The guest has held if it died as is promised or was not harmed; it is broken if it took its host's bytes for its\n" +
			"own, lost memory in silence, or went on after a fatal answer. An attack for which there was no occasion has shown\n" +
			"nothing, and is no success. A signal ends it within a second, and what was seen until then is in the table and the\n" +
			"files.\n\n" +
			"--attack takes names of the catalogue, which --list shows, with commas between them, or KIND[:N][@MOMENT][#SEED]: at the\n" +
			"N-th occasion from the moment on, which is start, init, a function of the kernel's, an address or a number of\n" +
			"instructions. tacit boot --host-attack repeats one of them; docs/attacks.md says what each means.\n\n" +
			"Attacks by devices, and on what asks for a quote, are tried in a machine with a disk; the drivers are modules out of the\n" +
			"kernel's package. Newer ones have them apart, in linux-modules-…: --modules names it.\n\n" +
			statusHelp(attackStatuses),
		Example: "  tacit attack linux-image-6.12.107+deb13-cloud-amd64.deb\n" +
			"  tacit attack --platform snp --attack vc-vmmcall,int80 bzImage\n" +
			"  tacit attack --list",
		Args: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return noArguments(cmd, args)
			}
			if f.own && len(args) == 0 {
				return cmp.Or(f.check(), f.files(args, streamsOf(cmd)).check())
			}
			return cmp.Or(atLeastOne("IMAGE")(cmd, args), f.check(), f.files(args, streamsOf(cmd)).check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.list {
				return onPaper(cmd.OutOrStdout(), func(w io.Writer) error {
					out := &errWriter{w: w}
					writeCatalogue(out)
					return out.err
				})
			}
			result, err := f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
			*status = result
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&choices{chosen: &f.platforms, allowed: append(vm.ConfidentialPlatforms(), allPlatforms)}, "platform", "platforms")
	flags.StringSliceVar(&f.attacks, "attack", nil, "try these `ATTACKS` alone, separated by commas (default: all but those by broken hardware)")
	flags.IntVar(&f.seeds, "seeds", 1, "try each attack so often, with other values and occasions each time")
	flags.BoolVar(&f.list, "list", false, "show the catalogue, and try nothing")
	flags.BoolVar(&f.own, "own-guest", false, "try tacit's own guest, before what is named")
	flags.Var(&f.memory, "memory", "memory of each guest")
	flags.StringVar(&f.append, "append", "", "add `WORDS` to the kernels' command lines")
	flags.StringSliceVar(&f.modules, "modules", nil, "look for the drivers of a kernel in `PACKAGES`, separated by commas, where its own has none")
	flags.IntVarP(&f.jobs, "jobs", "j", 0, "trials at a time; 0 is one a processor")
	flags.DurationVar(&f.timeout, "timeout", 0, "end a trial after so much time on the host; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what all trials at a time may take of the host's memory (default: most of what is available)")
	flags.StringVar(&f.json, "json", "", "write the report, with the record of every trial, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.junit, "junit", "", "write JUnit XML to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.markdown, "markdown", "", "write what was seen as a table of docs/attacks.md to `FILE`")
	completeWith(cmd, "attack", completeList(catalogueNames()))
	return cmd
}

// attackStatuses are the exit statuses of tacit attack.
var attackStatuses = []statusMeaning{
	{0, "every image held against every attack"},
	{statusNo, "an attack broke an image"},
	{statusUnknown, "none did, but one was not reached, or could not be judged"},
	{statusError, "no image could be read, or tacit could not write what was asked for"},
	{statusUsage, "the command line is wrong"},
	{statusOf(record.Cancelled), "it was interrupted: what had been tried by then is shown"},
}

func catalogueNames() (names []string) {
	for _, a := range trial.Attacks() {
		names = append(names, a.Name)
	}
	return names
}

// writeCatalogue shows all attacks.
func writeCatalogue(out *errWriter) {
	for _, a := range trial.Attacks() {
		out.printf("%s  (%s)\n  the host %s\n  source    %s\n", a.Name, strings.Join(a.Platforms, ", "), a.Does, a.Source)
		if a.Promise != "" {
			out.printf("  promised  %s\n", a.Promise)
		}
		if a.Hardware {
			out.printf("  broken hardware: no guest can hold, and it is tried only where --attack names it\n")
		}
		if a.Duty != "" {
			out.printf("  a guest has to %s\n", a.Duty)
		}
	}
}

func (f *attackFlags) run(ctx context.Context, paths []string, stdout, stderr io.Writer) (_ exitStatus, err error) {
	out := outputs{stdout: stdout}
	defer out.discard()
	files, err := out.createAll(ctx, f.json, f.junit, f.markdown)
	if err != nil {
		return 0, err
	}

	line := newBootsProgress(stderr)
	defer line.close()
	cfg := f.config()
	cfg.Progress = func(done, all int, t *trial.Trial) {
		line.ended(done, all, t, t.Image, t.Platform, t.As, string(t.Verdict))
	}
	if line.watched() {
		cfg.Watch = func(t *trial.Trial, reached record.Phase, at record.Progress) {
			line.watch(t, bootName{t.Image, t.Platform + "/" + t.Attack}, reached, at)
		}
	}
	if cfg.Subjects, err = f.subjects(ctx, paths, &cfg, line); err != nil {
		return 0, err
	}
	r, err := trial.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	line.close()
	r.Tool = versionText()
	if !toStdout(f.json) && !toStdout(f.junit) && !toStdout(f.markdown) {
		err = onPaper(stdout, r.WriteTable)
	} else {
		_, err = fmt.Fprintf(stderr, "tacit: %s\n", r.Summary())
	}
	status := exitStatus(0)
	switch {
	case r.Count(trial.Broken) > 0:
		status = statusNo
	case r.Count(trial.Held) < len(r.Trials):
		status = statusUnknown
	}
	return status, errors.Join(err, files[0].fill(r.WriteJSON), files[1].fill(r.WriteJUnit), files[2].fill(r.WriteMarkdown), out.keep(), ctx.Err())
}

func (f *attackFlags) config() trial.Config {
	cfg := trial.Config{
		Platforms: f.platforms, Attacks: f.attacks, Seeds: f.seeds, Memory: uint64(f.memory), Append: f.append,
		Workers: f.jobs, MaxWall: f.timeout, MaxHostMemory: uint64(f.maxHostMemory),
	}
	if slices.Contains(f.platforms, allPlatforms) {
		cfg.Platforms = nil
	}
	return cfg
}

// subjects opens the images. One that cannot be read is a subject, too: its error ends nothing, unless there is none that can.
func (f *attackFlags) subjects(ctx context.Context, paths []string, cfg *trial.Config, line *bootsProgress) ([]trial.Subject, error) {
	var all []trial.Subject
	if f.own {
		img, err := image.Parse(guest.DemoName, guest.Demo())
		if err != nil {
			return nil, err
		}
		all = append(all, trial.Subject{Image: img})
	}
	for _, path := range paths {
		line.reading(path)
		s := trial.Subject{Path: path}
		s.Image, s.Err = openImage(ctx, path)
		if cfg.WantsDrivers() {
			s.Modules, s.Err = f.modulesOf(ctx, path, s)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	var errs []error
	for _, s := range all {
		errs = append(errs, s.Err)
	}
	if !slices.Contains(errs, nil) {
		return nil, errors.Join(errs...)
	}
	return all, nil
}

// modulesOf are the drivers of an image's kernel: out of its own package, or else of those that are named.
func (f *attackFlags) modulesOf(ctx context.Context, path string, s trial.Subject) ([]image.File, error) {
	if s.Err != nil || s.Image.Kind != image.BzImage {
		return nil, s.Err
	}
	for _, from := range append([]string{path}, f.modules...) {
		if all, err := image.KernelModules(ctx, from, s.Image.Name, trial.Drivers); len(all) > 0 || err != nil {
			return all, err
		}
	}
	return nil, nil
}

// files are what the command line names.
func (f *attackFlags) files(args []string, std streams) files {
	return files{in: images(args), out: []named{{"--json", f.json, textFile}, {"--junit", f.junit, textFile}, {"--markdown", f.markdown, textFile}}, std: std}
}

// check finds what is wrong with the flags before anything takes time.
func (f *attackFlags) check() error {
	switch {
	case f.timeout < 0 || f.jobs < 0:
		return errors.New("--timeout and --jobs cannot be negative")
	case f.seeds < 1:
		return errors.New("--seeds: an attack is tried once, or more often")
	case f.memory == 0:
		return errors.New("--memory is 0")
	}
	for _, text := range f.attacks {
		if err := known(attackName(text), catalogueNames()); err != nil {
			return fmt.Errorf("--attack %s: %w", text, err)
		}
	}
	cfg := f.config()
	if err := cfg.Check(); err != nil {
		return err
	}
	return vm.Config{Memory: uint64(f.memory)}.Check()
}

// attackName is the name in KIND:N@MOMENT#SEED.
func attackName(text string) string {
	if i := strings.IndexAny(text, ":@#"); i >= 0 {
		return text[:i]
	}
	return text
}
