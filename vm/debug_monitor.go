package vm

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// What gdb's command monitor can ask.

// A monitorCommand takes its arguments and writes what is to be read; an error says what is wrong with the arguments.
type monitorCommand struct {
	name, arguments, help string
	do                    func(d *debugger, w io.Writer, args []string) error
}

// monitorCommands is a function because help lists it.
func monitorCommands() []monitorCommand {
	return []monitorCommand{
		{"help", "", "this list", (*debugger).monitorHelp},
		{"state", "", "virtual time, instructions, phase, unaccepted memory, processors", (*debugger).monitorState},
		{"record", "", "the summary of the run so far", (*debugger).monitorRecord},
		{"accept", "[N|next|off]", "stop at the N-th acceptance since the start; without N, say how many there were", (*debugger).monitorAccept},
		{"touch", "[ADDR [BYTES]|off]", "stop at the first use of guest-physical memory: reads, writes, fetches, page walks", (*debugger).monitorTouch},
		{"at", "N", "stop when N instructions have completed", (*debugger).monitorAt},
		{"page", "ADDR", "where a guest-virtual address leads, and the state of the page there", (*debugger).monitorPage},
		{"phys", "ADDR [BYTES]", "show private guest-physical memory", (*debugger).monitorPhysical},
		{"kernel", "", "how far KASLR has moved the kernel", (*debugger).monitorKernel},
	}
}

// Monitor implements [gdb.Target].
func (d *debugger) Monitor(command string) string {
	args := strings.Fields(command)
	if len(args) == 0 {
		args = []string{"help"}
	}
	var b strings.Builder
	for _, c := range monitorCommands() {
		if c.name == args[0] {
			if err := c.do(d, &b, args[1:]); err != nil {
				fmt.Fprintf(&b, "monitor %s %s: %v\n", c.name, c.arguments, err)
			}
			return b.String()
		}
	}
	return fmt.Sprintf("monitor %s: there is no such command; monitor help lists them\n", args[0])
}

func (d *debugger) monitorHelp(w io.Writer, _ []string) error {
	for _, c := range monitorCommands() {
		fmt.Fprintf(w, "monitor %-25s %s\n", c.name+" "+c.arguments, c.help)
	}
	return nil
}

func (d *debugger) monitorState(w io.Writer, _ []string) error {
	m := d.m
	fmt.Fprintf(w, "virtual time  %s, %s instructions\n", record.FormatNS(m.Now()), record.FormatCount(m.stamp().Instructions))
	for p := record.End; ; p-- {
		if p == record.FirmwareStart || m.log.Reached(p) {
			fmt.Fprintf(w, "phase         %s\n", p)
			break
		}
	}
	_, n := m.log.LastAccepted()
	fmt.Fprintf(w, "accepted      %s in %s operations\n", record.FormatBytes(m.log.AcceptedBytes()), record.FormatCount(n))
	fmt.Fprintf(w, "unaccepted    %s\n", record.FormatBytes(m.platform.unaccepted()))
	for _, c := range m.cpus {
		fmt.Fprintf(w, "CPU %d         CPL %d, RIP %#x %s\n", c.ID(), c.CPL(), c.RIP(), m.symbol(c.RIP()))
	}
	return nil
}

func (d *debugger) monitorRecord(w io.Writer, _ []string) error {
	r := d.m.soFar("still running")
	r.Host = record.HostOf(EngineHere(d.m.cfg.Engine), time.Since(d.began)-d.idle, r.Instructions, peakRSS())
	return r.WriteSummary(w)
}

func (d *debugger) monitorAccept(w io.Writer, args []string) error {
	e, n := d.m.log.LastAccepted()
	switch {
	case len(args) == 0:
		if n > 0 {
			fmt.Fprint(w, "the last: ", acceptedText(e, n))
		} else {
			fmt.Fprintln(w, "no acceptance yet")
		}
	case args[0] == "off":
		d.accept = 0
	case args[0] == "next":
		d.accept = n + 1
	default:
		at, err := d.number(args[0])
		if err != nil {
			return err
		}
		if at <= n {
			return fmt.Errorf("there were %d already", n)
		}
		d.accept = at
	}
	d.m.awaitAcceptance()
	if d.accept != 0 {
		fmt.Fprintf(w, "waiting for acceptance %d\n", d.accept)
	}
	return nil
}

