package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/record"
)

// A frame is what gdb says of one.
type frame struct {
	pc   uint64
	kind string // of which only normal ones are on the stack
	name string
}

// showFrames makes gdb print its backtrace so that a program can read it.
const showFrames = `python
kinds = {gdb.NORMAL_FRAME: "normal", gdb.INLINE_FRAME: "inline", gdb.TAILCALL_FRAME: "tail"}
def show():
    f = gdb.newest_frame()
    while f is not None and f.pc() != 0:
        print("frame %x %s %s" % (f.pc(), kinds.get(f.type(), "normal"), f.name()))
        f = f.older()
end
`

// againstGDB stops at the first acceptance of each stack, and compares.
func (g guest) againstGDB(out io.Writer, debug string, all []acceptance) error {
	seen := map[string]bool{}
	var sample []acceptance
	for _, a := range all {
		if key := strings.Join(a.stack, " "); a.by == record.Kernel && !seen[key] {
			seen[key], sample = true, append(sample, a)
		}
	}
	theirs, err := g.backtraces(debug, sample)
	if err != nil {
		return err
	}
	if len(theirs) != len(sample) {
		return fmt.Errorf("gdb stopped %d times, not %d", len(theirs), len(sample))
	}
	var frames, inlined, tail, same, shorter, wrong int
	var ends []string
	for i, a := range sample {
		var real []frame
		for _, f := range theirs[i] {
			switch f.kind {
			case "inline":
				inlined++
			case "tail":
				tail++
			default:
				real = append(real, f)
			}
		}
		mine := withoutProcess(a.stack)
		at := g.differ(mine, real)
		frames += at
		switch {
		case at == len(mine) && at <= len(real):
			same++
		case at == len(real):
			shorter++ // gdb does not know how to go on
			if end := record.Function(mine[at-1]); !slices.Contains(ends, end) {
				ends = append(ends, end)
			}
		default:
			wrong++
			fmt.Fprintf(out, "    acceptance %d differs after %d functions: tacit %s; gdb %s (%#x)\n", a.first, at, mine[at], real[at].name, real[at].pc)
		}
	}
	fmt.Fprintf(out, "  gdb, by DWARF, at %d acceptances, the first of each stack: %d functions at the same addresses; %d stacks agree to their end, "+
		"%d as far as gdb goes, %d differ\n", len(sample), frames, same, shorter, wrong)
	fmt.Fprintf(out, "    not on the stack, and shown by gdb alone: %d functions that the compiler has put into their callers, %d that had made their last call\n",
		inlined, tail)
	if len(ends) > 0 {
		slices.Sort(ends)
		fmt.Fprintf(out, "    gdb ends at %s\n", strings.Join(ends, ", "))
	}
	if wrong > 0 {
		return fmt.Errorf("%s: %d stacks differ from gdb's", g.platform, wrong)
	}
	return nil
}

// differ returns how many functions two stacks have in common, from the innermost on. gdb stands after the instruction
// that accepts, and tacit's record has the instruction, so there the function is compared.
func (g guest) differ(mine record.Stack, theirs []frame) (at int) {
	for at < len(mine) && at < len(theirs) {
		place := g.place(theirs[at].pc, at > 0)
		if mine[at] != place && (at > 0 || record.Function(mine[at]) != record.Function(place)) {
			return at
		}
		at++
	}
	return at
}

// backtraces runs the guest under gdb and returns what that shows at each acceptance.
func (g guest) backtraces(debug string, at []acceptance) (all [][]frame, err error) {
	s, err := gdb.Listen("127.0.0.1:0", false)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	var script strings.Builder
	fmt.Fprintf(&script, "set confirm off\nset pagination off\nset architecture i386:x86-64\nset backtrace past-main on\n%s", showFrames)
	fmt.Fprintf(&script, "target remote %s\nsymbol-file %s\n", s.Addr(), debug)
	for _, a := range at {
		fmt.Fprintf(&script, "monitor accept %d\ncontinue\necho stopped\\n\npython show()\n", a.first)
	}
	fmt.Fprint(&script, "monitor accept off\nkill\n")
	file, err := os.CreateTemp("", "stacks-*.gdb")
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	_, err = file.WriteString(script.String())
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(g.ctx, "gdb", "-nx", "-batch", "-x", file.Name())
	type result struct {
		out []byte
		err error
	}
	done := make(chan result, 1)
	go func() {
		out, err := cmd.CombinedOutput()
		_ = s.Close() // so that the machine goes on
		done <- result{out, err}
	}()
	cfg := g.config("")
	cfg.Debugger = s
	if _, _, err = g.boot(cfg); err != nil && !strings.Contains(err.Error(), string(record.Cancelled)) {
		return nil, err
	}
	r := <-done
	if r.err != nil {
		return nil, fmt.Errorf("gdb: %w: %s", r.err, r.out)
	}
	if all = parseFrames(string(r.out)); len(all) == 0 {
		return nil, fmt.Errorf("gdb has not stopped: %.600s", r.out)
	}
	return all, nil
}

func parseFrames(text string) (all [][]frame) {
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		switch {
		case len(words) == 1 && words[0] == "stopped":
			all = append(all, nil)
		case len(words) >= 4 && words[0] == "frame" && len(all) > 0:
			pc, err := strconv.ParseUint(words[1], 16, 64)
			if err == nil {
				all[len(all)-1] = append(all[len(all)-1], frame{pc, words[2], words[3]})
			}
		}
	}
	return all
}
