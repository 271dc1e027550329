package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Packed integer multiplication.
var packedMultiplyHandlers = map[uop.Op]handler{
	uop.PMULLW:    quads(func(a, b uint64) uint64 { return lanes(a, b, func(a, b uint16) uint16 { return a * b }) }),
	uop.PMULHW:    quads(func(a, b uint64) uint64 { return lanes(a, b, multiplyHigh) }),
	uop.PMULHUW:   quads(func(a, b uint64) uint64 { return lanes(a, b, multiplyHighUnsigned) }),
	uop.PMULHRSW:  quads(func(a, b uint64) uint64 { return lanes(a, b, multiplyHighRounded) }),
	uop.PMULLD:    quads(func(a, b uint64) uint64 { return lanes(a, b, func(a, b uint32) uint32 { return a * b }) }),
	uop.PMULDQ:    quads(func(a, b uint64) uint64 { return uint64(int64(int32(a)) * int64(int32(b))) }),
	uop.PMULUDQ:   quads(func(a, b uint64) uint64 { return low32(a) * low32(b) }),
	uop.PMADDWD:   quads(multiplyAddWords),
	uop.PMADDUBSW: quads(multiplyAddBytes),
}

func multiplyHigh(a, b int16) int16           { return int16(int32(a) * int32(b) >> 16) }
func multiplyHighUnsigned(a, b uint16) uint16 { return uint16(uint32(a) * uint32(b) >> 16) }
func multiplyHighRounded(a, b int16) int16    { return int16((int32(a)*int32(b)>>14 + 1) >> 1) }

// multiplyAddWords is PMADDWD: products of signed words, added in pairs; the sum wraps where all four are -32768.
func multiplyAddWords(a, b uint64) uint64 {
	pair := func(a, b uint32) uint32 {
		return uint32(int32(int16(a))*int32(int16(b)) + int32(int16(a>>16))*int32(int16(b>>16)))
	}
	return uint64(pair(uint32(a), uint32(b))) | uint64(pair(uint32(a>>32), uint32(b>>32)))<<32
}

// multiplyAddBytes is PMADDUBSW: products of unsigned bytes of a and signed bytes of b, added in pairs with saturation.
func multiplyAddBytes(a, b uint64) uint64 {
	return lanes(a, b, func(a, b uint16) uint16 {
		return uint16(saturate16(int32(uint8(a))*int32(int8(b)) + int32(a>>8)*int32(int8(b>>8))))
	})
}
