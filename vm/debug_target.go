package vm

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/internal/x86"
)

// What gdb asks of a machine that stands still: memory and points.

// CPUs implements [gdb.Target].
func (d *debugger) CPUs() int { return len(d.m.cpus) }

// ReadMemory implements [gdb.Target].
func (d *debugger) ReadMemory(cpu int, address uint64, p []byte) int {
	n, _ := readMemory(d.m.cpus[cpu], address, p)
	return n
}

// WriteMemory implements [gdb.Target].
func (d *debugger) WriteMemory(cpu int, address uint64, p []byte) error {
	return writeMemory(d.m.cpus[cpu], address, p)
}

// SetPoints implements [gdb.Target]. The processors hear of them when they go on: gdb takes all away at each stop, and
// gives them back.
func (d *debugger) SetPoints(points []gdb.Point) error {
	d.points = slices.Clone(points)
	return nil
}

// watchOf returns what a watchpoint is to the processor.
func watchOf(p gdb.Point) (w x86.Watch, ok bool) {
	w = x86.Watch{Start: p.Address, End: p.Address + p.Length}
	switch p.Kind {
	case gdb.WriteWatch:
		w.Write = true
	case gdb.ReadWatch:
		w.Read = true
	case gdb.AccessWatch:
		w.Read, w.Write = true, true
	default:
		return w, false
	}
	return w, true
}

// set gives the processors what gdb and its monitor wait for.
func (d *debugger) set() {
	watches := slices.Clone(d.touch)
	var breaks []uint64
	for _, p := range d.points {
		if w, ok := watchOf(p); ok {
			watches = append(watches, w)
		} else {
			breaks = append(breaks, p.Address)
		}
	}
	for _, c := range d.m.cpus {
		c.SetBreakpoints(breaks)
		c.SetWatches(watches)
	}
}
