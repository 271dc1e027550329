package vm

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A debugger is the machine as gdb sees it: a gdb.Target. A nil one is a machine that is not debugged.
//
// Standing still costs the guest nothing that it could measure: the processors come back to run.go between two
// instructions, and go on there.
type debugger struct {
	m      *Machine
	server *gdb.Server
	began  time.Time
	resume gdb.Resume    // how gdb has let the machine go on
	idle   time.Duration // how long it has stood still

	points []gdb.Point
	touch  []x86.Watch // monitor touch: guest-physical addresses whose first use is waited for
	accept uint64      // monitor accept: the acceptance that is waited for, counted from the start; 0 for none
	note   string      // what is to be said at the next stop
}

// newDebugger returns nil where the configuration has no server.
func (m *Machine) newDebugger() *debugger {
	if m.cfg.Debugger == nil {
		return nil
	}
	return &debugger{m: m, server: m.cfg.Debugger, began: time.Now()}
}

// begin waits for gdb in front of the first instruction.
func (d *debugger) begin(ctx context.Context) error {
	if d == nil {
		return nil
	}
	began := time.Now()
	err := d.server.Wait(ctx)
	d.idle += time.Since(began)
	if err != nil {
		return cmp.Or(interrupted(ctx), errCancelled)
	}
	return d.stand(ctx, gdb.Stop{})
}

// stand lets gdb ask and command until it lets the machine go on.
func (d *debugger) stand(ctx context.Context, stop gdb.Stop) error {
	stop.Text += d.note
	d.note = ""
	began := time.Now()
	d.resume = d.server.Serve(ctx, d, stop)
	d.idle += time.Since(began)
	switch d.resume.How {
	case gdb.Killed:
		if err := interrupted(ctx); err != nil {
			return err
		}
		return fmt.Errorf("%w by gdb", errCancelled)
	case gdb.Detached:
		d.accept, d.touch = 0, nil
		d.m.awaitAcceptance()
	case gdb.Step:
		d.m.cpus[d.resume.CPU].Step()
	}
	d.set()
	return nil
}

// attend looks whether gdb wants something of the machine, which runs.
func (d *debugger) attend(ctx context.Context) error {
	if d == nil || !d.server.Pending() {
		return nil
	}
	return d.stand(ctx, gdb.Stop{Reason: gdb.Interrupt})
}

// stopped deals with a processor that has come back for a debugger's sake.
func (d *debugger) stopped(ctx context.Context, c *x86.CPU, exit x86.Exit) error {
	if d == nil {
		return nil
	}
	stop := gdb.Stop{CPU: c.ID(), Reason: gdb.Trap}
	switch exit.Kind {
	case x86.ExitStep:
		r := d.resume
		if r.How != gdb.Step {
			return nil // it was interrupted, and gdb has thought of something else
		}
		if rip := c.RIP(); rip >= r.Start && rip < r.End && !d.server.Pending() {
			c.Step()
			return nil
		}
	case x86.ExitPause:
		if !d.accepted() {
			return nil // it does not wait for that any more
		}
	case x86.ExitWatch:
		stop.Watch = d.pointAt(exit)
		if touched := d.touched(exit); stop.Watch == nil && !touched {
			return nil // the rest of a range of which gdb watches a part
		}
	}
	return d.stand(ctx, stop)
}

// pointAt finds the watchpoint for which the processor came back.
func (d *debugger) pointAt(exit x86.Exit) *gdb.Point {
	used := exit.Access.GVA
	for _, p := range d.points {
		if w, ok := watchOf(p); ok && !w.Physical && used >= w.Start && used < w.End && (exit.Access.Kind.Writes() && w.Write || !exit.Access.Kind.Writes() && w.Read) {
			p.Address = used
			return &p
		}
	}
	return nil
}

// touched says whether the processor came back for monitor touch, which then is done.
func (d *debugger) touched(exit x86.Exit) bool {
	for i, w := range d.touch {
		if exit.GPA < w.Start || exit.GPA >= w.End {
			continue
		}
		d.note += fmt.Sprintf("touched: %s of guest-physical address %#x (%s)", exit.Access.Kind, exit.GPA, d.m.platform.state(exit.GPA))
		if exit.Access.GVA != 0 {
			d.note += fmt.Sprintf(" through %#x", exit.Access.GVA)
		}
		d.note += "\n"
		d.touch = append(d.touch[:i:i], d.touch[i+1:]...)
		return true
	}
	return false
}

// accepted says whether the acceptance that is waited for has happened.
func (d *debugger) accepted() bool {
	if d == nil || d.accept == 0 {
		return false
	}
	e, n := d.m.log.LastAccepted()
	if n < d.accept {
		return false
	}
	d.accept = 0
	d.note += acceptedText(e, n)
	return true
}

func acceptedText(e record.Accepted, n uint64) string {
	return fmt.Sprintf("acceptance %d: %s by %s at guest-physical address %#x\n", n, e.Size, e.By, uint64(e.GPA))
}

// ended shows gdb how the run has ended. Where the guest did not switch itself off, one may look at what is left of it
// first.
func (d *debugger) ended(ctx context.Context, r *record.Record) {
	if d == nil || !d.server.Connected() {
		return
	}
	text := "the run has ended: " + string(r.Outcome) + "\n"
	if r.Diagnosis != nil {
		text = diagnosisText(r)
	}
	status := uint8(1)
	reasons := map[record.Outcome]gdb.Reason{
		record.Violation: gdb.Fault, record.TripleFault: gdb.Fault, record.Unsupported: gdb.Fault,
		record.GuestPanic: gdb.Abort, record.Halted: gdb.Trap, record.Limit: gdb.Trap, record.Reset: gdb.Trap,
	}
	if reason, look := reasons[r.Outcome]; look {
		if err := d.stand(ctx, gdb.Stop{Reason: reason, Text: text}); errors.Is(err, errCancelled) {
			return
		}
		text = "the run has ended: " + string(r.Outcome) + "\n"
	} else if r.Outcome == record.PowerOff || r.Outcome == record.Stopped {
		status = 0
	}
	d.server.Exited(status, text)
}

// diagnosisText is what the summary says of an end that is not a good one.
func diagnosisText(r *record.Record) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", r.Outcome, record.Printable(r.Diagnosis.Summary))
	if r.Diagnosis.Symbol != "" {
		fmt.Fprintf(&b, "in %s\n", record.Printable(r.Diagnosis.Symbol))
	}
	if r.Diagnosis.Advice != "" {
		fmt.Fprintln(&b, record.Printable(r.Diagnosis.Advice))
	}
	return b.String()
}

// stoodStill returns how long the machine has waited for gdb.
func (d *debugger) stoodStill() time.Duration {
	if d == nil {
		return 0
	}
	return d.idle
}
