// Stacks holds the stacks that tacit finds at acceptances of a stock kernel against two others that know better: stock
// gdb, which reads the kernel's debugging information (DWARF), and the guest's own function tracer.
//
//	go run ./internal/stacks -init INIT -debug VMLINUX IMAGE
//
// VMLINUX is that of the kernel's debugging package. INIT is internal/guesttest/init, built for the guest. What is found
// goes to standard output, for docs/soak; scripts/soak stacks fetches what is needed and calls this. A difference that
// is not explained is an error.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/vm"
)

func main() {
	debug := flag.String("debug", "", "vmlinux with debugging information")
	program := flag.String("init", "", "the guest's init, for the comparison with the guest's tracer")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, flag.Arg(0), *debug, *program); err != nil {
		fmt.Fprintln(os.Stderr, "stacks:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, path, debug, program string) error {
	img, err := image.Open(ctx, path)
	if err != nil {
		return err
	}
	symbols, err := img.Symbols()
	if err != nil {
		return err
	}
	init, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	var wrong error
	for _, platform := range vm.ConfidentialPlatforms() {
		fmt.Fprintf(out, "%s, %s\n", img.Name, platform)
		g := guest{ctx, img, symbols, platform}
		r, all, err := g.boot(g.config(""))
		if err != nil {
			return err
		}
		wrong = errors.Join(wrong, g.named(out, r), g.againstGDB(out, debug, all), g.againstTracer(out, init))
	}
	return wrong
}

// A guest is what is booted.
type guest struct {
	ctx      context.Context
	img      *image.Image
	symbols  *image.Symbols
	platform string
}

// An acceptance is one or more, one after another, by the same stack.
type acceptance struct {
	first uint64 // its number among all acceptances of the run, from 1
	count uint64
	by    record.Agent
	stack record.Stack
}

// acceptances is a sink that numbers acceptances.
type acceptances struct {
	all  []acceptance
	next uint64
}

func (a *acceptances) Event(e record.Event) {
	accepted, ok := e.(record.Accepted)
	if !ok {
		return
	}
	n := accepted.Bytes / accepted.Size.Bytes()
	if accepted.Stack != nil {
		a.all = append(a.all, acceptance{a.next + 1, n, accepted.By, *accepted.Stack})
	}
	a.next += n
}

// config is the machine's. The kernel runs where it was linked, so that addresses are those of its symbols.
func (g guest) config(words string) vm.Config {
	return vm.Config{Platform: g.platform, Image: g.img, Callers: true, Append: strings.TrimSpace("quiet nokaslr " + words)}
}

func (g guest) boot(cfg vm.Config) (*record.Record, []acceptance, error) {
	var seen acceptances
	cfg.Events = &seen
	r, err := vm.Run(g.ctx, cfg)
	if err == nil && r.Outcome != record.PowerOff {
		err = fmt.Errorf("%s: outcome %s, not a power-off", g.platform, r.Outcome)
	}
	return r, seen.all, err
}

// named says of how much it is known who asked.
func (g guest) named(out io.Writer, r *record.Record) error {
	var sum record.Count
	for _, c := range r.Acceptance.Callers {
		named := 0
		for _, place := range c.Stack {
			if record.Function(place) != place {
				named++
			}
		}
		if named >= 3 {
			sum.Bytes, sum.Operations = sum.Bytes+c.Bytes, sum.Operations+c.Operations
		}
	}
	k := r.Acceptance.By.Kernel
	fmt.Fprintf(out, "  stacks of three named functions or more: %d of %d bytes, %d of %d operations, by %d stacks\n",
		sum.Bytes, k.Bytes, sum.Operations, k.Operations, len(r.Acceptance.Callers))
	if float64(sum.Bytes) <= 0.98*float64(k.Bytes) || float64(sum.Operations) <= 0.98*float64(k.Operations) {
		return fmt.Errorf("%s: %d of %d bytes are more than 2 %% short", g.platform, sum.Bytes, k.Bytes)
	}
	return nil
}

// place names a return address, or where the processor stands, as a stack does.
func (g guest) place(address uint64, called bool) string {
	within := address
	if called {
		within--
	}
	name, offset, ok := g.symbols.Lookup(within)
	if !ok {
		return fmt.Sprintf("%#x", address)
	}
	return fmt.Sprintf("%s+%#x", name, offset+address-within)
}

// withoutProcess is a stack without the process that entered the kernel, which no unwinder shows.
func withoutProcess(s record.Stack) record.Stack {
	if n := len(s); n > 0 && (strings.HasPrefix(s[n-1], "process ") || s[n-1] == "a process") {
		return s[:n-1]
	}
	return s
}
