package confidential

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Findings { return &Findings{} }, (*Findings).Carry)
	statetest.Complete(t, func() *Told { return &Told{} }, (*Told).Carry)
	statetest.Complete(t, func() *Violation { return &Violation{} }, (*Violation).Carry)
}
