package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/internal/source"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

// resumeFlags is what the command line of tacit resume can say.
type resumeFlags struct {
	hostAttack string
	disks      []string
	runFlags
}

func resumeCommand(run machine, status *exitStatus) *cobra.Command {
	var f resumeFlags
	cmd := &cobra.Command{
		Use:   "resume FILE",
		Short: "Go on with a machine that tacit boot has saved",
		Long: "Goes on with the machine in FILE, which --save of tacit boot or of this command wrote, as if nothing had happened:\n" +
			"console, events and record are those of a run that was never interrupted. The machine, its memory and what it\n" +
			"boots are in FILE. What a run is looked at with is not, and can be another each time: gdb, traces of\n" +
			"instructions, files that are written, limits. A limit that is not given is that of the run before.\n\n" +
			"The disks of a machine are not in FILE, but what its guest has changed on them: give the same ones again, with --disk.\n" +
			"One that is another, by its checksum, is refused.\n\n" +
			"A host that was honest can begin to cheat: --host-attack counts its opportunities from here.\n\n" +
			sizeHelp +
			outputHelp +
			attackHelp() + "\n" +
			exitHelp(),
		Example: "  tacit boot --save-at init --save at-init bzImage\n" +
			"  tacit resume at-init\n" +
			"  tacit resume --gdb :1234 at-init\n" +
			"  tacit resume --host-attack drop:3 at-init",
		Args: func(cmd *cobra.Command, args []string) error {
			if err := f.runFlags.check(); err != nil {
				return err
			}
			if f.trace != "" || f.report != "" {
				return errors.New("--trace and --report show a run from where the machine is started: give them to tacit boot")
			}
			if len(args) != 1 {
				return fmt.Errorf("%s takes one FILE, and here are %d", cmd.CommandPath(), len(args))
			}
			if err := checkAttack(f.hostAttack); err != nil {
				return err
			}
			in, out := f.runFlags.files()
			for _, path := range f.disks {
				in = append(in, named{by: "--disk", path: path})
			}
			return files{in: append(in, named{by: "FILE", path: args[0]}), out: out, std: streamsOf(cmd)}.check()
		},
		ValidArgsFunction: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			s := settings{saved: args[0], hostAttack: f.hostAttack, disks: f.disks, source: sourceFlags{size: source.DefaultSize}}
			f.runFlags.settings(&s)
			s.callers = f.profile != "" || f.events != "" // or as it was
			ended, err := f.boot(cmd.Context(), run, s, streamsOf(cmd), false)
			if err == nil {
				*status = ended
			}
			return err
		},
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.hostAttack, "host-attack", "", "have the host cheat from here on: `KIND[:N][@MOMENT][#SEED]`, at the N-th opportunity")
	flags.StringArrayVar(&f.disks, "disk", nil, "the disk in `FILE`, which the machine had when it was saved; all of them, in the same order")
	f.runFlags.register(cmd)
	for _, whole := range []string{"trace", "report"} {
		if err := flags.MarkHidden(whole); err != nil {
			panic(err) // the flag is declared above
		}
	}
	completeWith(cmd, "host-attack", cobra.FixedCompletions(attackKinds(), cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// load reads a saved machine, which may have as much memory as the host.
func load(ctx context.Context, path string, config vm.Config) (*vm.Machine, error) {
	file, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	m, err := vm.Load(untilDone{ctx, file, nil}, config)
	if ctx.Err() != nil && err != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return m, nil
}

// drive runs a machine to its end, or to where it is to be saved, and saves it there.
func drive(ctx context.Context, m *vm.Machine, s settings) (*record.Record, error) {
	came, err := m.Run(ctx, s.saveAt)
	if err != nil {
		return nil, err
	}
	r, err := m.Record()
	switch {
	case s.save == nil || r == nil:
	case came:
		until, cancel := s.within(ctx)
		defer cancel()
		saved := s.save(func(w io.Writer) error { return m.Save(untilDone{until, nil, w}) })
		if errors.Is(saved, context.DeadlineExceeded) {
			saved = errors.New("--timeout was over while the machine was written, and nothing was saved")
		}
		err = errors.Join(err, saved)
	default:
		never := s.save(func(io.Writer) error {
			return fmt.Errorf("--save-at %s: the run has ended before that, and nothing was saved", s.saveAt)
		})
		if r.Outcome != record.Cancelled { // which says it
			err = errors.Join(err, never)
		}
	}
	return r, err
}

// untilDone reads and writes until its context is done.
type untilDone struct {
	ctx context.Context
	r   io.Reader
	w   io.Writer
}

func (u untilDone) Read(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.r.Read(b)
}

func (u untilDone) Write(b []byte) (int, error) {
	if err := u.ctx.Err(); err != nil {
		return 0, err
	}
	return u.w.Write(b)
}
