package tdx

import (
	"fmt"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// A StatusError is a call at a page that the module refused.
type StatusError struct {
	Call   string // the leaf's name, "TDG.MEM.PAGE.ACCEPT"
	GPA    uint64
	Status abi.Status
}

func (e *StatusError) Error() string { return fmt.Sprintf("%s of %#x: %s", e.Call, e.GPA, e.Status) }
