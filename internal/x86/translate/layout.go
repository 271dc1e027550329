package translate

import "github.com/tacit-vm/tacit/internal/x86/hostcode"

const (
	entryShift = hostcode.EntryShift
	jumpShift  = hostcode.JumpShift
	pageShift  = 12
	pageSize   = 1 << pageShift

	segments    = hostcode.Segments
	segmentSize = hostcode.SegmentSize
)

// A Host says what instructions the processor has that runs the code.
type Host struct {
	ADX, BMI1, BMI2, POPCNT          bool
	SSSE3, SSE41, SSE42, AES, PCLMUL bool
	SHA                              bool
}
