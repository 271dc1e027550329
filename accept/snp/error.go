package snp

import "github.com/tacit-vm/tacit/snp/abi"

// A Cause is what made a call fail.
type Cause uint8

// Causes.
const (
	BadRange     Cause = iota // ends are no multiples of 4 KiB
	Validate                  // PVALIDATE, to validate
	Rescind                   // PVALIDATE, to rescind validation
	Refused                   // the host refused a page state change
	Inconsistent              // the host left what cannot be in the structure of a page state change
	Stalled                   // the host returned from a page state change, again and again, without having done anything
	Unregistered              // the host did not register the GHCB
)

// An Error is a call that failed. It is part of the [Driver] that returned it and good until that is called again; a
// copy lasts.
type Error struct {
	Cause Cause
	GPA   uint64       // of the page, where the host has come to, or of the GHCB
	Size  abi.PageSize // the page's

	// Of PVALIDATE: what it returned.
	Result    abi.Result
	Unchanged bool // CF: the page had been validated, or not validated, before

	// Of the host: SW_EXITINFO1 and SW_EXITINFO2, and the header of the structure; or, where it was asked in the GHCB
	// MSR, the register in Info1.
	Info1, Info2 uint64
	Header       abi.PSCHeader
}

// AlreadyValidated says whether the page had been validated before: its caller or the host is not to be trusted.
func (e *Error) AlreadyValidated() bool { return e.Cause == Validate && e.Unchanged }

// Error returns one line with what failed, where, and the answer.
func (e *Error) Error() string {
	at := " at " + hex(e.GPA)
	switch e.Cause {
	case Validate, Rescind:
		s := abi.PVALIDATE
		if e.Cause == Rescind {
			s += ", rescind,"
		}
		s += " of the " + e.Size.String() + " page" + at + ": " + e.Result.String()
		if e.Unchanged {
			s += ", CF: it was so before"
		}
		return s
	case Refused:
		return "page state change" + at + ": refused: " + hex(e.Info1) + ", " + hex(e.Info2)
	case Inconsistent:
		return "page state change" + at + ": the host left a structure that cannot be: header " + hex(uint64(e.Header))
	case Stalled:
		return "page state change" + at + ": the host does not get on"
	case Unregistered:
		return "registration of the GHCB" + at + ": refused: " + hex(e.Info1)
	}
	return "the range" + at + " does not begin and end with pages"
}
