package pagestate

import (
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
)

// What is read is the same map, also in its counts and in what it takes.
func TestCarry(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	m := New[pageState]()
	for range 200 {
		first := r.Uint64N(Pages) >> r.UintN(36)
		to := pageState(r.UintN(3))
		m.Update(first, min(first+r.Uint64N(1<<r.UintN(20)), Pages), func(pageState) pageState { return to })
	}
	s := state.Out()
	m.Carry(s, 3)
	again, in := New[pageState](), state.In(s.Bytes())
	if again.Carry(in, 3); in.End() != nil {
		t.Fatal(in.End())
	}
	if again.count != m.count || m.root.nodes() != again.root.nodes() {
		t.Errorf("counts %v and %v, nodes %d and %d", m.count[:3], again.count[:3], m.root.nodes(), again.root.nodes())
	}
	m.Runs(func(first, end uint64, of pageState) {
		if again.At(first) != of || again.At(end-1) != of {
			t.Errorf("pages %d to %d are not in state %d", first, end, of)
		}
	})
	in = state.In(s.Bytes())
	if New[pageState]().Carry(in, 2); in.End() == nil {
		t.Error("a state beyond the limit was taken")
	}
}
