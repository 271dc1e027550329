package attack

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Host { return &Host{} }, (*Host).Carry,
		"honest", "guest", "memory", "matters", "attack", "tactic", "cheat", "become", "convertHonestly")
}
