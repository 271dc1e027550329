package vm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"reflect"
	"strings"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A lockstep drives two machines to the same instruction counts and compares them there. The leader, under the
// interpreter, is the one that its caller knows: it has the console, the events, the limits. The follower is a fork of it
// under the translator, and nobody hears of it.
//
// A step of the leader, which is as long as the decoded block that it begins with, or what is executed of it, is repeated by the
// follower. What ends it early has to do so in both. What ends the leader's alone, such as an event that somebody waits for,
// comes after an instruction, and the follower is taken there.
//
// After every step all is compared that software sees of a processor; now and then the rest of the processors' state, what the
// TLB holds included; more seldom that of the other parts; and more seldom still, and at the end, memory. At the end the
// records are compared, too.
type lockstep struct {
	leader, follower *Machine

	steps         uint64 // so far
	parts, memory uint64 // instructions at which these are compared next

	from uint64 // where the step began: so many instructions had completed
	rip  uint64
}

const (
	processorsEvery = 1 << 14     // steps
	partsEvery      = 2_000_000   // instructions
	memoryEvery     = 100_000_000 // instructions
)

// A rival is what the follower is in place of a machine under the translator, for tests.
type rival struct {
	blockLimit int
	plant      func(c *x86.CPU) // is called after each of its steps; may be nil
}

// A DifferenceError ends a run in lock-step: the engines are not the same, which is a mistake of tacit's.
type DifferenceError struct {
	Instructions uint64   // that had completed when both were the same last
	RIP          uint64   // where they stood then
	Code         []string // the instructions there, as memory has them now
	What         []string // what differs: in the interpreter, in the other engine
}

func (e *DifferenceError) Error() string {
	const most = 20
	var b strings.Builder
	fmt.Fprintf(&b, "the engines differ: after instruction %d, at %#x, both were the same, and after the next step they are not", e.Instructions, e.RIP)
	for i, what := range e.What {
		if i == most {
			fmt.Fprintf(&b, "\n  and %d more", len(e.What)-most)
			break
		}
		fmt.Fprintf(&b, "\n  %s", record.Printable(what))
	}
	for _, line := range e.Code {
		fmt.Fprintf(&b, "\n    %s", record.Printable(line))
	}
	return b.String()
}

// newLockstep makes the follower of a machine that has been started.
func (m *Machine) newLockstep() (*lockstep, error) {
	given := Config{
		Engine: Translator, TranslateAfter: m.cfg.TranslateAfter, BlockLimit: m.cfg.BlockLimit, MaxHostMemory: math.MaxUint64,
		Symbols: m.cfg.Symbols, StubSymbols: m.cfg.StubSymbols, MaxVirtual: m.cfg.MaxVirtual, MaxInstructions: m.cfg.MaxInstructions, rival: m.cfg.rival,
	}
	if r := m.cfg.rival; r != nil {
		given.Engine, given.BlockLimit = Interpreter, r.blockLimit
	}
	follower, err := m.Fork(given)
	if err != nil {
		return nil, fmt.Errorf("a second machine, for the other engine: %w", err)
	}
	m.thaw()
	return &lockstep{leader: m, follower: follower}, nil
}

// attend has the follower come back when ctx is done.
func (l *lockstep) attend(ctx context.Context) (end func() bool) {
	return context.AfterFunc(ctx, func() {
		for _, c := range l.follower.cpus {
			c.Yield()
		}
	})
}

