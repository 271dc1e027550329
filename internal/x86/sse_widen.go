package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// PMOVSX and PMOVZX: the low lanes of the source, widened.
var widenHandlers = map[uop.Op]handler{
	uop.PMOVSXBW: whole(func(_, s XMM) XMM { return widen[int8, uint16](s[0]) }),
	uop.PMOVSXBD: whole(func(_, s XMM) XMM { return widen[int8, uint32](s[0]) }),
	uop.PMOVSXBQ: whole(func(_, s XMM) XMM { return widen[int8, uint64](s[0]) }),
	uop.PMOVSXWD: whole(func(_, s XMM) XMM { return widen[int16, uint32](s[0]) }),
	uop.PMOVSXWQ: whole(func(_, s XMM) XMM { return widen[int16, uint64](s[0]) }),
	uop.PMOVSXDQ: whole(func(_, s XMM) XMM { return widen[int32, uint64](s[0]) }),
	uop.PMOVZXBW: whole(func(_, s XMM) XMM { return widen[uint8, uint16](s[0]) }),
	uop.PMOVZXBD: whole(func(_, s XMM) XMM { return widen[uint8, uint32](s[0]) }),
	uop.PMOVZXBQ: whole(func(_, s XMM) XMM { return widen[uint8, uint64](s[0]) }),
	uop.PMOVZXWD: whole(func(_, s XMM) XMM { return widen[uint16, uint32](s[0]) }),
	uop.PMOVZXWQ: whole(func(_, s XMM) XMM { return widen[uint16, uint64](s[0]) }),
	uop.PMOVZXDQ: whole(func(_, s XMM) XMM { return widen[uint32, uint64](s[0]) }),
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
