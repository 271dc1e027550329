package host

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Host { return &Host{} }, (*Host).Carry, "cfg", "guest")
	statetest.Complete(t, func() *SNP { return &SNP{Host: &Host{}} }, (*SNP).Carry, "Host", "snp")
	statetest.Complete(t, func() *Cheat { return &Cheat{} }, (*Cheat).Carry, "honest", "guest", "memory", "attack")
}
