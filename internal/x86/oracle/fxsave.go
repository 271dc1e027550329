package oracle

import "encoding/binary"

// Offsets in the FXSAVE image (SDM vol. 1, table 10-2).
const (
	fxFCW   = 0
	fxFSW   = 2
	fxFTW   = 4
	fxMXCSR = 24
	fxST    = 32
	fxXMM   = 160
	fxBytes = 416 // without the reserved end
)

// storeFX writes floating point and SSE state as FXSAVE does; the pointers to the last instruction are 0.
func (s *State) storeFX(b []byte) {
	clear(b)
	le := binary.LittleEndian
	le.PutUint16(b[fxFCW:], s.X87.FCW)
	le.PutUint16(b[fxFSW:], s.X87.FSW)
	b[fxFTW] = s.X87.FTW
	le.PutUint32(b[fxMXCSR:], s.MXCSR)
	for i, v := range s.X87.ST {
		le.PutUint64(b[fxST+16*i:], v.Significand)
		le.PutUint16(b[fxST+16*i+8:], v.SignExp)
	}
	for i, v := range s.XMM {
		le.PutUint64(b[fxXMM+16*i:], v[0])
		le.PutUint64(b[fxXMM+16*i+8:], v[1])
	}
}

func (s *State) loadFX(b []byte) {
	le := binary.LittleEndian
	s.X87.FCW = le.Uint16(b[fxFCW:])
	s.X87.FSW = le.Uint16(b[fxFSW:])
	s.X87.FTW = b[fxFTW]
	s.MXCSR = le.Uint32(b[fxMXCSR:])
	for i := range s.X87.ST {
		s.X87.ST[i] = Float80{le.Uint64(b[fxST+16*i:]), le.Uint16(b[fxST+16*i+8:])}
	}
	for i := range s.XMM {
		s.XMM[i] = [2]uint64{le.Uint64(b[fxXMM+16*i:]), le.Uint64(b[fxXMM+16*i+8:])}
	}
}