// step is [Machine.step] of both: so many steps as there are until something happens. The error is the leader's, but for one
// of type *DifferenceError.
func (l *lockstep) step(ctx context.Context, c *x86.CPU, end, until int64) error {
	m, f := l.leader, l.follower
	l.from, l.rip = c.Instructions(), c.RIP()
	if woken := f.wake(); woken != nil {
		return l.difference(c, []string{"the follower: " + woken.Error()})
	}
	fc, fend := f.next(until)
	if fc.ID() != c.ID() || fend != end {
		return l.difference(c, []string{fmt.Sprintf("whose turn it is, and until when: processor %d, %d ns; %d, %d ns", c.ID(), end, fc.ID(), fend)})
	}
	exit, end, err := l.abreast(c, fc, end)
	if err != nil {
		return err
	}
	m.board.Advance(m.behind())
	alone, done := false, c.Instructions()-l.from
	switch exit.Kind {
	case x86.ExitBudget, x86.ExitBreak, x86.ExitWatch, x86.ExitPause:
		alone = true
		fc.Stretch(done)
	default:
		l.repeat(c, fc, 1) // which it does not get to
	}
	err = m.deal(ctx, c, exit, min(end, c.Deadline()))
	if ctx.Err() != nil || m.full {
		return err // neither of which has to come at the same instruction
	}
	if alone && done == 0 {
		return err
	}
	repeated := f.execute(fc, end)
	if !alone && repeated.Kind != exit.Kind {
		return l.endedOtherwise(c, exit, repeated)
	}
	if repeated.Kind == x86.ExitHalted {
		fc.Skip(c.Now()) // the leader may have waited for somebody at the keyboard
		f.board.Advance(f.behind())
		if !fc.Waits() || c.Waits() {
			// both still wait, or neither does
		} else if err := f.boot.Tick(fc); err != nil {
			return l.difference(c, []string{"the follower: " + err.Error()})
		}
	} else if other := f.deal(ctx, fc, repeated, min(end, fc.Deadline())); !alone && text(other) != text(err) && ctx.Err() == nil && !errors.Is(err, errEvent) {
		return l.difference(c, []string{fmt.Sprintf("what ended the run: %s; %s", text(err), text(other))})
	}
	if differ := l.stepped(c, fc); differ != nil && ctx.Err() == nil {
		return differ
	}
	return err
}

// abreast has both execute step after step for as long as those end where they are to, and compares them there. It returns
// how the leader's ended that did not, which the follower has not repeated, and until when that was to run. Between its steps
// nothing is due: where a machine runs alone they are one call of [x86.CPU.Run].
func (l *lockstep) abreast(c, fc *x86.CPU, end int64) (x86.Exit, int64, error) {
	for {
		l.from, l.rip = c.Instructions(), c.RIP()
		if every := l.leader.cfg.LockstepEvery; every != 0 {
			c.Stretch(every)
		} else {
			c.StretchBlocks(1)
		}
		exit := c.Run(end)
		if exit.Kind != x86.ExitStep || l.leader.full {
			return exit, end, nil
		}
		l.repeat(c, fc, 0)
		if repeated := fc.Run(end); repeated.Kind != x86.ExitStep {
			return exit, end, l.endedOtherwise(c, exit, repeated)
		}
		if err := l.stepped(c, fc); err != nil {
			return exit, end, err
		}
		if end = c.Deadline(); end != fc.Deadline() {
			return exit, end, l.difference(c, []string{fmt.Sprintf("until when it is the processor's turn: %d ns; %d ns", end, fc.Deadline())})
		}
	}
}

// repeat has the follower's next step be the leader's last, with so many instructions more: of whole blocks where the
// leader's was, and the follower has the same ones.
func (l *lockstep) repeat(c, fc *x86.CPU, more uint64) {
	n, blocks := c.Stretched()
	switch {
	case l.leader.cfg.LockstepEvery != 0:
		fc.Stretch(l.leader.cfg.LockstepEvery)
	case blocks && l.leader.cfg.rival == nil:
		fc.StretchBlocks(n + more)
	default:
		fc.Stretch(n + more)
	}
}

func (l *lockstep) endedOtherwise(c *x86.CPU, exit, repeated x86.Exit) error {
	return l.difference(c, []string{fmt.Sprintf("how the step ended: kind %d, %d", exit.Kind, repeated.Kind)})
}

