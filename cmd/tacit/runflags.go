package main

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/tacit-vm/tacit/vm"
)

// runFlags is what can be said of a run, whether the machine is a new one or a saved one.
type runFlags struct {
	symbols string
	stub    string
	json    string
	profile string
	trace   string
	report  string
	events  string
	quiet   bool
	verbose bool

	maxInstructions uint64
	maxVirtual      virtualLimit
	maxHostMemory   size
	timeout         time.Duration
	cpuBlocks       int
	engine          choice
	translateAfter  int
	lockstepEvery   uint64

	saveAt event
	save   string

	screenshot string

	debugFlags
}

func (f *runFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Uint64Var(&f.maxInstructions, "max-instructions", 0, "stop after `N` instructions of the guest; 0 is never")
	flags.Var(&f.maxVirtual, "max-virtual-time", "stop after so much virtual time, such as 90s; 0 is never")
	flags.DurationVar(&f.timeout, "timeout", 0, "stop after so much time on the host, such as 90s or 5m; 0 is never")
	flags.Var(&f.maxHostMemory, "max-host-memory", "stop before more of the host's memory is taken (default: most of what is available)")
	flags.StringVar(&f.symbols, "symbols", "", "name guest functions from `FILE`: a vmlinux or System.map of IMAGE")
	flags.StringVar(&f.stub, "stub-symbols", "", "name functions of the EFI stub from `FILE`: arch/x86/boot/compressed/vmlinux of IMAGE's build")
	flags.StringVar(&f.json, "json", "", "write the record to `FILE`; - is standard output, and the console goes to standard error")
	flags.StringVar(&f.profile, "profile", "", "write who asked for memory to be accepted to `FILE`, for go tool pprof")
	flags.StringVar(&f.trace, "trace", "", "write what happened over virtual time to `FILE`, for ui.perfetto.dev (docs/trace.md)")
	flags.StringVar(&f.report, "report", "", "write what happened as a page of HTML to `FILE`: memory over time and over addresses, and who asked for it")
	flags.StringVar(&f.events, "events", "", "write each event to `FILE` as a line of JSON")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "show neither the console nor how far the run is")
	flags.BoolVarP(&f.verbose, "verbose", "v", false, "add phases and calls to the summary")
	flags.Var(&f.saveAt, "save-at", "end the run at `EVENT` and save the machine: init, accept:N, instruction:N, violation or up (docs/resume.md)")
	flags.StringVar(&f.save, "save", "", "save it to `FILE`, for tacit resume")
	flags.StringVar(&f.screenshot, "screenshot", "", "write what the screen of --gop shows at the end of the run to `FILE`, as PNG")
	engineFlag(flags, &f.engine)
	f.debugFlags.register(flags)
	flags.IntVar(&f.cpuBlocks, "cpu-blocks", 0, "cut blocks after so many instructions (for tests of determinism)")
	flags.IntVar(&f.translateAfter, "translate-after", 0, "translate blocks when they have been entered so often (for tests of the translator)")
	flags.Uint64Var(&f.lockstepEvery, "lockstep-every", 0, "in lock-step, compare after so many instructions instead of every block")
	for _, forTests := range []string{"cpu-blocks", "translate-after", "lockstep-every"} {
		if err := flags.MarkHidden(forTests); err != nil {
			panic(err) // the flag is declared above
		}
	}
}

// check finds what is wrong with the flags whatever the machine is.
func (f *runFlags) check() error {
	switch {
	case f.timeout < 0:
		return fmt.Errorf("--timeout %v is negative", f.timeout)
	case f.cpuBlocks < 0:
		return fmt.Errorf("--cpu-blocks %d is negative", f.cpuBlocks)
	case f.engine.word == vm.Lockstep && f.gdb != "":
		return errors.New("--engine lockstep compares two machines, and --gdb could change one of them")
	case f.lockstepEvery != 0 && f.engine.word != vm.Lockstep:
		return errors.New("--lockstep-every says how often --engine lockstep compares")
	case f.interactive && f.quiet:
		return errors.New("--interactive is for the console, which --quiet does not show")
	case f.saveAt.set() && f.save == "":
		return errors.New("--save-at says when the machine is saved; say where, with --save FILE")
	case f.save != "" && !f.saveAt.set():
		return errors.New("--save says where the machine is saved; say when, with --save-at EVENT")
	case f.screenshot == "-":
		return errors.New("--screenshot -: a picture is not for standard output, where the console is")
	case f.save == "-":
		return errors.New("--save -: a saved machine is not for standard output, where the console is")
	}
	if err := (vm.Config{Engine: f.engine.word, TranslateAfter: f.translateAfter}).Check(); err != nil {
		return err
	}
	return f.debugFlags.check()
}

// files are what the flags name.
func (f *runFlags) files() (in, out []named) {
	in, out = f.debugFlags.files()
	return append([]named{{by: "--symbols", path: f.symbols}, {by: "--stub-symbols", path: f.stub}}, in...),
		append([]named{
			{"--json", f.json, textFile}, {"--events", f.events, textFile},
			{"--profile", f.profile, gzipFile}, {"--trace", f.trace, perfettoFile},
			{"--report", f.report, textFile}, {"--save", f.save, savedFile}, {"--screenshot", f.screenshot, pngFile},
		}, out...)
}

// settings puts what the flags say into the settings.
func (f *runFlags) settings(s *settings) {
	_, out := f.files()
	s.callers = !f.quiet || slices.ContainsFunc(out, func(n named) bool { return n.path != "" })
	s.symbols, s.stubSymbols = f.symbols, f.stub
	s.maxInstructions, s.maxVirtual, s.maxHostMemory = f.maxInstructions, f.maxVirtual.config(), uint64(f.maxHostMemory)
	s.maxWall, s.since = f.timeout, time.Now()
	s.engine, s.blockLimit, s.translateAfter, s.lockstepEvery = f.engine.word, f.cpuBlocks, f.translateAfter, f.lockstepEvery
	s.saveAt = f.saveAt.Event
}

// event is a place in a run, as a flag.
type event struct{ vm.Event }

var _ pflag.Value = (*event)(nil)

func (e *event) set() bool { return e.Event != vm.Event{} }

func (e *event) Set(text string) (err error) {
	e.Event, err = vm.ParseEvent(text)
	return err
}

func (*event) Type() string { return "EVENT" }

func (*event) words() []string { return []string{"init", "violation", "up", "accept:", "instruction:"} }
