package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// AES-NI (SDM vol. 2, AESENC and so on; FIPS 197). A register holds the state column by column, row 0 first.
var aesHandlers = map[uop.Op]handler{
	uop.AESENC:          aesenc,
	uop.AESENCLAST:      whole(func(a, k XMM) XMM { return xorXMM(aesBytes(a, &aes.sbox, 5), k) }),
	uop.AESDEC:          whole(func(a, k XMM) XMM { return xorXMM(aesColumns(a, &aes.dec, 13), k) }),
	uop.AESDECLAST:      whole(func(a, k XMM) XMM { return xorXMM(aesBytes(a, &aes.inverse, 13), k) }),
	uop.AESIMC:          whole(func(_, k XMM) XMM { return aesColumns(aesBytes(k, &aes.sbox, 1), &aes.dec, 1) }),
	uop.AESKEYGENASSIST: wholeImm(func(_, k XMM, imm uint8) XMM { return XMM{aesKeygen(k[0], imm), aesKeygen(k[1], imm)} }),
}

// aesTables are the S-boxes, and for the first row what S-box and column mixing together make of a byte: a column, row
// 0 in the low byte.
type aesTables struct {
	sbox, inverse [256]uint8
	enc, dec      [256]uint32
}

var aes = makeAES()

// makeAES computes the tables (FIPS 197, 5.1.1, 5.1.3 and 5.3.3).
func makeAES() *aesTables {
	var t aesTables
	p, q := uint8(1), uint8(1) // p runs through the powers of 3, q through those of its inverse
	for {
		s := q ^ bits.RotateLeft8(q, 1) ^ bits.RotateLeft8(q, 2) ^ bits.RotateLeft8(q, 3) ^ bits.RotateLeft8(q, 4) ^ 0x63
		t.sbox[p] = s
		p ^= aesDouble(p)
		q ^= q << 1
		q ^= q << 2
		q ^= q << 4
		if q>>7 != 0 {
			q ^= 0x09
		}
		if p == 1 {
			break
		}
	}
	t.sbox[0] = 0x63
	for i, s := range t.sbox {
		t.inverse[s] = uint8(i)
	}
	for i := range 256 {
		s := t.sbox[i]
		s2 := aesDouble(s)
		t.enc[i] = uint32(s2) | uint32(s)<<8 | uint32(s)<<16 | uint32(s2^s)<<24
		v := t.inverse[i]
		v2 := aesDouble(v)
		v4 := aesDouble(v2)
		v8 := aesDouble(v4)
		t.dec[i] = uint32(v8^v4^v2) | uint32(v8^v)<<8 | uint32(v8^v4^v)<<16 | uint32(v8^v2^v)<<24
	}
	return &t
}

// aesDouble multiplies by x in GF(2^8).
func aesDouble(v uint8) uint8 { return v<<1 ^ uint8(int8(v)>>7)&0x1B }

// aesMix makes a column of four bytes, one a row.
func aesMix(r0, r1, r2, r3 uint64) uint32 {
	t := &aes.enc
	return t[uint8(r0)] ^ bits.RotateLeft32(t[uint8(r1)], 8) ^ bits.RotateLeft32(t[uint8(r2)], 16) ^
		bits.RotateLeft32(t[uint8(r3)], 24)
}

// aesenc is AESENC, written out: Go programs hash with it.
func aesenc(c *CPU, u *uop.Uop) bool {
	d, k := c.xmm(u)
	low, high := d[0], d[1]
	c0 := aesMix(low, low>>40, high>>16, high>>56)
	c1 := aesMix(low>>32, high>>8, high>>48, low>>24)
	c2 := aesMix(high, high>>40, low>>16, low>>56)
	c3 := aesMix(high>>32, low>>8, low>>48, high>>24)
	d[0] = (uint64(c0) | uint64(c1)<<32) ^ k[0]
	d[1] = (uint64(c2) | uint64(c3)<<32) ^ k[1]
	return true
}

// aesColumns makes each column of the four bytes that end up in it: the one of row r is step*r bytes after the
// column's first. ShiftRows has step 5, its inverse 13, no shift 1. The four rows' tables are rotations of the first's.
func aesColumns(x XMM, table *[256]uint32, step int) (r XMM) {
	b := x.bytes()
	column := func(i int) uint64 {
		return uint64(table[b[i&15]] ^ bits.RotateLeft32(table[b[(i+step)&15]], 8) ^
			bits.RotateLeft32(table[b[(i+2*step)&15]], 16) ^ bits.RotateLeft32(table[b[(i+3*step)&15]], 24))
	}
	return XMM{column(0) | column(4)<<32, column(8) | column(12)<<32}
}

// aesBytes is the same with a substitution and no mixing.
func aesBytes(x XMM, box *[256]uint8, step int) XMM {
	b := x.bytes()
	var r [16]byte
	for i := range r {
		r[i] = box[b[(i&^3+i&3*step)&15]]
	}
	return xmmOf(&r)
}

// aesKeygen is AESKEYGENASSIST on the high doubleword of a quadword: its bytes substituted, and these rotated with the
// round constant added.
func aesKeygen(q uint64, rcon uint8) uint64 {
	var w uint32
	for i := 0; i < 32; i += 8 {
		w |= uint32(aes.sbox[uint8(q>>(32+i))]) << i
	}
	return uint64(w) | uint64(bits.RotateLeft32(w, -8)^uint32(rcon))<<32
}

func xorXMM(a, b XMM) XMM { return XMM{a[0] ^ b[0], a[1] ^ b[1]} }
