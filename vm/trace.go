package vm

import (
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// A Trace asks for a line about each of a stretch of instructions. It changes nothing in the run.
type Trace struct {
	From, Count uint64    // the instructions with the numbers [From, From+Count); the first of a run has 0
	Writer      io.Writer // takes the lines, in small pieces; it is not asked whether it could
}

// A tracer writes a Trace. A line is finished when the next instruction is reached: only then it is known what the last
// one has changed.
type tracer struct {
	m    *Machine
	w    io.Writer
	line string
	regs [16]uint64
	rest uint64 // RFLAGS
}

var registerNames = [16]string{"rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15"}

func (m *Machine) startTrace() {
	m.trace = &tracer{m: m, w: m.cfg.Trace.Writer}
	if u := m.unfinished; u != nil && m.cfg.Trace.From < m.cpu().Instructions() {
		m.trace.line, m.trace.regs, m.trace.rest = u.line, u.regs, u.rest // it goes on with that
	}
	m.unfinished = nil
	for _, c := range m.cpus {
		c.Trace(m.trace.instruction)
	}
}

// endTrace finishes the trace, where there is one.
func (m *Machine) endTrace() {
	if m.trace == nil {
		return
	}
	m.trace.finish(m.cpu())
	for _, c := range m.cpus {
		c.Trace(nil)
	}
	m.trace = nil
}

// instruction hears of the instruction that c is about to execute. An instruction that faults completes later, or
// never, and is seen each time it is tried, with the same number: numbers count what completes.
func (t *tracer) instruction(c *x86.CPU) {
	t.finish(c)
	rip := c.RIP()
	text, code := "", instructionAt(c, rip)
	if in := disassembleAt(code, rip, t.m.symbolBase); len(code) > 0 {
		text = in.Text
		code = code[:hex.DecodedLen(len(in.Bytes))]
	}
	t.line = fmt.Sprintf("%12d  %016x  %-32s %-24s %-40s", c.Instructions(), rip, record.Printable(t.m.symbol(rip)), hex.EncodeToString(code), record.Printable(text))
	copy(t.regs[:], c.R[:16])
	t.rest = c.Flags()
}

// finish writes the last instruction's line with the registers that have changed since.
func (t *tracer) finish(c *x86.CPU) {
	if t.line == "" {
		return
	}
	var b strings.Builder
	b.WriteString(t.line)
	for i, was := range t.regs {
		if c.R[i] != was {
			fmt.Fprintf(&b, " %s=%x", registerNames[i], c.R[i])
		}
	}
	if f := c.Flags(); f != t.rest {
		fmt.Fprintf(&b, " rflags=%x", f)
	}
	t.line = ""
	_, _ = io.WriteString(t.w, strings.TrimRight(b.String(), " ")+"\n")
}

// carryTrace carries the line that is not finished, where there is a trace.
func (m *Machine) carryTrace(s *state.Stream) {
	t := &tracer{}
	switch {
	case m.unfinished != nil: // it has been loaded, and has not run since
		t = m.unfinished
	case m.trace != nil:
		t = m.trace
	}
	state.String(s, &t.line, maxText)
	state.Array(s, t.regs[:])
	if state.Numbers(s, &t.rest); s.Reading() && t.line != "" {
		m.unfinished = t
	}
}
