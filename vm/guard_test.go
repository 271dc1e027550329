package vm

import (
	"errors"
	"testing"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86"
)

// A mistake in the machine ends the run, not the process.
func TestMistakesAreErrors(t *testing.T) {
	m := &Machine{cpus: []*x86.CPU{{}}}
	var list []int
	for name, f := range map[string]func() error{
		"panic": func() error { return errors.New(string(rune(list[3]))) },
		"fault": func() error {
			*(*byte)(unsafe.Add(unsafe.Pointer(m), 1<<40)) = 1
			return nil
		},
	} {
		var bug *BugError
		if err := m.guarded(f); !errors.As(err, &bug) || len(bug.Stack) == 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}
