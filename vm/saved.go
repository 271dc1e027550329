package vm

import (
	"cmp"
	"crypto/sha256"
	"encoding"
	"errors"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/guest/report"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/record"
)

// vmVersion changes with what [Machine.carry] carries.
const vmVersion = 5

// carry carries what the machine keeps itself: what it has heard of the guest, and how its run has ended. No state are
// what the configuration gives, what is looked up (names of functions) and what lives within a step of run.go.
func (m *Machine) carry(s *state.Stream) {
	s.Bool(&m.exited)
	m.kernelPath.carry(s)
	m.carryUp(s)
	m.schedule.carry(s)
	m.console.carry(s)
	m.books.carry(s)
	state.Optional(s, &m.toInit, func(t *cost.Tally) { t.Carry(s) })
	carryReport(s, &m.report)
	m.lastStack.carry(s)
	state.Numbers(s, &m.names.offset)
	s.Bool(&m.names.placed)
	state.Slice(s, &m.names.processes, maxProcesses, func(name *string) { state.String(s, name, maxText) }) // stacks have their numbers
	m.keyboard.carry(s)
	m.carryTrace(s)
	m.carryEnd(s)
}

func (c *console) carry(s *state.Stream) {
	state.Bytes(s, &c.line, maxLine)
	for _, text := range []*string{&c.panic, &c.oops} {
		state.String(s, text, maxLine)
	}
	s.Bool(&c.died, &c.spins)
	state.Slice(s, &c.lines, keepLines, func(text *string) { state.String(s, text, maxLine) })
	state.Numbers(s, &c.giveUp)
}

func (b *books) carry(s *state.Stream) {
	number := func(n *uint64) { state.Numbers(s, n) }
	state.Optional(s, &b.bitmapSet, number)
	why := ""
	if b.err != nil {
		why = b.err.Error()
	}
	if state.String(s, &why, maxText); s.Reading() && why != "" {
		b.err = errors.New(why)
	}
	state.Slice(s, &b.steps, maxSteps, func(step *record.Step) {
		state.String(s, &step.Name, maxText)
		step.Stamp.Carry(s)
		state.Numbers(s, &step.Accepted, &step.Unaccepted)
		state.Optional(s, &step.BitmapSet, number)
	})
}

const maxSteps = 1 << 10 // more than a report has snapshots

// carryReport carries how far the guest's report is.
func carryReport(s *state.Stream, p *report.Parser) {
	all := p.Progress()
	state.Bytes(s, &all.Line, report.MaxLine)
	s.Bool(&all.Overlong)
	state.Numbers(s, &all.Ignored)
	r := &all.Report
	state.Numbers(s, &r.Version)
	for _, text := range []*string{&r.Release, &r.Build, &r.Cmdline} {
		state.String(s, text, report.MaxLine)
	}
	line := func(text *string) { state.String(s, text, report.MaxLine) }
	state.Slice(s, &r.CPUFlags, report.MaxLine, line)
	state.Optional(s, &r.VMPL, func(n *int) { state.Numbers(s, n) })
	state.Numbers(s, &r.Touched)
	state.Slice(s, &r.Took, maxSteps, func(a *report.Answer) {
		line(&a.What)
		state.Numbers(s, &a.Bytes)
	})
	state.Slice(s, &r.Snapshots, maxSteps, func(snapshot *report.Snapshot) {
		line(&snapshot.Name)
		if s.Reading() {
			snapshot.Meminfo, snapshot.VMStat = map[string]uint64{}, map[string]uint64{}
		}
		for _, fields := range []map[string]uint64{snapshot.Meminfo, snapshot.VMStat} {
			state.Map(s, fields, report.MaxLine, cmp.Compare[string], func(name *string, n *uint64) {
				line(name)
				state.Numbers(s, n)
			})
		}
		state.Numbers(s, &snapshot.Monotonic, &snapshot.Realtime)
	})
	state.Slice(s, &r.Errors, maxSteps, line)
	s.Bool(&r.Done)
	if s.Reading() {
		p.GoOn(all)
	}
}

// carry carries the last stack, since two stacks that were found by the same numbers count as one.
func (l *lastStack) carry(s *state.Stream) {
	state.Numbers(s, &l.ip, &l.sp, &l.bp)
	const most = 64 * maxStack
	state.Slice(s, &l.words, most, func(w *stackWord) { state.Numbers(s, &w.va, &w.value) })
	state.Slice(s, &l.all, maxStack, func(a *uint64) { state.Numbers(s, a) })
}

// carry carries what is to be typed still, and the checksum of what has been. What comes in live is no state.
func (k *keyboard) carry(s *state.Stream) {
	state.Bytes(s, &k.waiting, 2*maxWaiting)
	rest := k.replay
	state.Slice(s, &rest, maxInput, func(t *Typed) {
		t.Stamp.Carry(s)
		state.Bytes(s, (*[]byte)(&t.Text), maxInput)
	})
	var sum []byte
	if k.sum != nil {
		sum, _ = k.sum.(encoding.BinaryMarshaler).MarshalBinary() // SHA-256 can
	}
	state.Bytes(s, &sum, maxText)
	if !s.Reading() || s.Err() != nil {
		return
	}
	if k.replay == nil {
		k.replay = rest
	} else { // what was typed before is done
		for len(k.replay) > 0 && k.replay[0].VirtualNS < k.m.Now() {
			k.replay = k.replay[1:]
		}
	}
	if len(sum) > 0 {
		k.sum = sha256.New()
		if err := k.sum.(encoding.BinaryUnmarshaler).UnmarshalBinary(sum); err != nil {
			s.Fail("the checksum of what was typed: %w", err)
		}
	}
}
