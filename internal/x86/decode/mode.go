package decode

// A Mode is what decoding depends on beside the bytes.
type Mode uint8

// Bits of Mode.
const (
	ModeSSE  Mode = 1 << iota // SSE instructions are usable
	ModeX87                   // x87 instructions are usable
	ModeNM                    // SSE instructions would be usable but for CR0.TS: they raise #NM, not #UD
	ModeWait                  // CR0.MP and TS: WAIT raises #NM
)
