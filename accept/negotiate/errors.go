package negotiate

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/uefi"
)

// An Error is what keeps a system from leaving boot services, or from believing what it was told. It is a byte so that
// the compiler can make an error of it where nothing can be allocated. 0 is none.
type Error uint8

// Why [Room] and [Leave] fail, and what is wrong with what firmware says.
const (
	ErrNoMap          Error = 1 + iota // GetMemoryMap has failed
	ErrBufferTooSmall                  // the memory map has outgrown its buffer
	ErrRefused                         // ExitBootServices has returned EFI_INVALID_PARAMETER a second time
	ErrExit                            // ExitBootServices has failed otherwise

	// What cannot be true of a memory map. These four are about its shape.
	ErrDescriptorSize    // descriptors are smaller than their fields, or absurdly large
	ErrDescriptorVersion // the version of the descriptors is unknown
	ErrMapSize           // the map is not one of whole descriptors in the buffer
	ErrTooMany           // there are more than MaxDescriptors

	// And these about what it says.
	ErrNoPages    // a descriptor has no pages
	ErrNotAligned // a descriptor does not begin with a page
	ErrBeyond     // a descriptor goes beyond what can be addressed, perhaps around 2⁶⁴
	ErrOverlap    // two descriptors speak of the same memory
	ErrInUse      // memory in use is said to be unaccepted

	// What cannot be true of a table that somebody has installed.
	ErrTableFormat     // it is malformed, or of another version or unit than are known
	ErrTableShort      // it does not cover all unaccepted memory
	ErrTableContradict // it marks memory that the map does not call unaccepted
)

var errorTexts = [...]string{
	ErrNoMap:             "firmware does not tell its memory map",
	ErrBufferTooSmall:    "the memory map has outgrown its buffer",
	ErrRefused:           "firmware refuses ExitBootServices again, with the key of the map that it has just given",
	ErrExit:              "ExitBootServices has failed",
	ErrDescriptorSize:    "memory map: no descriptor has such a size",
	ErrDescriptorVersion: "memory map: descriptors of an unknown version",
	ErrMapSize:           "memory map: not one of whole descriptors in its buffer",
	ErrTooMany:           "memory map: too many descriptors",
	ErrNoPages:           "memory map: a descriptor without pages",
	ErrNotAligned:        "memory map: a descriptor that does not begin with a page",
	ErrBeyond:            "memory map: memory beyond what can be addressed",
	ErrOverlap:           "memory map: two descriptors of the same memory",
	ErrInUse:             "memory map: unaccepted memory where the system runs",
	ErrTableFormat:       "unaccepted memory table: malformed, or of an unknown version or unit",
	ErrTableShort:        "unaccepted memory table: it does not cover all unaccepted memory",
	ErrTableContradict:   "unaccepted memory table: it marks memory that the memory map does not call unaccepted",
}

// Error returns one line that says what is wrong.
func (e Error) Error() string {
	if int(e) < len(errorTexts) && errorTexts[e] != "" {
		return errorTexts[e]
	}
	return "no error"
}

// A MapError says what is wrong with a memory map, and where.
type MapError struct {
	Problem Error
	Culprit uefi.MemoryDescriptor // where the problem is with one
	Other   uefi.MemoryDescriptor // with ErrOverlap: the one that it collides with
	InUse   accept.Range          // with ErrInUse: what is in use there
}

// Error returns one line with the problem and the descriptors that have it. It allocates the text.
func (e *MapError) Error() string {
	text := e.Problem.Error()
	switch e.Problem {
	case ErrNoPages, ErrNotAligned, ErrBeyond:
		text += ": " + e.Culprit.String()
	case ErrOverlap:
		text += ": " + e.Culprit.String() + "; " + e.Other.String()
	case ErrInUse:
		text += ": " + e.Culprit.String() + "; in use is " + e.InUse.String()
	}
	return text
}

// Unwrap returns the problem, for [errors.Is].
//
// [errors.Is]: https://pkg.go.dev/errors#Is
func (e *MapError) Unwrap() error { return e.Problem }
