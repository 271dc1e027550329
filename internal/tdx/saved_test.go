package tdx

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Module { return &Module{pages: pagestate.New[pageState]()} }, (*Module).Carry,
		"cfg", "mem", "host", "listener", "attester", "log", "pages", "sharedBit", "la57", "ram") // how pages are carried, pagestate tests
	statetest.Complete(t, func() *vp { return &vp{} }, (*vp).carry)

	m := &Module{pages: pagestate.New[pageState]()}
	m.pages.Update(7, 9, func(pageState) pageState { return pageStates })
	s := state.Out()
	m.Carry(s)
	in := state.In(s.Bytes())
	if (&Module{pages: pagestate.New[pageState]()}).Carry(in); in.End() == nil {
		t.Error("pages in a state that does not exist were taken")
	}
}
