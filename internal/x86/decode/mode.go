package decode

// A Mode is what decoding depends on beside the bytes.
type Mode uint8

// Bits of Mode.
const (
	ModeSSE  Mode = 1 << iota // SSE instructions are usable
	ModeX87                   // x87 instructions are usable
	ModeNM                    // SSE instructions would be usable but for CR0.TS: they raise #NM, not #UD
	ModeWait                  // CR0.MP and TS: WAIT raises #NM

	// Code that is not 64-bit code: neither bit is set in 64-bit mode, one of them in the other modes.
	Mode16 // CS.D is 0
	Mode32 // CS.D is 1

	ModeReal // CR0.PE is 0, or EFLAGS.VM is 1
	ModeFlat // CS, DS, ES and SS have base 0 and limit 4 GiB, and allow what they are for: nothing to look at (32-bit code only)

	ModeLegacy = Mode16 | Mode32
)
