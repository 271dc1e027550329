package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/guest"
	"github.com/tacit-vm/tacit/guest/efi"
	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// machineFlags is what can be said of the machine that a program runs in.
type machineFlags struct {
	platform choice
	memory   size
	cpus     int
	seed     uint64
	timeout  time.Duration
	summary  bool
}

func newMachineFlags() machineFlags {
	return machineFlags{platform: choice{vm.TDX, vm.PlatformNames()}, memory: 4 << 30}
}

func (f *machineFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&f.platform, "platform", "what the guest runs on: an Intel TDX machine, an AMD SEV-SNP one, or one without memory encryption")
	flags.Var(&f.memory, "memory", "memory of the guest")
	flags.IntVar(&f.cpus, "cpus", 1, "processors, `N` up to 255")
	flags.Uint64Var(&f.seed, "seed", 0, "where all randomness in the machine comes from")
	flags.DurationVar(&f.timeout, "timeout", 0, "end the guest after so much time on the host, such as 90s or 5m; 0 is never")
	flags.BoolVar(&f.summary, "summary", false, "say at the end on standard error who accepted its memory, as tacit boot does")
}

func (f *machineFlags) check() error {
	if f.timeout < 0 {
		return fmt.Errorf("--timeout %v is negative", f.timeout)
	}
	return vm.Config{Platform: f.platform.word, Memory: uint64(f.memory), CPUs: f.cpus}.Check()
}

const guestExitHelp = "Exit status: the program's. Where it did not end by itself, what the outcome of the run is, as tacit boot --help lists\n" +
	"them, and why on standard error: 3 for a violation, 4 for a program out of memory, 6 for --timeout; 125 where it made\n" +
	"a system call that is not served."

// guestRunCommand is tacit guest run.
func guestRunCommand(status *exitStatus) *cobra.Command {
	f := struct {
		programFlags
		machineFlags
		out []string
	}{machineFlags: newMachineFlags()}
	cmd := &cobra.Command{
		Use:   "run PROGRAM [ARGUMENT…]",
		Short: "Run a Go program as a confidential guest",
		Long: "Runs PROGRAM with its ARGUMENTs as the whole software of a guest. What it writes goes to standard output.\n" +
			"Flags come before PROGRAM; what follows it is its own.\n\n" + programHelp + sizeHelp + guestExitHelp,
		Example: "  tacit guest run ./cmd/x\n" +
			"  tacit guest run --platform snp --memory 1G --files testdata=/data ./cmd/x -v /data\n" +
			"  tacit guest run --out /tmp/result.json --env GOCOVERDIR=/cover --out /cover/=cover ./cmd/x\n" +
			"  go test -exec 'tacit guest run --here' ./...",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errors.New("a PROGRAM is missing: an executable, or a package such as ./cmd/x")
			}
			return f.check()
		},
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			std := streamsOf(cmd)
			for _, s := range f.out {
				o, err := parseOutgoing(s)
				if err != nil {
					return err
				}
				f.outgoing = append(f.outgoing, o)
			}
			if f.here {
				all, err := testOutgoing(args[1:])
				if err != nil {
					return err
				}
				f.outgoing = append(f.outgoing, all...)
			}
			p, err := f.program(cmd.Context(), args[0], args[1:])
			if err != nil {
				return err
			}
			var sent arrivals
			if *status, err = f.run(cmd.Context(), p, std, &sent); err != nil {
				return err
			}
			return sent.bring(cmd.Context(), f.outgoing, std)
		},
	}
	cmd.Flags().SetInterspersed(false)
	f.programFlags.register(cmd)
	cmd.Flags().BoolVar(&f.here, "here", false, "put the working directory's files and its testdata into the guest, under the same name, and begin there, as go test has it")
	cmd.Flags().BoolVarP(&f.input, "stdin", "i", false, "pass standard input on to the program; without it, input is at its end")
	cmd.Flags().StringArrayVar(&f.out, "out", nil, "bring `NAME[=PATH]` out of the guest when its program has ended: a file, or a directory, which the guest has from the beginning where NAME ends in a slash; again for others")
	f.machineFlags.register(cmd)
	return cmd
}

// run runs a program, with what it sends out, and returns what tacit is to return for it.
func (f *machineFlags) run(ctx context.Context, p efi.Program, std streams, sent io.Writer) (exitStatus, error) {
	p.Raw = true // its output is to be the program's, byte for byte
	packed, err := efi.Pack(guest.Monitor(), p)
	if err != nil {
		return 0, err
	}
	img, err := image.Parse("program.efi", packed)
	if err != nil {
		return 0, err
	}
	none := ""
	cfg := vm.Config{
		Platform: f.platform.word, Memory: uint64(f.memory), CPUs: f.cpus, Seed: f.seed, Image: img, CommandLine: &none, Console: std.out, COM2: sent,
		FirmwareAccepts: max(256<<20, uint64(len(packed))+128<<20), MaxVirtual: -1, MaxWall: f.timeout, Callers: f.summary,
	}
	if p.Input {
		keys := make(chan []byte)
		ctx, done := context.WithCancel(ctx)
		defer done()
		go typeAll(ctx, std.in, keys)
		cfg.Keyboard = keys
	}
	r, err := vm.Run(ctx, cfg)
	if err != nil {
		return 0, err
	}
	if f.summary {
		fmt.Fprintln(std.err)
		if err := onPaper(std.err, r.WriteSummary); err != nil {
			return 0, err
		}
	}
	return f.status(r, std.err), nil
}

// typeAll passes input on until its end, which is Ctrl-D to the guest.
func typeAll(ctx context.Context, in io.Reader, keys chan<- []byte) {
	defer close(keys)
	for {
		b := make([]byte, 4096)
		n, err := in.Read(b)
		b = b[:n]
		if err != nil {
			b = append(b, 'D'-'@')
		}
		select {
		case keys <- b:
		case <-ctx.Done():
			return
		}
		if err != nil {
			return
		}
	}
}

// programEnd is what the kernel of the guest gives firmware for a reason when it switches off after its program (guest/kernel).
var programEnd = regexp.MustCompile(`^ResetSystem: power-off, [^"]*"exit status ([0-9]+)"$`)

// status is the program's exit status, or says how else the guest ended.
func (f *machineFlags) status(r *record.Record, stderr io.Writer) exitStatus {
	if r.Outcome == record.PowerOff {
		return 0
	}
	summary := ""
	if r.Diagnosis != nil {
		summary = r.Diagnosis.Summary
	}
	if m := programEnd.FindStringSubmatch(summary); m != nil && r.Outcome == record.GuestPanic {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return exitStatus(n)
		}
	}
	fmt.Fprintf(stderr, "tacit: the guest ended with outcome %s: %s\n", r.Outcome, summary)
	return statusOf(r.Outcome)
}

// thisProgram is the path of this program, by which go test starts it again.
func thisProgram() (string, error) {
	path, err := os.Executable()
	if err != nil {
		return "", fmt.Errorf("this program cannot be found, and go test has to start it: %w", err)
	}
	return path, nil
}
