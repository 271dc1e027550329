package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/pprof"
	"slices"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/bench"
	"github.com/tacit-vm/tacit/vm"
)

type benchFlags struct {
	kernel     string
	runs       int
	save       string
	compare    string
	cpuProfile string
	list       bool
	engine     choice
}

func benchCommand() *cobra.Command {
	var f benchFlags
	cmd := &cobra.Command{
		Use:   "bench [NAME…]",
		Short: "Measure how fast guests run",
		Long: "bench runs each workload several times and prints the median, the smallest and the largest rate: million instructions\n" +
			"of the guest in a second of processor time, or million bytes. The workloads are loops of machine code, each of one\n" +
			"kind of work, whole boots of a kernel to power-off, and programs that keep one and eight processors of a machine busy. Without NAME it runs them all; --list says which there are.\n" +
			"Rates go by processor time, so that other work on the host disturbs them little; the column wall is time that passed.\n\n" +
			"The commands below it hold engines side by side: whole boots, QEMU's among them; the loops, natively as well; and\n" +
			"boots on all processors at once (docs/bench.md).",
		Example: "  tacit bench --save before.json\n" +
			"  tacit bench --compare before.json integer carry boot-tdx\n" +
			"  tacit bench --cpuprofile cpu.out --runs 1 boot-tdx && go tool pprof -top cpu.out",
		ValidArgsFunction: func(*cobra.Command, []string, string) (names []string, _ cobra.ShellCompDirective) {
			all, _ := f.workloads(nil) // all of them: nothing can be wrong with that
			for _, w := range all {
				names = append(names, w.Name+"\t"+w.About)
			}
			return names, cobra.ShellCompDirectiveNoFileComp
		},
		Args: func(cmd *cobra.Command, names []string) error {
			_, err := f.workloads(names)
			if f.runs < 1 {
				err = errors.New("--runs: want at least 1")
			}
			return cmp.Or(err, (vm.Config{Engine: f.engine.word}).Check(), f.files(streamsOf(cmd)).check())
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return f.run(cmd.Context(), args, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.runs, "runs", 5, "run each workload `N` times")
	flags.StringVar(&f.kernel, "kernel", "", "boot `IMAGE` instead of the newest kernel in kernels/")
	flags.StringVar(&f.save, "save", "", "write what was measured to `FILE`")
	flags.StringVar(&f.compare, "compare", "", "compare with `FILE` that --save has written: ratios, marked where the spreads do not meet")
	flags.StringVar(&f.cpuProfile, "cpuprofile", "", "write a profile of the processor time to `FILE`, for go tool pprof")
	engineFlag(flags, &f.engine)
	f.engine.allowed = vm.Engines[:3] // lock-step is no measure of anything
	flags.BoolVar(&f.list, "list", false, "say which workloads there are, and run none")
	cmd.AddCommand(benchEnginesCommand(), benchLoopsCommand(), benchParallelCommand())
	return cmd
}

// maxReport bounds what --save has written, in bytes.
const maxReport = 16 << 20

func (f *benchFlags) run(ctx context.Context, names []string, stdout, stderr io.Writer) error {
	workloads, err := f.workloads(names)
	if err != nil {
		return err
	}
	if f.list {
		for _, w := range workloads {
			fmt.Fprintf(stdout, "%-14s  %s\n", w.Name, w.About)
		}
		return nil
	}
	var earlier *bench.Report
	if f.compare != "" {
		text, err := readRegular(f.compare, maxReport)
		if err != nil {
			return err
		}
		if earlier, err = bench.Read(text); err != nil {
			return fmt.Errorf("%s: %w", f.compare, err)
		}
	}
	out := outputs{stdout: stdout}
	defer out.discard()
	saved, err := out.create(ctx, f.save)
	if err != nil {
		return err
	}
	profile, err := out.create(ctx, f.cpuProfile)
	if err != nil {
		return err
	}
	if profile != nil {
		if err := pprof.StartCPUProfile(profile); err != nil {
			return err
		}
		defer pprof.StopCPUProfile() // once more does nothing
	}

	report := bench.NewReport()
	for _, w := range workloads {
		result, err := bench.Measure(ctx, w, f.runs, func(run int) {
			fmt.Fprintf(stderr, "tacit: %s, run %d of %d\n", w.Name, run+1, f.runs)
		})
		if err != nil {
			return err
		}
		report.Results = append(report.Results, result)
	}
	pprof.StopCPUProfile()
	table := func(w io.Writer) error { return report.WriteTable(w, earlier) }
	return errors.Join(saved.fill(report.Write), profile.failed(), out.keep(), onPaper(stdout, table))
}

// files are what the command line names.
func (f *benchFlags) files(std streams) files {
	return files{
		in:  []named{{by: "--kernel", path: f.kernel}, {by: "--compare", path: f.compare}},
		out: []named{{"--save", f.save, textFile}, {"--cpuprofile", f.cpuProfile, gzipFile}},
		std: std,
	}
}

// workloads returns those that are named, or all.
func (f *benchFlags) workloads(names []string) ([]bench.Workload, error) {
	var all []bench.Workload
	for _, l := range bench.Loops() {
		all = append(all, l.Workload(engineOf(f.engine.word)))
	}
	for _, platform := range vm.PlatformNames() {
		all = append(all, f.boot(platform))
	}
	for _, cpus := range []int{1, 8} {
		all = append(all, bench.Busy(fmt.Sprintf("busy-%d", cpus), cpus, func(ctx context.Context) (vm.Config, error) {
			img, err := f.image(ctx)
			return vm.Config{Platform: vm.None, Image: img, Engine: f.engine.word}, err
		}))
	}
	if len(names) == 0 {
		return all, nil
	}
	var chosen []bench.Workload
	for _, name := range names {
		i := slices.IndexFunc(all, func(w bench.Workload) bool { return w.Name == name })
		if i < 0 {
			var names []string
			for _, w := range all {
				names = append(names, w.Name)
			}
			return nil, fmt.Errorf("no workload %s: %w", name, known(name, names))
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// boot is the boot of a kernel as a workload.
func (f *benchFlags) boot(platform string) bench.Workload {
	return bench.Boot("boot-"+platform, "a kernel from the EFI stub to power-off, on platform "+platform, func(ctx context.Context) (vm.Config, error) {
		img, err := f.image(ctx)
		return vm.Config{Platform: platform, Image: img, Engine: f.engine.word}, err
	})
}

func (f *benchFlags) image(ctx context.Context) (*image.Image, error) {
	return benchImage(ctx, f.kernel)
}

// benchImage opens the kernel that is named, or the newest one here.
func benchImage(ctx context.Context, path string) (*image.Image, error) {
	if path == "" {
		var err error
		if path, err = newestHere(); err != nil {
			return nil, err
		}
	}
	return openImage(ctx, path)
}
