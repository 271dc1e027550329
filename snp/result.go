package snp

import "fmt"

// A Result is what an instruction that works on the RMP returns in EAX (APM vol. 3, PVALIDATE, RMPADJUST, RMPUPDATE,
// PSMASH).
type Result uint32

// Results.
const (
	Success          Result = 0
	FailInput        Result = 1
	FailPermission   Result = 2
	FailInUse        Result = 3
	FailOverlap      Result = 4
	FailSizeMismatch Result = 6
)

var resultNames = map[Result]string{
	Success: "SUCCESS", FailInput: "FAIL_INPUT", FailPermission: "FAIL_PERMISSION", FailInUse: "FAIL_INUSE",
	FailOverlap: "FAIL_OVERLAP", FailSizeMismatch: "FAIL_SIZEMISMATCH",
}

func (r Result) String() string {
	if n := resultNames[r]; n != "" {
		return n
	}
	return fmt.Sprintf("%d", uint32(r))
}

// A ResultError is an operation at a page that failed.
type ResultError struct {
	Call   string // the instruction, "RMPUPDATE"; or what the host meant to do
	GPA    uint64
	Result Result
}

func (e *ResultError) Error() string { return fmt.Sprintf("%s at %#x: %s", e.Call, e.GPA, e.Result) }