func (d *debugger) monitorTouch(w io.Writer, args []string) error {
	if len(args) > 0 && args[0] == "off" {
		d.touch = nil
	} else if len(args) > 0 {
		start, n, err := d.extent(args, 1)
		if err != nil {
			return err
		}
		d.touch = append(d.touch, x86.Watch{Start: start, End: start + n, Physical: true, Read: true, Write: true, Fetch: true})
	}
	for _, t := range d.touch {
		fmt.Fprintf(w, "waiting for a use of [%#x, %#x)\n", t.Start, t.End)
	}
	return nil
}

func (d *debugger) monitorAt(w io.Writer, args []string) error {
	if len(args) != 1 {
		return errArguments
	}
	n, err := d.number(args[0])
	if err != nil {
		return err
	}
	if done := d.m.stamp().Instructions; n <= done {
		return fmt.Errorf("%d have completed already", done)
	}
	d.m.arrange(n, debuggerStops)
	return nil
}

func (d *debugger) monitorPage(w io.Writer, args []string) error {
	if len(args) != 1 {
		return errArguments
	}
	va, err := d.number(args[0])
	if err != nil {
		return err
	}
	gpa, err := d.m.cpu().Translate(va, false)
	if err != nil {
		return err
	}
	bits, plane := d.m.platform.privateBit, "private"
	if td, ok := d.m.platform.Platform.(interface{ SharedBit() uint64 }); ok {
		bits |= td.SharedBit()
	}
	if gpa&bits != d.m.platform.privateBit {
		plane = "shared"
	}
	gpa &^= bits
	fmt.Fprintf(w, "guest-virtual %#x is guest-physical %#x, %s; the page is %s\n", va, gpa, plane, d.m.platform.state(gpa))
	return nil
}

func (d *debugger) monitorPhysical(w io.Writer, args []string) error {
	const most, row = 4096, 16
	gpa, n, err := d.extent(args, 64)
	if err != nil {
		return err
	}
	if n > most {
		return fmt.Errorf("at most %d bytes at a time", most)
	}
	b := make([]byte, n)
	if _, err := pieces(gpa, n, func(a, from, to uint64) error {
		return d.m.cpu().ReadPhysical(a|d.m.platform.privateBit, b[from:to])
	}); err != nil {
		return err
	}
	for i := uint64(0); i < n; i += row {
		fmt.Fprintf(w, "%#012x  % x\n", gpa+i, b[i:min(i+row, n)])
	}
	return nil
}

func (d *debugger) monitorKernel(w io.Writer, _ []string) error {
	offset, ok := d.m.kernelOffset()
	if !ok {
		fmt.Fprintln(w, "it has no page tables of its own yet, or its symbols are not known")
		return nil
	}
	fmt.Fprintf(w, "it runs %#x above where it was linked; for gdb: symbol-file FILE -o %#x\n", offset, offset)
	return nil
}

var errArguments = errors.New("these arguments are wanted")

// number reads a number in decimal, or in hexadecimal after 0x, or takes it from a register of the first processor:
// $rdi, $pc.
func (d *debugger) number(text string) (uint64, error) {
	c := d.m.cpu()
	if name, ok := strings.CutPrefix(text, "$"); ok {
		i := slices.Index(registerNames[:], name)
		switch {
		case i >= 0:
			return c.R[i], nil
		case name == "pc" || name == "rip":
			return c.RIP(), nil
		case name == "sp":
			return c.R[x86.RSP], nil
		}
	}
	n, err := strconv.ParseUint(text, 0, 64)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", text)
	}
	return n, nil
}

// extent reads an address and how many bytes from there on.
func (d *debugger) extent(args []string, bytes uint64) (start, n uint64, err error) {
	if len(args) < 1 || len(args) > 2 {
		return 0, 0, errArguments
	}
	if start, err = d.number(args[0]); err != nil {
		return 0, 0, err
	}
	n = bytes
	if len(args) == 2 {
		if n, err = d.number(args[1]); err != nil {
			return 0, 0, err
		}
	}
	if n == 0 || start+n < start || start+n > mem.MaxSize {
		return 0, 0, errors.New("no guest-physical memory is there")
	}
	return start, n, nil
}
