//go:build linux && amd64

package main

import (
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"github.com/tacit-vm/tacit/guest/kernel"
	"github.com/tacit-vm/tacit/guest/report"
)

// A show prints the state of memory after each step, and reports it.
type show struct {
	system kernel.System
	report reporter
}

const barWidth = 48

func newShow(s kernel.System) *show {
	sh := &show{system: s}
	sh.report.open(s)
	fmt.Printf("\n%-18s%12s%12s%12s  |%-*s|\n", "", "used", "accepted", "unaccepted", barWidth, "# used  + accepted and free  . unaccepted")
	return sh
}

// step waits a moment, in which the kernel accepts ahead, and shows what is.
func (s *show) step(name string, holding uint64) {
	time.Sleep(2 * time.Millisecond)
	if holding > 0 {
		name = fmt.Sprintf("%s %s", name, mib(holding))
	}
	m := s.report.snapshot(strings.ReplaceAll(name, " ", "-"), holding)
	accepted := s.system.Memory - m.Unaccepted
	used := accepted - m.FreeAccepted
	fmt.Printf("%-18s%12s%12s%12s  |%s|\n", name, mib(used), mib(accepted), mib(m.Unaccepted), s.bar(used, accepted))
}

func (s *show) bar(used, accepted uint64) string {
	cells := func(n uint64) int { return int((n*barWidth + s.system.Memory/2) / s.system.Memory) }
	u, a := cells(used), cells(accepted)
	return strings.Repeat("#", u) + strings.Repeat("+", max(a-u, 0)) + strings.Repeat(".", barWidth-max(a, u))
}

// mib is an amount of memory in MiB, rounded.
func mib(n uint64) string {
	digits := fmt.Sprint((n + 1<<19) >> 20)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits + " MiB"
}

// A reporter tells the machine outside, on the second serial port, in the language of package report.
type reporter struct {
	port *os.File // nil where there is none
	line report.Line
	m    kernel.Memory
}

// reportFile is the file that the kernel has open for the second serial port.
const reportFile = 3

func (r *reporter) open(s kernel.System) {
	r.line = make(report.Line, 0, report.MaxLine)
	// Without that port the number may be another file's, of the runtime's own, which is not to be closed some day because a
	// file of that number is not used here.
	var is syscall.Stat_t
	if syscall.Fstat(reportFile, &is) != nil || is.Mode&syscall.S_IFMT != syscall.S_IFCHR {
		return
	}
	r.port = os.NewFile(reportFile, "report")
	if !r.send(r.line.Start(report.Header).Number(report.Version)) {
		r.port = nil
	}
	r.send(r.line.Start(report.Uname).Text("tacit").Text(s.Platform.String()))
}

// send writes a line and says whether it could.
func (r *reporter) send(l *report.Line) bool {
	if r.port == nil {
		return false
	}
	_, err := r.port.Write(l.Bytes())
	return err == nil
}

// snapshot reads the state of memory between two marks, at which the machine reads its own books: nothing is allocated
// in between.
func (r *reporter) snapshot(name string, program uint64) *kernel.Memory {
	kernel.Settle(true)
	r.m.Read() // once before, so that reading it touches nothing new
	r.send(r.line.Start(report.Begin).Text(name))
	r.m.Read()
	r.send(r.line.Start(report.End).Text(name))
	kernel.Settle(false)
	const kib = 10
	r.send(r.line.Start(report.Meminfo).Field("MemTotal", r.m.Total>>kib).
		Field("MemFree", (r.m.FreeAccepted+r.m.FreeUnaccepted)>>kib).Field("Unaccepted", r.m.Unaccepted>>kib).
		Field("Program", program>>kib).Field("Touched", r.m.Touched>>kib).Field("Reserve", r.m.Reserve>>kib))
	return &r.m
}

// took tells of a quote.
func (r *reporter) took(quote []byte) {
	r.send(r.line.Start(report.Took).Text(report.Quote).Number(uint64(len(quote))))
}

func (r *reporter) done() { r.send(r.line.Start(report.Done)) }
