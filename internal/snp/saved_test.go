package snp

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/pagestate"
	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Platform {
		return &Platform{rmp: pagestate.New[pageState](), levels: newLevels(), vcpus: make([]vcpu, 1)}
	}, (*Platform).Carry,
		"cfg", "mem", "replier", "starter", "host", "log", "rmp", "levels", "ram", "table", "grew", "key") // TestSavedRMP has these two
	statetest.Complete(t, func() *hostFrame { return &hostFrame{} }, (*hostFrame).carry)
	statetest.Complete(t, func() *vcpu { return &vcpu{} }, (*vcpu).carry, "request")
}
