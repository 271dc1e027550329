package vm

import (
	"fmt"
	"runtime/debug"
)

// A BugError ends a run at a mistake of the machine's own. Whatever a guest does, the process that runs it goes on.
type BugError struct {
	What  string
	RIP   uint64 // of the guest's instruction
	Stack []byte
}

func (e *BugError) Error() string {
	return fmt.Sprintf("BUG: %s, at the guest's instruction %#x\n%s", e.What, e.RIP, e.Stack)
}

// guarded calls f and turns a panic in it, or an access to memory that is not there, into a *BugError.
func (m *Machine) guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = &BugError{What: fmt.Sprint(p), RIP: m.cpu().RIP(), Stack: debug.Stack()}
		}
	}()
	return f()
}
