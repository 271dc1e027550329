package vm

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
)

// This file finds out which process has entered the kernel. Where Linux keeps the thread that runs, its own types and
// symbols say: up to 6.14 in a structure for each processor, later in a variable for each.

// A process stands in a stack as an address that no function can have: processFirst and the number of its name.
const (
	processFirst = 1 << 63
	maxProcesses = 256 // names that are told apart
)

// process returns what stands in a stack for the process that the processor runs now.
func (m *Machine) process() uint64 {
	name := m.processName()
	n := &m.names
	at := slices.Index(n.processes, name)
	switch {
	case at >= 0:
	case len(n.processes) == maxProcesses:
		at = maxProcesses
	default:
		at, n.processes = len(n.processes), append(n.processes, name)
	}
	return processFirst + uint64(at)
}

// processPlace is the inverse of process: what is shown of that.
func (m *Machine) processPlace(address uint64) string {
	at := address - processFirst
	if at >= uint64(len(m.names.processes)) {
		return "other processes"
	}
	if name := m.names.processes[at]; name != "" {
		return "process " + name
	}
	return "a process"
}

func isProcess(address uint64) bool {
	return address >= processFirst && address <= processFirst+maxProcesses
}

// processName returns the name of the process that the processor runs, empty where it cannot be found.
func (m *Machine) processName() string {
	types := m.names.types
	if types == nil {
		return ""
	}
	comm, ok := types.Member("task_struct", "comm")
	if !ok || comm.Size != 1 || comm.Count > 64 {
		return ""
	}
	task, ok := m.currentTask()
	var text []byte
	for at := uint64(0); ok && at < comm.Count; at += 8 {
		var w uint64
		w, ok = m.word(task + comm.Offset + at)
		text = binary.LittleEndian.AppendUint64(text, w)
	}
	if !ok {
		return ""
	}
	name, _, _ := strings.Cut(string(text), "\x00")
	return record.Printable(name)
}

// currentTask returns the address of the kernel's structure of the thread that runs. Like the stack it is read by word,
// so that a stack that has not changed is the same process's.
func (m *Machine) currentTask() (task uint64, ok bool) {
	mine := m.cpu().R[x86.GSBase] // the processor's own variables
	if hot, ok := m.names.table.PerCPU("pcpu_hot"); ok {
		current, ok := m.names.types.Member("pcpu_hot", "current_task")
		if !ok {
			return 0, false
		}
		return m.word(mine + hot + current.Offset)
	}
	linked, known := m.names.table.Address("current_task")
	moved, placed := m.kernelOffset()
	if !known || !placed {
		return 0, false
	}
	return m.word(mine + linked + moved)
}
