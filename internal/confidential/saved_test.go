package confidential

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/state/statetest"
)

func TestStateIsWhole(t *testing.T) {
	statetest.Complete(t, func() *Violation { return &Violation{} }, (*Violation).Carry)
}
