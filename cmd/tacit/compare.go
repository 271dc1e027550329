package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/compare"
	"github.com/tacit-vm/tacit/compare/study"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// compareFlags is what the command line of tacit compare can say.
type compareFlags struct {
	studyFlags
	with    []string
	base    string
	failIf  []string
	callers bool

	json, html, svg string

	variants   []study.Variant // what with and failIf say
	conditions []compare.Condition
}

// compareCommand is tacit compare.
func compareCommand(status *exitStatus) *cobra.Command {
	f := compareFlags{studyFlags: studyFlags{platforms: vm.ConfidentialPlatforms(), memory: []string{"4G"}}}
	cmd := &cobra.Command{
		Use:   "compare [IMAGE…]",
		Short: "Hold boots side by side: lazy against eager, one kernel or firmware policy against another",
		Long: "compare boots each IMAGE (" + packages + ", a bzImage, an EFI application) on every\n" +
			"platform, with every amount of memory, in every way that is asked for, several at once, and shows side by side how\n" +
			"long it took to init, who accepted how much, and what the host had to do. Without IMAGE it boots tacit's own guest.\n\n" +
			"With one IMAGE, the other variants are held against the first, and with several the other images against the first;\n" +
			"--base names another. Where images differ, it says whose acceptance changed.\n\n" +
			variantHelp() + "\n" +
			"Words can be joined: eager-kernel+host-page-4K.\n\n" +
			conditionHelp() + "\n" +
			"With --resume FILE, boots that have come to their end are kept in FILE, and are not run again by the same program with\n" +
			"the same image and flags: after an interruption, or to ask for more.\n\n" +
			sizeHelp + outputHelp +
			statusHelp(compareStatuses),
		Example: "  tacit compare\n" +
			"  tacit compare --memory 4G,64G --with lazy,eager-firmware,eager-kernel --html lazy.html linux-image-6.12.deb\n" +
			"  tacit compare --platform tdx --with lazy --fail-if 'init > 1.05x' --fail-if 'accepted > 1.1x' old/bzImage new/bzImage",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(f.check(args), f.files(args, streamsOf(cmd)).check())
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
	flags.StringSliceVar(&f.with, "with", []string{"lazy", "eager-firmware", "eager-kernel"}, "ways to start a guest, `WORDS` with commas between them")
	flags.StringVar(&f.base, "base", "", "hold the others against `NAME`: an IMAGE as it is named here, or one of --with (default: the first)")
	flags.StringArrayVar(&f.failIf, "fail-if", nil, "exit with 3 if a boot is so, against its base: `CONDITION`, several with commas between them")
	flags.BoolVar(&f.callers, "callers", false, "say whose acceptance changed, where boots differ in --with, too")
	f.costFlag(cmd)
	f.boots(flags)
	flags.StringVar(&f.json, "json", "", "write the comparison, with the record of every boot, to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.html, "html", "", "write a page with pictures to `FILE`; - is standard output instead of the table")
	flags.StringVar(&f.svg, "svg", "", "write the picture alone to `FILE`; - is standard output instead of the table")
	completeWith(cmd, "base", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return f.with, cobra.ShellCompDirectiveDefault // or a file
	})
	completeWith(cmd, "with", completeList(variantWords()))
	completeWith(cmd, "fail-if", completeConditions)
	return cmd
}

// compareStatuses are the exit statuses of tacit compare.
var compareStatuses = []statusMeaning{
	{0, "all was compared, and no condition is met"},
	{statusNo, "a condition of --fail-if is met"},
	{statusUnknown, "none is met, but a boot did not get to its init, or a condition could not be told"},
	{statusError, "tacit could not read an image, or not write what was asked for"},
	{statusUsage, "the command line is wrong"},
	{statusOf(record.Cancelled), "it was interrupted: the boots that had come to their end are shown"},
}

func variantWords() (names []string) {
	for _, w := range study.Words() {
		names = append(names, w.Name)
	}
	return names
}

// variantHelp is the part of --help that explains the words of --with.
func variantHelp() string {
	var b strings.Builder
	b.WriteString("The ways in which a guest can be started, with --with:\n")
	for _, w := range study.Words() {
		fmt.Fprintf(&b, "  %-14s %s\n", w.Name, w.Meaning)
	}
	return b.String()
}

// conditionHelp is the part of --help that explains --fail-if.
func conditionHelp() string {
	var b strings.Builder
	b.WriteString("A CONDITION is a number, > or <, and how many times that of the base it is, such as 'init > 1.05x'. The numbers:\n")
	for _, m := range compare.Metrics() {
		fmt.Fprintf(&b, "  %-14s %s\n", m.Name, m.Meaning)
	}
	return b.String()
}

func completeConditions(_ *cobra.Command, _ []string, text string) (all []string, _ cobra.ShellCompDirective) {
	const none = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
	if strings.ContainsAny(text, "<>") {
		return nil, none
	}
	for _, m := range compare.Metrics() {
		all = append(all, m.Name+" > ")
	}
	return all, none
}

// check reads what the flags say before anything takes time.
func (f *compareFlags) check(args []string) error {
	if err := f.studyFlags.check(); err != nil {
		return err
	}
	f.variants, f.conditions = nil, nil
	for _, text := range f.with {
		v, err := study.ParseVariant(text)
		if err != nil {
			return fmt.Errorf("--with %s: %w", text, withNearest(err))
		}
		f.variants = append(f.variants, v)
	}
	for _, list := range f.failIf {
		for text := range strings.SplitSeq(list, ",") {
			c, err := compare.ParseCondition(text)
			if err != nil {
				return fmt.Errorf("--fail-if: %w", err)
			}
			f.conditions = append(f.conditions, c)
		}
	}
	cfg := f.config()
	cfg.Subjects = unread(args)
	if len(f.conditions) > 0 && len(cfg.Subjects) == 1 && len(f.variants) == 1 {
		return errors.New("--fail-if needs something to hold against something: two images, or two of --with")
	}
	return cfg.Check()
}

func (f *compareFlags) config() study.Config {
	cfg := f.studyFlags.config()
	cfg.Variants, cfg.Base, cfg.Conditions = f.variants, f.base, f.conditions
	return cfg
}

// files are what the command line names.
func (f *compareFlags) files(args []string, std streams) files {
	return files{in: f.inputs(args), out: []named{
		{"--json", f.json, textFile}, {"--html", f.html, textFile}, {"--svg", f.svg, textFile}, {"--resume", f.resume, textFile},
	}, std: std}
}

func (f *compareFlags) run(ctx context.Context, paths []string, stdout, stderr io.Writer) (_ exitStatus, err error) {
	out := outputs{stdout: stdout}
	defer out.discard()
	var files [3]*output
	for i, path := range []string{f.json, f.html, f.svg} {
		if files[i], err = out.create(ctx, path); err != nil {
			return 0, err
		}
	}
	s, err := f.study(ctx, f.config(), paths, stderr)
	if s == nil {
		return 0, err
	}
	// The files come first: standard output may be a pipe that is not read.
	err = errors.Join(err, files[0].fill(s.WriteJSON), files[1].fill(s.WritePage), files[2].fill(s.WritePicture), out.keep())
	if !toStdout(f.json) && !toStdout(f.html) && !toStdout(f.svg) {
		err = errors.Join(err, onPaper(stdout, func(w io.Writer) error { return s.WriteTable(w, study.Options{Callers: f.callers}) }))
	}
	status := exitStatus(0)
	switch {
	case s.Met():
		status = statusNo
	case !s.Complete():
		status = statusUnknown
	}
	return status, cmp.Or(err, ctx.Err())
}
