package firmware

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	f := newMachine(t, nil).Firmware
	statetest.Complete(t, func() *Firmware { g := *f; return &g }, (*Firmware).Carry,
		"cfg", "file", "plan", // of the configuration
		"opened", "recent", "cpu", "random", "pool.pieces", "handles.pieces", "handles.openings", "variables.size", "counted", // follow from the rest, or from who calls
		"path.Kernel",                                                           // the machine finds that out
		"grew",                                                                  // of the process
		"negotiation.Policy", "negotiation.LookedUpBy", "negotiation.AllowedBy", // below
		"unfinished.loading", "unfinished.driving") // below
	statetest.Complete(t, func() *image { return &image{} }, (*image).carry)
	statetest.Complete(t, func() *event { return &event{} }, (*event).carry)
	statetest.Complete(t, func() *frame { return &frame{} }, func(fr *frame, s *state.Stream) { f.carryFrame(s, fr) }, "unfinished.loading", "unfinished.driving")
	statetest.Complete(t, func() *driving { return &driving{} }, (*driving).carry)
	statetest.Complete(t, func() *loading { return &loading{file: &peFile{r: &guestFile{}}} }, func(l *loading, s *state.Stream) { f.carryLoading(s, l) }, "file")
	statetest.Complete(t, func() *peFile { return &peFile{} }, func(p *peFile, s *state.Stream) { p.carry(s, 0) }, "r")
	statetest.Complete(t, func() *Fault { return &Fault{} }, (*Fault).Carry)

	before := string(carried(f))
	for what, change := range map[string]func(){
		"a random number":     func() { f.random.Uint64() },
		"who asked":           func() { f.negotiation.LookUp("a") },
		"who allowed":         func() { f.negotiation.Allow("b") },
		"an image under way":  func() { f.unfinished.loading = &loading{file: &peFile{r: &guestFile{f: f}}} },
		"drivers under way":   func() { f.unfinished.driving = &driving{stops: []stop{{children: []uint64{1}}}} },
		"a variable":          func() { f.variables.list = append(f.variables.list, variable{name: []uint16{'x'}}) },
		"memory of the pool":  func() { _, _ = f.takePool(1, 32) },
		"an interface's page": func() { f.handles.handles[0].interfaces[0].address++ },
	} {
		if change(); string(carried(f)) == before {
			t.Errorf("%s is not carried", what)
		}
		before = string(carried(f))
	}
}

func carried(f *Firmware) []byte {
	s := state.Out()
	f.Carry(s)
	return s.Bytes()
}
