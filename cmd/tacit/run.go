package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/tacit-vm/tacit/record"
)

// boot runs the machine and shows what it does. Chosen says that no image was named. What it returns is
// the exit status where there is no error.
func (f *runFlags) boot(
	ctx context.Context, run machine, s settings, std streams, chosen bool,
) (_ exitStatus, err error) {
	stdout, stderr := std.out, std.err
	out := outputs{stdout: stdout}
	defer out.discard()
	written, err := f.views(ctx, &out, &s)
	if err != nil {
		return 0, err
	}
	if chosen && !f.quiet {
		fmt.Fprintln(stderr, "tacit: booting tacit's own guest; give it an IMAGE to boot that")
	}

	closeDebug, err := f.debugFlags.open(ctx, &s, &out, stderr)
	if err != nil {
		return 0, errors.Join(err, closeDebug())
	}

	shown := f.screen(stdout, stderr)
	until, cancel := s.within(ctx)
	defer cancel()
	passed := newOutlet(until, shown)
	s.console, s.progress = passed, passed.progress
	r, err := f.attended(ctx, run, s, std)
	if passed.Close() {
		err = errors.Join(err, shown.Close())
	}
	err = errors.Join(err, closeDebug())
	err = errors.Join(err, written.closeEvents())
	if r == nil {
		return 0, err
	}
	// The files come first: standard error may be a pipe that is not read.
	err = errors.Join(err, written.fill(r, s.timeline), out.keep())
	fmt.Fprintln(stderr)
	err = errors.Join(err, onPaper(stderr, r.WriteSummary))
	if f.verbose {
		err = errors.Join(err, onPaper(stderr, r.WriteDetails))
	}
	return exitStatusOf(r), err
}

// streams are those of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

func streamsOf(cmd *cobra.Command) streams {
	return streams{cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr()}
}

// attended runs the machine, with the keyboard where that is asked for.
func (f *runFlags) attended(ctx context.Context, run machine, s settings, std streams) (*record.Record, error) {
	if !f.interactive {
		return run(ctx, s)
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	fmt.Fprintf(std.err, "tacit: %s\n", keyboardHelp)
	var end []byte
	if s.prompt { // tacit's own guest ends with its input; what another one makes of a key is not known
		end = []byte{endKey}
	}
	k, err := openKeyboard(std.in, end, quit)
	if err != nil {
		return nil, err
	}
	defer k.restore()
	s.keyboard = k.keys
	return run(ctx, s)
}

// screen decides where the console and the status line go.
func (f *runFlags) screen(stdout, stderr io.Writer) *screen {
	console := stdout
	if _, out := f.files(); slices.ContainsFunc(out, func(n named) bool { return toStdout(n.path) }) {
		console = stderr
	}
	if f.quiet {
		return newScreen(io.Discard, nil, nil)
	}
	terminal, ok := stderr.(*os.File)
	if !ok || f.interactive || f.traces() || !term.IsTerminal(int(terminal.Fd())) || os.Getenv("TERM") == "dumb" {
		return newScreen(console, nil, nil)
	}
	return newScreen(console, terminal, func() int {
		width, _, err := term.GetSize(int(terminal.Fd()))
		if err != nil || width <= 0 {
			return 80
		}
		return width
	})
}
