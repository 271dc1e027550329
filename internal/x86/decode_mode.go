package x86

// codeMode is what decoding depends on beside the bytes.
type codeMode uint8

const (
	modeSSE  codeMode = 1 << iota // SSE instructions are usable
	modeX87                       // x87 instructions are usable
	modeNM                        // SSE instructions would be usable but for CR0.TS: they raise #NM, not #UD
	modeWait                      // CR0.MP and TS: WAIT raises #NM
)
