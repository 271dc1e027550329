package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/vm"
)

// debugFlags is what tacit boot offers to look inside a run, and to take part in it.
type debugFlags struct {
	gdb         string
	gdbAnywhere bool

	trace     stretch
	traceFile string

	interactive bool
	inputLog    string
	replayInput string
}

func (f *debugFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.gdb, "gdb", "", "wait for gdb at TCP `[HOST]:PORT`, or at a socket that only you can use, unix:PATH, before the first instruction, and let it debug the guest (docs/debugging.md)")
	flags.BoolVar(&f.gdbAnywhere, "gdb-anywhere", false, "let --gdb listen on an address that other machines reach; anybody who connects owns the guest")
	flags.Var(&f.trace, "trace-instructions", "write a line about each of COUNT instructions, the first of which is number FROM")
	flags.StringVar(&f.traceFile, "trace-file", "", "write --trace-instructions to `FILE` instead of standard error")
	flags.BoolVarP(&f.interactive, "interactive", "i", false, "give the guest's console the keyboard; Ctrl-A x ends the run")
	flags.StringVar(&f.inputLog, "input-log", "", "write what is typed, and when, to `FILE`")
	flags.StringVar(&f.replayInput, "replay-input", "", "type what --input-log wrote to `FILE`, at the same instants: the same run again")
}

// files are what the flags name.
func (f *debugFlags) files() (in, out []named) {
	return []named{{by: "--replay-input", path: f.replayInput}},
		[]named{{"--trace-file", f.traceFile, textFile}, {"--input-log", f.inputLog, textFile}}
}

func (f *debugFlags) check() error {
	switch {
	case f.gdbAnywhere && f.gdb == "":
		return errors.New("--gdb-anywhere says how --gdb listens, and there is no --gdb")
	case f.traceFile != "" && f.trace.count == 0:
		return errors.New("--trace-file says where --trace-instructions writes, and there is no --trace-instructions")
	case f.inputLog != "" && !f.interactive && f.replayInput == "":
		return errors.New("--input-log writes what --interactive or --replay-input types, and there is neither")
	}
	if f.gdb == "" || strings.HasPrefix(f.gdb, "unix:") {
		return nil
	}
	return checkAddress("--gdb", f.gdb, ":PORT, HOST:PORT or unix:PATH")
}

// checkAddress says what form the address that a flag listens on should have, where it has another.
func checkAddress(flag, address, forms string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil {
		return fmt.Errorf("%s %q: give %s", flag, address, forms)
	}
	return nil
}

// traces says whether a trace goes to standard error.
func (f *debugFlags) traces() bool { return f.trace.count > 0 && f.traceFile == "" }

// open opens what the flags ask for and puts it into the settings. The function that it returns closes all of it but the
// outputs, and is never nil.
func (f *debugFlags) open(ctx context.Context, s *settings, out *outputs, stderr io.Writer) (closeAll func() error, err error) {
	var closers []func() error
	closeAll = func() (err error) {
		for _, c := range closers {
			err = errors.Join(err, c())
		}
		return err
	}
	if f.gdb != "" {
		if s.debugger, err = gdb.Listen(f.gdb, f.gdbAnywhere); err != nil {
			return closeAll, err
		}
		closers = append(closers, s.debugger.Close)
		fmt.Fprintf(stderr, "tacit: waiting for gdb: target remote %s\n", s.debugger.Addr())
	}
	if f.trace.count > 0 {
		w := io.Writer(stderr)
		if f.traceFile != "" {
			file, err := out.create(ctx, f.traceFile)
			if err != nil {
				return closeAll, err
			}
			buffered := bufio.NewWriterSize(file, 64<<10)
			closers = append(closers, buffered.Flush)
			w = buffered
		}
		s.trace = &vm.Trace{From: f.trace.from, Count: f.trace.count, Writer: w}
	}
	if f.replayInput != "" {
		if s.replay, err = readInput(f.replayInput); err != nil {
			return closeAll, err
		}
	}
	if f.inputLog != "" {
		file, err := out.create(ctx, f.inputLog)
		if err != nil {
			return closeAll, err
		}
		var failed error
		lines := json.NewEncoder(file) // unbuffered: what was typed is there whatever happens next
		s.typed = func(t vm.Typed) { failed = errors.Join(failed, lines.Encode(t)) }
		closers = append(closers, func() error { return failed })
	}
	return closeAll, nil
}

func readInput(path string) ([]vm.Typed, error) {
	file, _, err := openRegular(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	all, err := vm.ReadInput(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// stretch is a number of instructions, as a flag: FROM:COUNT.
type stretch struct{ from, count uint64 }

func (s *stretch) String() string {
	if s.count == 0 {
		return ""
	}
	return fmt.Sprintf("%d:%d", s.from, s.count)
}

func (s *stretch) Set(text string) error {
	from, count, _ := strings.Cut(text, ":")
	var err, err2 error
	s.from, err = strconv.ParseUint(from, 10, 64)
	s.count, err2 = strconv.ParseUint(count, 10, 64)
	if err != nil || err2 != nil || s.count == 0 {
		return errors.New("give the number of the first instruction and how many, such as 1000000:500")
	}
	return nil
}

func (*stretch) Type() string { return "FROM:COUNT" }
