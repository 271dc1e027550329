package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/compare/storm"
	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// stormFlags is what the command line of tacit storm can say.
type stormFlags struct {
	studyFlags
	cpus  []string
	pages []string
	with  []string

	json, svg string

	variants []study.Variant // what cpus, pages and with say
}

// stormCommand is tacit storm.
func stormCommand(status *exitStatus) *cobra.Command {
	f := stormFlags{studyFlags: studyFlags{platforms: []string{vm.TDX}, memory: []string{"32G"}}, pages: []string{"4K"}}
	cmd := &cobra.Command{
		Use:   "storm IMAGE…",
		Short: "Show what many processors do to acceptance: a kernel booted with more and more of them",
		Long: "storm boots each IMAGE (" + packages + ", a bzImage, an EFI application) with every number of\n" +
			"processors, in every way that is asked for, and shows how long it took to init, how much was accepted, by the first\n" +
			"processor and by all, how many accepted at the same time, and what they waited for. Linux from 6.12 on accepts 4 MiB for\n" +
			"each look for a free page until it has watermarks, which it has when all processors are online (docs/storm.md).\n\n" +
			"Ways to accept are the words of tacit compare --with: lazy, eager-kernel and eager-firmware, and others.\n\n" +
			"With --resume FILE, boots that have come to their end are kept in FILE, and are not run again by the same program with\n" +
			"the same image and flags.\n\n" +
			sizeHelp + outputHelp +
			statusHelp(stormStatuses),
		Example: "  scripts/build-storm-kernels\n" +
			"  tacit storm --cpus 1,8,64 --svg storm.svg kernels/storm/storm kernels/storm/storm-without\n" +
			"  tacit storm --host-page 4K,2M --with lazy,eager-kernel --resume boots kernels/storm/storm",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(atLeastOne("IMAGE")(cmd, args), f.check(args), f.files(args, streamsOf(cmd)).check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			result, err := f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
			*status = result
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	f.machines(flags)
	flags.StringSliceVar(&f.cpus, "cpus", []string{"1", "8", "64", "248"}, "numbers of processors, with commas between them")
	flags.Var(&choices{chosen: &f.pages, allowed: []string{"2M", "4K"}}, "host-page", "sizes of the pages that the host adds")
	flags.StringSliceVar(&f.with, "with", []string{"lazy"}, "ways to accept, `WORDS` with commas between them")
	f.costFlag(cmd)
	f.boots(flags)
	flags.StringVar(&f.json, "json", "", "write the figures to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.svg, "svg", "", "write the picture to `FILE`; - is standard output instead of the table")
	completeWith(cmd, "with", completeList(variantWords()))
	return cmd
}

// stormStatuses are the exit statuses of tacit storm.
var stormStatuses = []statusMeaning{
	{0, "each boot got to its init"},
	{statusUnknown, "one did not, or was not what it is called"},
	{statusError, "tacit could not read an image, or not write what was asked for"},
	{statusUsage, "the command line is wrong"},
	{statusOf(record.Cancelled), "it was interrupted: the boots that had come to their end are shown"},
}

// check reads what the flags say before anything takes time.
func (f *stormFlags) check(args []string) (err error) {
	if err := f.studyFlags.check(); err != nil {
		return err
	}
	var cpus []int
	for _, text := range f.cpus {
		n, err := strconv.Atoi(text)
		switch {
		case err != nil:
			return fmt.Errorf("--cpus %s: give whole numbers, such as 1,8,64", text)
		case n == 0:
			return errors.New("--cpus: 0 processors")
		}
		if err := (vm.Config{CPUs: n}).Check(); err != nil {
			return fmt.Errorf("--cpus: %w", err)
		}
		cpus = append(cpus, n)
	}
	for _, way := range f.with {
		if _, err := study.ParseVariant(way); err != nil {
			return fmt.Errorf("--with %s: %w", way, withNearest(err))
		}
	}
	if f.variants, err = storm.Variants(f.with, f.pages, cpus); err != nil {
		return fmt.Errorf("--with: %w, and --host-page and --cpus say so of all", err)
	}
	cfg := f.config()
	cfg.Subjects = unread(args)
	return cfg.Check()
}

func (f *stormFlags) config() study.Config {
	cfg := f.studyFlags.config()
	cfg.Variants = f.variants
	return cfg
}

// files are what the command line names.
func (f *stormFlags) files(args []string, std streams) files {
	return files{in: f.inputs(args), out: []named{{"--json", f.json, textFile}, {"--svg", f.svg, textFile}, {"--resume", f.resume, textFile}}, std: std}
}

func (f *stormFlags) run(ctx context.Context, paths []string, stdout, stderr io.Writer) (_ exitStatus, err error) {
	out := outputs{stdout: stdout}
	defer out.discard()
	var files [2]*output
	for i, path := range []string{f.json, f.svg} {
		if files[i], err = out.create(ctx, path); err != nil {
			return 0, err
		}
	}
	boots, err := f.study(ctx, f.config(), paths, stderr)
	if boots == nil {
		return 0, err
	}
	s := storm.Of(boots)
	// The files come first: standard output may be a pipe that is not read.
	err = errors.Join(err, files[0].fill(s.WriteJSON), files[1].fill(s.WritePicture), out.keep())
	if !toStdout(f.json) && !toStdout(f.svg) {
		err = errors.Join(err, onPaper(stdout, s.WriteTable))
	}
	status := exitStatus(0)
	if !s.Complete {
		status = statusUnknown
	}
	return status, cmp.Or(err, ctx.Err())
}
