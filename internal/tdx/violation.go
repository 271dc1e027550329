package tdx

import (
	"fmt"
)

// A FatalError is what a guest says when it gives up (GHCI, TDG.VP.VMCALL<ReportFatalError>).
type FatalError struct {
	Code    uint32 // 0 is a panic
	Message string // printable ASCII
}

func (e *FatalError) Error() string {
	if e.Message == "" {
		return fmt.Sprintf("the guest reported fatal error %#x", e.Code)
	}
	return fmt.Sprintf("the guest reported fatal error %#x: %s", e.Code, e.Message)
}

// Said implements [confidential.Surrender].
func (e *FatalError) Said() string { return e.Error() }
