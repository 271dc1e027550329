// Command tacit runs confidential virtual machines in software and says who accepted their memory.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/tacit-vm/tacit/record"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
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
			"and says who accepted which memory, when, and how much was left unaccepted.",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.AddCommand(benchCommand(), bootCommand(run, &status), certifyCommand(claimsOf, &status), demoCommand(&status), inspectCommand(&status), symbolsCommand(), versionCommand())
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)

	// An error before a subcommand starts is one in the command line.
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	switch err := root.ExecuteContext(ctx); {
	case err == nil:
		return int(status)
	case errors.Is(err, context.Canceled):
		fmt.Fprintln(stderr, "tacit: cancelled") // whatever it was that could not go on for it
		return int(statusOf(record.Cancelled))
	case errors.Is(err, context.DeadlineExceeded):
		fmt.Fprintf(stderr, "tacit: %v\n", errTimeout)
		return int(statusOf(record.Limit))
	default:
		if !started {
			fmt.Fprintf(stderr, "tacit: %v\n", err) // the words are those of the command line, and lines cobra's
			return statusUsage
		}
		complain(stderr, err)
		return statusError
	}
}
