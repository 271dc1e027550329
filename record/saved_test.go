package record

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Log { return NewLog(nil) }, (*Log).Carry,
		"callers", "sink", "watch", "awaited", "heard", "totals.called", // callers below; who waits is who runs the machine
		"taken.Stack", "last.Stack") // the first below; the last has none
	statetest.Complete(t, func() *caller { return &caller{} }, (*caller).carry, "stack")
	statetest.Complete(t, func() *Accepted { return &Accepted{} }, (*Accepted).carry, "Stack")
	statetest.Complete(t, func() *Added { return &Added{} }, (*Added).carry)
}

// A run of acceptances that the log holds back goes on, if its stack is the same.
func TestStateOfStacks(t *testing.T) {
	var stack []uint64
	var heard [2]events
	logs := [2]*Log{}
	for i := range logs {
		logs[i] = NewLog(&heard[i])
		logs[i].FindStacks(Stacks{func() []uint64 { return stack }, func(uint64) string { return "f" }})
	}
	accept := func(l *Log, gpa Address, from uint64) {
		stack = []uint64{from}
		l.Accept(Accepted{By: Running, GPA: gpa, Bytes: 4096})
	}
	accept(logs[0], 0, 1)
	accept(logs[0], 0x5000, 2)
	s := state.Out()
	logs[0].Carry(s)
	in := state.In(s.Bytes())
	if logs[1].Carry(in); in.End() != nil {
		t.Fatal(in.End())
	}
	accept(logs[1], 0x6000, 2)
	accept(logs[1], 0x7000, 1)
	logs[1].Flush()
	if n := len(heard[1]); n != 2 || heard[1][0].(Accepted).Bytes != 0x2000 {
		t.Errorf("heard %+v", heard[1])
	}
	if all := logs[1].callers.all(); len(all) != 2 || all[0].Operations != 2 || all[1].Operations != 2 {
		t.Errorf("callers %+v", all)
	}
}

type events []Event

func (e *events) Event(x Event) { *e = append(*e, x) }
