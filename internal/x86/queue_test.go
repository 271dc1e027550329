package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/mem"
)

// Two processors that exit at the same time wait for each other, and what they waited is in their tallies; one that has
// no other does not wait.
func TestChargesWaitForOtherProcessors(t *testing.T) {
	model := cost.TDX()
	held := model.Hold(cost.Exit)
	memory, err := mem.New(2 << 20)
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	pair := func(queue *cost.Queue) (a, b *CPU) {
		cfg := Config{Memory: memory, Platform: &Plain{Memory: memory, RAM: func(uint64) bool { return true }}, Cost: model, Queue: queue}
		a = New(cfg)
		cfg.ID = 1
		return a, New(cfg)
	}
	for _, queue := range []*cost.Queue{nil, cost.NewQueue(model)} {
		a, b := pair(queue)
		a.Charge(cost.Exit, 1)
		b.Charge(cost.Exit, 1)
		b.Charge(cost.ModuleCall, 1)
		want := cost.Contended{}
		if queue != nil {
			want = cost.Contended{Count: 1, NS: held.NS}
		}
		at, bt := a.Tally(), b.Tally()
		if got := bt.Contended(held.Lock); got != want || at.Contended(held.Lock) != (cost.Contended{}) {
			t.Errorf("queue %v: the second waited %+v, want %+v; the first %+v", queue != nil, got, want, at.Contended(held.Lock))
		}
		a.PutAside()
		b.PutAside()
		at, bt = a.Tally(), b.Tally()
		if got := bt.Contended(held.Lock); (got.Count > 1) != (queue != nil) || at.Time(model) != a.Now() {
			t.Errorf("queue %v: halting, the second waited %+v", queue != nil, got)
		}
		if at.Time(model) != a.Now() || bt.Time(model) != b.Now() {
			t.Errorf("queue %v: times %d and %d, tallies %d and %d", queue != nil, a.Now(), b.Now(), at.Time(model), bt.Time(model))
		}
	}
}
