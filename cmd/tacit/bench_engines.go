package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/internal/bench"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/vm"
)

// sideFlags are those of the commands that hold things side by side.
type sideFlags struct {
	runs   int
	kernel string
	ovmf   string
}

func (f *sideFlags) register(cmd *cobra.Command, kernel bool) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.IntVar(&f.runs, "runs", 9, "measure `N` times, in turn")
	if kernel {
		flags.StringVar(&f.kernel, "kernel", "", "boot `IMAGE` instead of the newest kernel in kernels/")
	}
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := noCommand(cmd, args); err != nil {
			return err
		}
		if f.runs < 1 {
			return errors.New("--runs: want at least 1")
		}
		return files{in: []named{{by: "--kernel", path: f.kernel}, {by: "--ovmf", path: f.ovmf}}, std: streamsOf(cmd)}.check()
	}
	cmd.ValidArgsFunction = cobra.NoFileCompletions
}

// progress says which run begins.
func (f *sideFlags) progress(stderr io.Writer) func(string, int) {
	return func(name string, round int) { fmt.Fprintf(stderr, "tacit: %s, run %d of %d\n", name, round+1, f.runs) }
}

func benchEnginesCommand() *cobra.Command {
	var f sideFlags
	cmd := &cobra.Command{
		Use:   "engines",
		Short: "Hold boots under each engine, and QEMU's, side by side",
		Long: "engines boots a kernel to power-off under tacit's engines and under QEMU's, each in a process of its own, in turn,\n" +
			"and prints what that took: processor time, time that passed, resident memory, and the ratio to QEMU with OVMF, round\n" +
			"by round. All boot the same bzImage, taken out of its package before, with the same initrd, which switches the\n" +
			"machine off, and command line. QEMU runs plain guests only; tacit-none is the like of it. What is not installed is\n" +
			"left out, and said.",
		Example: "  tacit bench engines\n  tacit bench engines --runs 1 --kernel bzImage",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.engines(cmd.Context(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd, true)
	cmd.Flags().StringVar(&f.ovmf, "ovmf", "/usr/share/OVMF/OVMF_CODE_4M.fd", "firmware for QEMU: `FILE`, with OVMF_VARS_4M.fd beside it")
	return cmd
}

// benchCommandLine is what the kernel is told under QEMU and under tacit.
const benchCommandLine = "console=ttyS0 earlyprintk=ttyS0 panic=-1"

func (f *sideFlags) engines(ctx context.Context, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "tacit-bench-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	g, err := f.guest(ctx, dir)
	if err != nil {
		return err
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	all := bench.QEMU(g, dir, f.ovmf)
	for _, platform := range []string{vm.None, vm.TDX} {
		for _, engine := range []string{vm.Interpreter, vm.Translator} {
			p := bench.Process{Args: []string{
				program, "boot", "-q", "--engine", engine, "--platform", platform, "--memory", fmt.Sprintf("%dM", g.Memory>>20),
				"--initrd", g.Initrd, "--cmdline", g.CommandLine, g.Kernel,
			}}
			c := bench.Contender{Name: "tacit-" + platform + "-" + engine, Run: p.Run}
			if engine == vm.Translator {
				c.Missing = x86.TranslatorAvailable()
			}
			all = append(all, c)
		}
	}
	s, err := bench.MeasureSideBySide(ctx, all[0].Name, all, f.runs, f.progress(stderr))
	if err != nil {
		return err
	}
	return onPaper(stdout, s.WriteTable)
}

// guest puts the files of the guest into a directory.
func (f *sideFlags) guest(ctx context.Context, dir string) (bench.Guest, error) {
	g := bench.Guest{Kernel: filepath.Join(dir, "bzImage"), Initrd: filepath.Join(dir, "initrd"), CommandLine: benchCommandLine, Memory: 4 << 30}
	img, err := benchImage(ctx, f.kernel)
	if err != nil {
		return g, err
	}
	if img.Kind != image.BzImage {
		return g, fmt.Errorf("%s is no bzImage, which QEMU could start without firmware", img.Name)
	}
	initrd, err := image.Initramfs(image.File{Name: "init", Mode: 0o755, Data: guest.Init()})
	if err != nil {
		return g, err
	}
	return g, errors.Join(os.WriteFile(g.Kernel, img.Data, 0o600), os.WriteFile(g.Initrd, initrd, 0o600))
}

func benchLoopsCommand() *cobra.Command {
	var f sideFlags
	cmd := &cobra.Command{
		Use:   "loops",
		Short: "Hold loops under each engine beside the same machine code on the host's processor",
		Long: "loops runs each of tacit bench's loops as a program of its own on the host's processor, where that is an amd64 one with\n" +
			"Linux, and under each engine, in turn, and prints rates in million instructions or bytes a second of processor time,\n" +
			"and how many times as long it takes. Loops that need privileges do not run natively.",
		Example: "  tacit bench loops --runs 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			all, err := bench.MeasureLoops(cmd.Context(), bench.Loops(), f.runs, f.progress(cmd.ErrOrStderr()))
			if err != nil {
				return err
			}
			return onPaper(cmd.OutOrStdout(), func(w io.Writer) error { return bench.WriteLoops(w, all) })
		},
	}
	f.register(cmd, false)
	return cmd
}

func benchParallelCommand() *cobra.Command {
	var f sideFlags
	var engine choice
	cmd := &cobra.Command{
		Use:   "parallel",
		Short: "Measure how much sooner eight boots are done on all processors than on one",
		Long: "parallel has tacit certify boot a kernel in eight ways on one processor and on all, and runs a loop of native\n" +
			"instructions on one and on each, and prints how many times as fast all processors are for either, and the ratio\n" +
			"of the two: what certify makes of the processors that there are. Two threads of one core are no two processors,\n" +
			"and the loop shows it.",
		Example: "  tacit bench parallel --runs 3",
		RunE: func(cmd *cobra.Command, _ []string) error {
			return f.parallel(cmd.Context(), engine.word, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f.register(cmd, true)
	engineFlag(cmd.Flags(), &engine)
	engine.allowed = vm.Engines[:3]
	inherited := cmd.Args
	cmd.Args = func(cmd *cobra.Command, args []string) error {
		if err := inherited(cmd, args); err != nil {
			return err
		}
		return vm.Config{Engine: engine.word}.Check()
	}
	return cmd
}

func (f *sideFlags) parallel(ctx context.Context, engine string, stdout, stderr io.Writer) error {
	path := f.kernel
	if path == "" {
		var err error
		if path, err = newestHere(); err != nil {
			return err
		}
	}
	program, err := os.Executable()
	if err != nil {
		return err
	}
	certify := func(ctx context.Context, workers int) (bench.Usage, error) {
		p := bench.Process{
			Args: []string{
				program, "certify", "--engine", engine, "--inspect=false", "--keep=false", "--jobs", strconv.Itoa(workers),
				"--platform", "tdx,snp", "--policy", "negotiate,lazy", "--memory", "2G,4G", path,
			},
			Env: []string{"GOMAXPROCS=" + strconv.Itoa(workers)},
		}
		return p.Run(ctx)
	}
	p, err := bench.MeasureParallel(ctx, certify, f.runs, f.progress(stderr))
	if err != nil {
		return err
	}
	return onPaper(stdout, p.WriteTable)
}
