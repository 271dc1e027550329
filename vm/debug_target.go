package vm

import (
	"slices"

	"github.com/tacit-vm/tacit/internal/gdb"
	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86"
)

// What gdb asks of a machine that stands still: memory and points. Memory is read and written as the processor's page
// tables lead, whatever they allow, and nothing happens to the guest by it: a page that is not accepted cannot be read,
// and stays as it is.

// CPUs implements [gdb.Target].
func (d *debugger) CPUs() int { return len(d.m.cpus) }

// pieces calls f for each page's part of n bytes from address on, until it fails, and returns how many bytes it was not
// called for in vain.
func pieces(address, n uint64, f func(address, from, to uint64) error) (done uint64, err error) {
	for done < n {
		size := min(n-done, mem.PageSize-address%mem.PageSize)
		if err := f(address, done, done+size); err != nil {
			return done, err
		}
		address, done = address+size, done+size
	}
	return done, nil
}

// ReadMemory implements [gdb.Target].
func (d *debugger) ReadMemory(cpu int, address uint64, p []byte) int {
	c := d.m.cpus[cpu]
	n, _ := pieces(address, uint64(len(p)), func(a, from, to uint64) error { return c.ReadVirtual(a, p[from:to]) })
	return int(n)
}

// WriteMemory implements [gdb.Target].
func (d *debugger) WriteMemory(cpu int, address uint64, p []byte) error {
	c := d.m.cpus[cpu]
	var gpas []uint64
	_, err := pieces(address, uint64(len(p)), func(a, from, to uint64) error {
		gpa, err := c.Translate(a, false)
		if err == nil {
			err = c.ReadPhysical(gpa, make([]byte, to-from))
		}
		gpas = append(gpas, gpa)
		return err
	})
	if err != nil {
		return err
	}
	_, err = pieces(address, uint64(len(p)), func(_, from, to uint64) error {
		gpa := gpas[0]
		gpas = gpas[1:]
		return c.WritePhysical(gpa, p[from:to])
	})
	return err
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
