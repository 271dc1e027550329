package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/record/pprof"
)

// boot runs the machine and shows what it does. Chosen says that nobody has named an image. The outcome means
// something when there is no error.
func (f *bootFlags) boot(
	ctx context.Context, run machine, s settings, std streams, chosen bool,
) (_ record.Outcome, err error) {
	stdout, stderr := std.out, std.err
	jsonFile, err := create(f.json, stdout)
	if err != nil {
		return "", err
	}
	defer closeWith(&err, jsonFile)
	eventsFile, err := create(f.events, stdout)
	if err != nil {
		return "", err
	}
	defer closeWith(&err, eventsFile)
	var lines *record.Lines
	if eventsFile != nil {
		lines = record.NewLines(eventsFile)
		s.events = lines
	}
	profileFile, err := create(f.profile, stdout)
	if err != nil {
		return "", err
	}
	defer closeWith(&err, profileFile)
	if chosen && !f.quiet {
		fmt.Fprintln(stderr, "tacit: booting tacit's own guest; give it an IMAGE to boot that")
	}

	closeDebug, err := f.debugFlags.open(&s, stdout, stderr)
	if err != nil {
		return "", errors.Join(err, closeDebug())
	}
	defer func() { err = errors.Join(err, closeDebug()) }()

	shown := f.screen(stdout, stderr)
	until, cancel := s.within(ctx)
	defer cancel()
	out := newOutlet(until, shown)
	s.console, s.progress = out, out.progress
	r, err := f.attended(ctx, run, s, std)
	if out.Close() {
		err = errors.Join(err, shown.Close())
	}
	if lines != nil {
		err = errors.Join(err, lines.Close())
	}
	if r == nil {
		return "", err
	}
	if jsonFile != nil { // first: whoever reads standard error may not
		err = errors.Join(err, r.WriteJSON(jsonFile))
	}
	if profileFile != nil {
		err = errors.Join(err, pprof.Write(profileFile, r))
	}
	fmt.Fprintln(stderr)
	err = errors.Join(err, r.WriteSummary(stderr))
	if f.verbose {
		err = errors.Join(err, r.WriteDetails(stderr))
	}
	return r.Outcome, err
}

// streams are those of the process.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// attended runs the machine, with the keyboard where that is asked for.
func (f *bootFlags) attended(ctx context.Context, run machine, s settings, std streams) (*record.Record, error) {
	if !f.interactive {
		return run(ctx, s)
	}
	ctx, quit := context.WithCancel(ctx)
	defer quit()
	fmt.Fprintf(std.err, "tacit: %s\n", keyboardHelp)
	k, err := openKeyboard(std.in, quit)
	if err != nil {
		return nil, err
	}
	defer k.restore()
	s.keyboard = k.keys
	return run(ctx, s)
}

// screen decides where the console and the status line go.
func (f *bootFlags) screen(stdout, stderr io.Writer) *screen {
	console := stdout
	if f.json == "-" || f.events == "-" {
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

// create opens a file for output before the run, so that a wrong path is known then. It is nil for an empty path.
func create(path string, stdout io.Writer) (io.WriteCloser, error) {
	switch path {
	case "":
		return nil, nil
	case "-":
		return keepOpen{stdout}, nil
	}
	return os.Create(path)
}

type keepOpen struct{ io.Writer }

func (keepOpen) Close() error { return nil }

func closeWith(err *error, c io.Closer) {
	if c != nil {
		*err = errors.Join(*err, c.Close())
	}
}