// stepped compares the processors after a step, and now and then more than those.
func (l *lockstep) stepped(c, fc *x86.CPU) error {
	if r := l.leader.cfg.rival; r != nil && r.plant != nil {
		r.plant(fc)
	}
	if x86.Differs(c, fc) {
		return l.difference(c, x86.Differences(c, fc))
	}
	if l.steps++; l.steps%processorsEvery == 0 {
		if what := l.compare(); len(what) > 0 {
			return l.difference(c, what)
		}
	}
	return nil
}

func text(err error) string {
	if err == nil {
		return "nothing"
	}
	return err.Error()
}

// difference describes a difference that a step has made.
func (l *lockstep) difference(c *x86.CPU, what []string) error {
	return &DifferenceError{Instructions: l.from, RIP: l.rip, What: what, Code: l.leader.listing(c, l.rip, max(c.Instructions()-l.from, 1))}
}

// listing disassembles up to n instructions from rip on, which may have been executed one after the other: no branch tells
// where it went.
func (m *Machine) listing(c *x86.CPU, rip, n uint64) (lines []string) {
	const most = 24
	for range min(n, most) {
		code := instructionAt(c, rip)
		if len(code) == 0 {
			return append(lines, fmt.Sprintf("%#x  not mapped any more", rip))
		}
		in := disassembleAt(code, rip, m.symbolBase)
		size := len(in.Bytes) / 2
		lines = append(lines, fmt.Sprintf("%#x  %-24s %s", rip, in.Bytes, in.Text))
		if in.Text == "" || size == 0 {
			return lines
		}
		rip += uint64(size)
	}
	return lines
}

// compare holds the machines against each other: their processors, and what is due of the rest.
func (l *lockstep) compare() (what []string) {
	m, f := l.leader, l.follower
	for i, c := range m.cpus {
		what = append(what, x86.Differences(c, f.cpus[i])...)
	}
	now := m.instructions()
	if len(what) == 0 && now >= l.parts {
		l.parts = now + partsEvery
		what = l.compareParts()
	}
	if now >= l.memory {
		l.memory = now + memoryEvery
		if frame, found := mem.Differ(m.memory, f.memory); found {
			what = append(what, fmt.Sprintf("memory: the %s page at guest-physical address %#x", frame.Plane(), frame.GPA()))
		}
	}
	return what
}

// compareParts holds all parts of the machines against each other as they would be saved.
func (l *lockstep) compareParts() (what []string) {
	others := l.follower.parts()
	for i, p := range l.leader.parts() {
		a, b := state.Out(), state.Out()
		p.carry(a)
		others[i].carry(b)
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			what = append(what, "the state of the part "+p.section)
		}
	}
	return what
}

// agree compares all there is of a machine in lock-step whose run has ended, its record included. One that was told to end,
// or has no room, ends at an instruction of its own.
func (m *Machine) agree(ctx context.Context, end error) error {
	l := m.lockstep
	if l == nil || m.full || ctx.Err() != nil {
		return nil
	}
	f := l.follower
	f.sums, f.over = m.sums, m.over
	f.console.breakOff()
	f.reached(record.End)
	other := f.newRecord()
	f.describe(other, end) // which notes in the log what an end means, as the leader's has
	l.parts, l.memory = 0, 0
	what := l.compare()
	var a, b map[string]any
	for r, to := range map[*record.Record]*map[string]any{m.record: &a, other: &b} {
		text, err := json.Marshal(r)
		if err == nil {
			err = json.Unmarshal(text, to)
		}
		if err != nil {
			return err
		}
	}
	for name := range a {
		if name != "host" && !reflect.DeepEqual(a[name], b[name]) {
			what = append(what, fmt.Sprintf("the record, under %q: %v, %v", name, a[name], b[name]))
		}
	}
	if len(what) > 0 {
		return l.difference(m.cpu(), what)
	}
	return nil
}
