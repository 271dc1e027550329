package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/internal/schema"
	"github.com/tacit-vm/tacit/scenario"
	"github.com/tacit-vm/tacit/vm"
)

// scenarioCommand is tacit scenario.
func scenarioCommand(status *exitStatus) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "scenario",
		Short: "Boot what users have met, and say whether it happens here as well",
		Long: "scenario boots what users have reported of unaccepted memory, named after the thread in which they did, and says what\n" +
			"was expected, by whose word, and what was seen. list shows them all, run runs some or all (docs/scenarios.md).",
		Args: noCommand,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(scenarioListCommand(), scenarioRunCommand(status))
	return cmd
}

func scenarioListCommand() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "list",
		Short: "Show all scenarios, with their threads, and what each needs",
		Long:  "list shows all scenarios: what users met, where, what is expected here, and which of Debian's packages it takes.\n",
		Args: func(cmd *cobra.Command, args []string) error {
			return cmp.Or(noArguments(cmd, args), files{out: []named{{"--json", path, textFile}}, std: streamsOf(cmd)}.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := scenario.All()
			if path == "" {
				return onPaper(cmd.OutOrStdout(), func(w io.Writer) error { return scenario.WriteList(w, all) })
			}
			return writing(cmd, written{path, func(w io.Writer) error {
				return schema.Write(w, scenario.List{Schema: scenario.ListSchema, Scenarios: all})
			}})
		},
	}
	cmd.Flags().StringVar(&path, "json", "", "write the list to `FILE`; - is standard output instead of the text")
	return cmd
}

type scenarioFlags struct {
	all, long     bool
	kernels, json string
	timeout       time.Duration
	maxHostMemory size
}

func scenarioRunCommand(status *exitStatus) *cobra.Command {
	var f scenarioFlags
	cmd := &cobra.Command{
		Use:   "run NAME…",
		Short: "Run scenarios, and compare what is seen with what is expected",
		Long: "run boots what each scenario NAME needs (tacit scenario list), one machine after the other, and judges it: reproduced,\n" +
			"not reproduced, cannot be had, or not run, where a package is missing or a machine did not come to its end. A verdict\n" +
			"in capitals is another one than the scenario is known to come to. With --all the long ones are left out without --long.\n\n" +
			"Packages are looked for in the directory kernels/ of here or of the Go module that this is in; scripts/fetch-kernels\n" +
			"puts them there.\n\n" +
			statusHelp(scenarioStatuses),
		Example: "  tacit scenario run AMDSEV#200\n" +
			"  tacit scenario run --all --json scenarios.json",
		Args: func(cmd *cobra.Command, args []string) error { return f.check(cmd, args) },
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return scenario.Names(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			*status, err = f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.BoolVar(&f.all, "all", false, "run all scenarios")
	flags.BoolVar(&f.long, "long", false, "with --all: those that take long, too")
	flags.StringVar(&f.kernels, "kernels", "", "look for packages in `DIRECTORY` (default: kernels/)")
	flags.DurationVar(&f.timeout, "timeout", 0, "end a boot after so much time on the host; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "what a boot may take of the host's memory (default: most of what is available)")
	flags.StringVar(&f.json, "json", "", "write the report, with consoles and the record of every boot, to `FILE`; - is standard output instead of the table")
	completeWith(cmd, "kernels", func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return nil, cobra.ShellCompDirectiveFilterDirs
	})
	return cmd
}

// scenarioStatuses are the exit statuses of tacit scenario run.
var scenarioStatuses = []statusMeaning{
	{0, "each came to the verdict that it is known to come to"},
	{statusNo, "one came to another"},
	{statusUnknown, "none did, but one was not run"},
	{statusError, "tacit could not write what was asked for"},
	{statusUsage, "the command line is wrong"},
}

// check finds what is wrong with the command line.
func (f *scenarioFlags) check(cmd *cobra.Command, args []string) error {
	switch {
	case f.all && len(args) > 0:
		return errors.New("--all runs all scenarios: then none is named")
	case f.long && !f.all:
		return errors.New("--long is for --all: what is named is run however long it takes")
	case f.timeout < 0:
		return fmt.Errorf("--timeout %v is negative", f.timeout)
	case !f.all:
		if err := atLeastOne("NAME")(cmd, args); err != nil {
			return err
		}
	}
	for _, name := range args {
		if err := known(name, scenario.Names()); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return files{out: []named{{"--json", f.json, textFile}}, std: streamsOf(cmd)}.check()
}

func (f *scenarioFlags) run(ctx context.Context, names []string, stdout, stderr io.Writer) (exitStatus, error) {
	out := outputs{stdout: stdout}
	defer out.discard()
	jsonFile, err := out.create(ctx, f.json)
	if err != nil {
		return 0, err
	}
	line := newBootsProgress(stderr)
	defer line.close()
	cfg := scenario.Config{Packages: cmp.Or(f.kernels, packagesHere()), MaxWall: f.timeout, MaxHostMemory: cmp.Or(uint64(f.maxHostMemory), vm.DefaultMaxHostMemory())}
	cfg.Progress = func(s *scenario.Scenario, label string) { line.reading(s.Name + ", " + label) }
	r := &scenario.Report{Schema: scenario.Schema, Tool: versionText()}
	for _, s := range f.chosen(names) {
		result, err := s.Run(ctx, cfg)
		if err != nil {
			return 0, err
		}
		r.Scenarios = append(r.Scenarios, result)
	}
	line.close()
	if !toStdout(f.json) {
		err = onPaper(stdout, r.WriteTable)
	} else {
		_, err = fmt.Fprintf(stderr, "tacit: %s\n", r.Summary())
	}
	status := exitStatus(0)
	switch {
	case r.Others() > 0:
		status = statusNo
	case r.Count(scenario.NotRun) > 0:
		status = statusUnknown
	}
	return status, errors.Join(err, jsonFile.fill(r.WriteJSON), out.keep())
}

// chosen are the scenarios to run.
func (f *scenarioFlags) chosen(names []string) (chosen []*scenario.Scenario) {
	if f.all {
		for _, s := range scenario.All() {
			if f.long || !s.Long {
				chosen = append(chosen, s)
			}
		}
		return chosen
	}
	for _, name := range names {
		if s, ok := scenario.Named(name); ok { // as has been checked
			chosen = append(chosen, s)
		}
	}
	return chosen
}

// packagesHere is the directory kernels of here, or of the Go module that this is in.
func packagesHere() string {
	const name = "kernels"
	dir, err := os.Getwd()
	for err == nil {
		if info, err := os.Stat(filepath.Join(dir, name)); err == nil && info.IsDir() {
			return filepath.Join(dir, name)
		}
		_, found := os.Stat(filepath.Join(dir, "go.mod"))
		if parent := filepath.Dir(dir); found != nil && parent != dir {
			dir = parent
			continue
		}
		break
	}
	return name
}
