package x86

import (
	"maps"
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// sseHandlers is the table of all operations on XMM registers, put together from the tables of their subjects.
var sseHandlers = joined(
	xmmMemoryHandlers,
	xmmMoveHandlers,
	xmmLogicHandlers,
	packedAddHandlers,
	packedCompareHandlers,
	packedMultiplyHandlers,
	packedShiftHandlers,
	shuffleHandlers,
	widenHandlers,
	floatArithHandlers,
	floatCompareHandlers,
	floatConvertHandlers,
	floatApproximateHandlers,
	aesHandlers,
	shaHandlers,
	carrylessHandlers,
	stringCompareHandlers,
	mmxHandlers,
	fxsaveHandlers,
	xsaveHandlers,
)

func joined(tables ...map[uop.Op]handler) map[uop.Op]handler {
	all := map[uop.Op]handler{}
	for _, t := range tables {
		maps.Copy(all, t)
	}
	return all
}

// The functions below make handlers from what is done to one quadword or to the register as a whole. They serve
// operations that are not hot; those have handlers of their own, because a call less is a third of their time.

// quads applies f to both quadwords: dst = f(dst, src).
func quads(f func(a, b uint64) uint64) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		d[0], d[1] = f(d[0], s[0]), f(d[1], s[1])
		return true
	}
}

// whole makes dst = f(dst, src).
func whole(f func(a, b XMM) XMM) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		*d = f(*d, *s)
		return true
	}
}

// wholeImm makes dst = f(dst, src, imm8).
func wholeImm(f func(a, b XMM, imm uint8) XMM) handler {
	return func(c *CPU, u *uop.Uop) bool {
		d, s := c.xmm(u)
		*d = f(*d, *s, uint8(u.Imm))
		return true
	}
}

// A lane is an element of a packed integer.
type lane interface {
	uint8 | int8 | uint16 | int16 | uint32 | int32
}

// lanes applies f to each pair of lanes of two quadwords.
func lanes[T lane](a, b uint64, f func(a, b T) T) (r uint64) {
	n := laneBits[T]()
	mask := uint64(1)<<n - 1
	for i := 0; i < 64; i += n {
		r |= (uint64(f(T(a>>i), T(b>>i))) & mask) << i
	}
	return r
}

// laneBits returns the width of T in bits.
func laneBits[T lane]() int { return int(unsafe.Sizeof(T(0))) * 8 }
