package main

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/image"
	"github.com/tacit-vm/tacit/record"
)

// tracing makes the kernel write down the stack at each call of accept_memory, from as early as it can.
const tracing = "ftrace=function ftrace_filter=accept_memory trace_options=func_stack_trace,sym-offset trace_buf_size=16M"

// againstTracer boots a guest that traces itself, and looks for each of tacit's stacks in its trace, in order. The tracer
// writes down calls, of which some accept nothing and some accept several pages, so equal stacks that follow each other
// count once.
func (g guest) againstTracer(out io.Writer, init []byte) error {
	initrd, err := image.Initramfs(
		image.File{Name: "init", Mode: 0o755, Data: init},
		image.File{Name: "dev", Mode: fs.ModeDir | 0o755}, image.File{Name: "trace", Mode: fs.ModeDir | 0o755},
	)
	if err != nil {
		return err
	}
	var console bytes.Buffer
	cfg := g.config(tracing)
	cfg.Initrd, cfg.Console = initrd, &console
	_, all, err := g.boot(cfg)
	if err != nil {
		return fmt.Errorf("%w; the console ends with %q", err, console.String()[max(0, console.Len()-500):])
	}
	theirs, err := parseTrace(console.String())
	if err != nil {
		return err
	}
	var mine []record.Stack
	for _, a := range all {
		from := slices.IndexFunc(a.stack, func(place string) bool { return record.Function(place) == "accept_memory" })
		if a.by == record.Kernel && from >= 0 {
			mine = appendNew(mine, withoutProcess(a.stack[from+1:]))
		}
	}
	// What was accepted before the tracer began is not in the trace: from where on is it?
	begin := 0
	for begin < len(mine) && !g.same(mine[begin], theirs[0]) {
		begin++
	}
	var found, functions int
	at := 0
	var missing error
	for _, s := range mine[begin:] {
		next := at
		for next < len(theirs) && !g.same(s, theirs[next]) {
			next++
		}
		if next == len(theirs) {
			fmt.Fprintf(out, "    not in the trace: %s\n", strings.Join(s, " "))
			missing = fmt.Errorf("%s: stacks that the guest's tracer does not have", g.platform)
			continue
		}
		at, found, functions = next, found+1, functions+len(s)
	}
	fmt.Fprintf(out, "  the guest's own tracer, by ORC: %d of %d stacks, with %d functions, are in its trace of %d, in this order; %d are from before it began\n",
		found, len(mine)-begin, functions, len(theirs), begin)
	if found == 0 {
		return fmt.Errorf("%s: the trace has none of the stacks; it begins with %v", g.platform, theirs[0])
	}
	return missing
}

func appendNew(all []record.Stack, s record.Stack) []record.Stack {
	if n := len(all); n > 0 && slices.Equal(all[n-1], s) {
		return all
	}
	return append(all, s)
}

// same compares a stack with the tracer's. The tracer names a return address after the function that it is in, which is
// the next one where the call was the last thing that a function did.
func (g guest) same(mine, theirs record.Stack) bool {
	return slices.EqualFunc(mine, theirs, func(a, b string) bool {
		if a == b {
			return true
		}
		name, next := record.Function(b), strings.HasSuffix(b, "+0x0")
		address, known := g.symbols.Address(name)
		return next && known && g.place(address, true) == a
	})
}

// parseTrace reads the stacks of a trace: of each the callers of accept_memory.
func parseTrace(console string) (all []record.Stack, err error) {
	_, trace, found := strings.Cut(console, "init: trace")
	if !found {
		return nil, fmt.Errorf("the guest has shown no trace; its console ends with %q", console[max(0, len(console)-500):])
	}
	var current record.Stack
	inside := false
	end := func() {
		if inside {
			all = appendNew(all, current)
		}
		current, inside = nil, false
	}
	for line := range strings.Lines(trace) {
		place, is := strings.CutPrefix(strings.TrimSpace(line), "=> ")
		if !is {
			end()
			continue
		}
		place, _, _ = strings.Cut(place, "/") // how long the function is
		if inside {
			current = append(current, place)
		}
		inside = inside || record.Function(place) == "accept_memory"
	}
	end()
	if len(all) == 0 {
		return nil, fmt.Errorf("the trace has no stacks: %.300q", trace)
	}
	return all, nil
}
