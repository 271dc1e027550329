package snp

import (
	"fmt"

	"github.com/tacit-vm/tacit/snp/abi"
)

// A ResultError is an operation at a page that failed.
type ResultError struct {
	Call   string // the instruction, "RMPUPDATE"; or what the host meant to do
	GPA    uint64
	Result abi.Result
}

func (e *ResultError) Error() string { return fmt.Sprintf("%s at %#x: %s", e.Call, e.GPA, e.Result) }
