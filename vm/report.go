package vm

import (
	"bytes"
	"fmt"
	"io"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/guest/report"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// books are the guest's own accounts of unaccepted memory at the instant of its report.
type books struct {
	bitmapSet *uint64 // set bits of the bitmap in guest memory × unit, in bytes; nil where there is no bitmap
	err       error   // why it could not be read
	steps     []record.Step
}

// putReport takes a byte from the second serial port.
func (m *Machine) putReport(b byte) {
	_, _ = m.report.Write([]byte{b}) // a Parser takes everything
	if m.cfg.COM2 != nil {
		_, _ = m.cfg.COM2.Write([]byte{b}) // as Config says
	}
}

// mark hears that the guest's program is about to read its memory's state, or has.
func (m *Machine) mark(k report.Mark) {
	if k.End {
		return
	}
	bitmap, err := m.readBitmap()
	if k.Snapshot != report.Untouched && !m.log.Reached(record.Report) {
		m.reached(record.Report)
		m.books.bitmapSet, m.books.err = bitmap, err
	}
	unaccepted := m.platform.unaccepted()
	m.books.steps = append(m.books.steps, record.Step{
		Name: k.Snapshot, Stamp: m.stamp(), Accepted: m.cfg.Memory - unaccepted, Unaccepted: unaccepted, BitmapSet: bitmap,
	})
}

// readBitmap counts the set bits of the unaccepted memory bitmap, where the guest's stub has installed one.
func (m *Machine) readBitmap() (*uint64, error) {
	table, ok := m.boot.ConfigurationTable(uefi.LinuxUnacceptedMemTableGUID)
	if !ok {
		return nil, nil
	}
	c := m.cpu()
	table |= m.platform.privateBit
	var b [accept.HeaderSize]byte
	if err := c.ReadPhysical(table, b[:]); err != nil {
		return nil, err
	}
	h, err := accept.ParseHeader(b[:])
	if err != nil {
		return nil, err
	}
	bits := make([]byte, h.Size)
	if err := c.ReadPhysical(table+accept.HeaderSize, bits); err != nil {
		return nil, err
	}
	bitmap, err := h.Bitmap(bits)
	if err != nil {
		return nil, err
	}
	n := bitmap.Count(bitmap.Span()) * accept.UnitSize
	return &n, nil
}

// guestReport is what the guest said of itself, for the record.
func (m *Machine) guestReport() record.Guest {
	r := m.report.Report()
	g := record.Guest{Flags: r.CPUFlags, VMPL: r.VMPL, CommandLine: r.Cmdline, MemInfo: memInfo(r, "init"), Steps: m.books.steps, Up: m.up}
	for _, a := range r.Took {
		g.Took = append(g.Took, record.Answer(a))
	}
	if r.Touched != 0 {
		g.Touched = g.MemInfo
	}
	for i := range g.Steps {
		g.Steps[i].MemInfo = memInfo(r, g.Steps[i].Name)
	}
	if g.Steps == nil {
		g.Steps = []record.Step{}
	}
	return g
}

// unreported says what is missing of the report of a guest that is to report; it is empty where nothing is.
func (m *Machine) unreported() string {
	r := m.report.Report()
	said := ""
	if n := len(r.Errors); n > 0 {
		said = "; it says: " + r.Errors[n-1]
	}
	switch {
	case !m.cfg.reports:
		return ""
	case r.Version == 0:
		return "tacit's program in the guest did not report"
	case !r.Done:
		return "the report of tacit's program in the guest broke off" + said
	case r.Touched < m.cfg.Touch:
		return fmt.Sprintf("tacit's init was to touch %s and did not%s", record.FormatBytes(m.cfg.Touch), said)
	}
	return ""
}

// memInfo is /proc/meminfo in one of the guest's snapshots, nil where there is none.
func memInfo(r report.Report, snapshot string) *record.MemInfo {
	s, ok := r.Snapshot(snapshot)
	if !ok {
		return nil
	}
	m := &record.MemInfo{MemTotal: s.Meminfo["MemTotal"], MemFree: s.Meminfo["MemFree"]}
	for name, to := range map[string]**uint64{"Unaccepted": &m.Unaccepted, "Program": &m.Program, "Touched": &m.Touched, "Reserve": &m.Reserve} {
		if n, ok := s.Meminfo[name]; ok {
			*to = &n
		}
	}
	return m
}

// A console passes the first serial port and firmware's messages on, and listens for the kernel's last words.
type console struct {
	out   io.Writer // may be nil
	held  []byte    // of the first serial port, and not passed on yet: writing each byte by itself would take longer than making it
	line  []byte    // of the line so far, at most maxLine bytes
	panic string    // the first line in which a kernel says that it gives up
	died  bool      // it has said that an instruction went wrong, and not yet which
	oops  string    // where that was, as oopsRIP matches it
	lines []string  // the last few lines

	say   func(line []byte)             // hears of each line; may be nil
	heard func(line []byte, whole bool) // hears of each line, and at each blank of how far it is; may be nil

	shown    []byte       // since what was expected last, at most 2*maxShown bytes
	expected *expectation // nil where nothing is
	pause    func()       // has the processor come back when it has been shown

	now    func() int64 // virtual time
	onLast func()       // hears of a panicked kernel's last word; may be nil
	spins  bool         // it has said it, and nothing has shown since that it goes on
	giveUp int64        // virtual time at which it is given up, or neverGiveUp
}

const (
	maxLine   = 512
	keepLines = 8
)

// put takes a byte of the first serial port. It is passed on with its line, or at the next flush.
func (c *console) put(b byte) {
	c.held = append(c.held, b)
	if b == '\n' || len(c.held) >= maxLine {
		c.flush()
	}
	c.listen(b)
}

// flush passes on what put has held back. A console that cannot be written to does not stop the guest.
func (c *console) flush() {
	if c.out != nil && len(c.held) > 0 {
		_, _ = c.out.Write(c.held)
	}
	c.held = c.held[:0]
}

// Write implements io.Writer, for firmware's messages.
func (c *console) Write(p []byte) (int, error) {
	c.flush()
	if c.out != nil {
		_, _ = c.out.Write(p)
	}
	for _, b := range p {
		c.listen(b)
	}
	return len(p), nil
}

func (c *console) listen(b byte) {
	c.show(b)
	switch {
	case b == '\n':
		c.endLine()
	case len(c.line) < maxLine && b != '\r':
		c.line = append(c.line, b)
		if b == ' ' && c.heard != nil {
			c.heard(c.line, false)
		}
	}
	if c.spins {
		c.giveUp = c.now() + panicGrace
	}
}

// goesOn hears that what is on the console was not a kernel's last word.
func (c *console) goesOn() { c.spins, c.giveUp = false, neverGiveUp }

// breakOff ends a line that nothing follows.
func (c *console) breakOff() {
	if c.say != nil && len(c.line) > 0 {
		c.say(c.line)
	}
}

func (c *console) endLine() {
	c.breakOff()
	c.heed(c.line)
	if c.heard != nil {
		c.heard(c.line, true)
	}
	if i := bytes.Index(c.line, []byte("Kernel panic - not syncing")); i >= 0 && c.panic == "" {
		c.panic = string(c.line[i:])
	}
	if c.panic != "" && !c.spins && bytes.Contains(c.line, []byte("---[ end Kernel panic")) && c.onLast != nil {
		c.spins = true
		c.onLast()
	}
	if len(c.lines) == keepLines {
		c.lines = append(c.lines[:0], c.lines[1:]...)
	}
	c.lines = append(c.lines, string(c.line))
	c.line = c.line[:0]
}
