package x86

import "unsafe"

// PMOVSX and PMOVZX: the low lanes of the source, widened.
var widenHandlers = map[Op]handler{
	opPMOVSXBW: whole(func(_, s XMM) XMM { return widen[int8, uint16](s[0]) }),
	opPMOVSXBD: whole(func(_, s XMM) XMM { return widen[int8, uint32](s[0]) }),
	opPMOVSXBQ: whole(func(_, s XMM) XMM { return widen[int8, uint64](s[0]) }),
	opPMOVSXWD: whole(func(_, s XMM) XMM { return widen[int16, uint32](s[0]) }),
	opPMOVSXWQ: whole(func(_, s XMM) XMM { return widen[int16, uint64](s[0]) }),
	opPMOVSXDQ: whole(func(_, s XMM) XMM { return widen[int32, uint64](s[0]) }),
	opPMOVZXBW: whole(func(_, s XMM) XMM { return widen[uint8, uint16](s[0]) }),
	opPMOVZXBD: whole(func(_, s XMM) XMM { return widen[uint8, uint32](s[0]) }),
	opPMOVZXBQ: whole(func(_, s XMM) XMM { return widen[uint8, uint64](s[0]) }),
	opPMOVZXWD: whole(func(_, s XMM) XMM { return widen[uint16, uint32](s[0]) }),
	opPMOVZXWQ: whole(func(_, s XMM) XMM { return widen[uint16, uint64](s[0]) }),
	opPMOVZXDQ: whole(func(_, s XMM) XMM { return widen[uint32, uint64](s[0]) }),
}

// widen extends the low lanes of v, of type N, to lanes of type W that fill a register. N's signedness is what it
// extends with.
func widen[N lane, W uint16 | uint32 | uint64](v uint64) (r XMM) {
	n, w := int(unsafe.Sizeof(N(0)))*8, int(unsafe.Sizeof(W(0)))*8
	for i := range 128 / w {
		r[i*w>>6] |= uint64(W(N(v>>(i*n)))) << (i * w & 63)
	}
	return r
}
