// Command tacit runs confidential virtual machines in software and says who accepted their memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/record"
)

func main() {
	signals := []os.Signal{os.Interrupt, syscall.SIGTERM}
	if !signal.Ignored(syscall.SIGHUP) { // as nohup has it
		signals = append(signals, syscall.SIGHUP)
	}
	ctx, stop := signal.NotifyContext(context.Background(), signals...)
	// The first signal ends the run in good order; one that comes later finds the default handling and ends the
	// process. Not at once: timeout(1) and others send a signal to a process and to its group, so that it arrives
	// twice.
	context.AfterFunc(ctx, func() { time.AfterFunc(time.Second, stop) })
	os.Exit(execute(ctx, os.Args[1:], os.Stdout, os.Stderr, boot))
}

// execute runs one command line and returns the exit status.
func execute(ctx context.Context, args []string, stdout, stderr io.Writer, run machine) int {
	var status exitStatus
	root := &cobra.Command{
		Use:   "tacit",
		Short: "Run confidential virtual machines in software and see who accepts their memory",
		Long: "tacit runs unmodified kernels as confidential guests in a software machine, checks every access,\n" +
			"and says who accepted which memory, when, and how much was left unaccepted.\n\n" +
			"tacit completion makes a shell complete commands, flags and their values; tacit man writes all of this as a\n" +
			"manual page. On a terminal lines end at its width, and outcomes have colours unless NO_COLOR is set.",
		Version:       versionText(),
		Args:          noCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.AddCommand(
		attackCommand(&status),
		benchCommand(),
		bootCommand(run, &status),
		certifyCommand(claimsOf, &status),
		compareCommand(&status),
		costCommand(),
		demoCommand(&status),
		exportCommand(),
		guestCommand(&status),
		huntCommand(&status),
		inspectCommand(&status),
		manCommand(),
		resultsCommand(&status),
		resumeCommand(run, &status),
		scenarioCommand(&status),
		schemaCommand(),
		statusCommand(),
		stormCommand(&status),
		symbolsCommand(),
		versionCommand(),
		warmCommand(),
		workerCommand(),
	)
	root.SetVersionTemplate("{{.Version}}\n")
	root.SetFlagErrorFunc(wrongFlag)
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	complete(root)
	help := root.HelpFunc()
	var unwritten error // of help, which the library writes and does not look
	root.SetHelpFunc(func(cmd *cobra.Command, args []string) {
		unwritten = fitted(stdout, plain, func(w io.Writer) error {
			out := &errWriter{w: w}
			root.SetOut(out)
			help(cmd, args)
			return out.err
		})
	})

	// An error before a subcommand starts is one in the command line.
	started := false
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error {
		if err := emptyFile(cmd); err != nil {
			return err
		}
		started = true
		return nil
	}
	switch err := root.ExecuteContext(ctx); {
	case err == nil && unwritten != nil:
		complain(stderr, unwritten)
		return statusError
	case err == nil:
		return int(status)
	case errors.Is(err, context.Canceled):
		said := interruption("cancelled") // whatever it was that could not go on for it
		errors.As(err, &said)
		fmt.Fprintf(stderr, "tacit: %v\n", said)
		return int(statusOf(record.Cancelled))
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(stderr, "tacit: %v\n", errTimeout)
		return int(statusOf(record.Limit))
	default:
		complain(stderr, err)
		var unwritable *fs.PathError // of the version, for which nothing starts
		if !started && !(errors.As(err, &unwritable) && unwritable.Op == "write") {
			return statusUsage
		}
		return statusError
	}
}

// An interruption is a cancelled context of which there is something to say.
type interruption string

func (i interruption) Error() string { return string(i) }

func (interruption) Unwrap() error { return context.Canceled }
