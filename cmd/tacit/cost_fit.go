package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/cost/measure"
	"github.com/tacit-vm/tacit/vm"
)

type measureFlags struct {
	platform, hostPage choice
	memory             size
	output             string
}

func costMeasureCommand() *cobra.Command {
	f := measureFlags{platform: choice{"", vm.PlatformNames()}, hostPage: choice{"", []string{"2M", "4K"}}}
	cmd := &cobra.Command{
		Use:   "measure",
		Short: "Measure what events cost, inside a confidential guest that runs Linux",
		Long: "measure is run in a guest, soon after its boot, by anybody, and takes some seconds. It times system calls, CPUID or\n" +
			"VMMCALL, and what it takes the kernel to accept memory: for that it touches memory until the kernel runs low on what\n" +
			"it has accepted, up to a gigabyte or half of what is available, and gives it back. It writes a file for tacit cost\n" +
			"fit. tacit is one static program: build it with CGO_ENABLED=0 and copy it there.",
		Example: "  tacit cost measure --host-page 2M -o measurements.yaml",
		Args: func(cmd *cobra.Command, args []string) error {
			all := files{out: []named{{"--output", f.output, textFile}}, std: streamsOf(cmd)}
			return cmp.Or(noArguments(cmd, args), all.check())
		},
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := outputs{stdout: cmd.OutOrStdout()}
			defer out.discard()
			to, err := out.create(cmd.Context(), cmp.Or(f.output, "-"))
			if err != nil {
				return err
			}
			s, err := measure.Take(cmd.Context(), measure.Options{
				Platform: f.platform.word, HostPage: f.hostPage.word, Memory: uint64(f.memory),
			})
			if err != nil {
				return err
			}
			for _, note := range s.Notes {
				fmt.Fprintf(cmd.ErrOrStderr(), "tacit: not measured: %s\n", note)
			}
			return errors.Join(to.fill(func(w io.Writer) error { return file.WriteMeasurements(w, s) }), out.keep())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.Var(&f.platform, "platform", "what the guest runs on (default: what it looks like)")
	flags.Var(&f.hostPage, "host-page", "size of the pages that the host maps for the guest, which it cannot see; without it nothing follows from acceptance")
	flags.Var(&f.memory, "memory", "touch so much memory at most (default: a gigabyte, or half of what is available)")
	flags.StringVarP(&f.output, "output", "o", "", "write to `FILE` instead of standard output")
	return cmd
}

type fitFlags struct {
	base, name, output string
}

func costFitCommand() *cobra.Command {
	var f fitFlags
	cmd := &cobra.Command{
		Use:   "fit MEASUREMENTS",
		Short: "Make a cost model of what was measured",
		Long: "fit reads what tacit cost measure wrote in a guest, and writes a model in which all numbers that follow from that are\n" +
			"measured, with how. A number that does not follow stays as it is in the base, and fit says why.",
		Example: "  tacit cost fit --name third-rack -o third-rack.yaml measurements.yaml\n" +
			"  tacit boot --cost third-rack.yaml IMAGE",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return fmt.Errorf("tacit cost fit takes one file of MEASUREMENTS, and here are %d", len(args))
			}
			all := files{
				in:  []named{{by: "MEASUREMENTS", path: args[0]}, {by: "--base", path: f.base}},
				out: []named{{"--output", f.output, textFile}}, std: streamsOf(cmd),
			}
			return cmp.Or(cost.CheckName(f.name), all.check())
		},
		ValidArgsFunction: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd, args[0])
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.name, "name", "measured", "call the model `NAME`")
	flags.StringVar(&f.base, "base", "", "take from `MODEL` what was not measured (default: tacit's own for the platform)")
	flags.StringVarP(&f.output, "output", "o", "", "write to `FILE` instead of standard output")
	completeWith(cmd, "base", completeModel)
	return cmd
}

func (f *fitFlags) run(cmd *cobra.Command, path string) error {
	in, _, err := openRegular(path)
	if err != nil {
		return err
	}
	defer in.Close()
	set, err := file.ReadMeasurements(in)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	base, err := cost.Of(set.Platform)
	if f.base != "" {
		base, err = modelOf(f.base)
	}
	if err != nil {
		return err
	}
	out := outputs{stdout: cmd.OutOrStdout()}
	defer out.discard()
	to, err := out.create(cmd.Context(), cmp.Or(f.output, "-"))
	if err != nil {
		return err
	}
	rows, refusals, err := measure.Fit(set, base)
	for _, r := range refusals {
		fmt.Fprintf(cmd.ErrOrStderr(), "tacit: no number from %s: %s\n", r.Kind, r.Why)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	m, err := cost.New(f.name, set.Platform, rows, nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(cmd.ErrOrStderr(), "tacit: %s; %s\n", m.Name(), estimatesOf(m))
	return errors.Join(to.fill(func(w io.Writer) error { return file.Write(w, m) }), out.keep())
}
