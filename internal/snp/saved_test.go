package snp

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Platform { return &Platform{rmp: pagestate.New[pageState](), vcpus: make([]vcpu, 1)} }, (*Platform).Carry,
		"cfg", "mem", "replier", "host", "log", "rmp", "ram", "table") // how the RMP is carried, pagestate tests
	statetest.Complete(t, func() *vcpu { return &vcpu{} }, (*vcpu).carry, "request")
}
