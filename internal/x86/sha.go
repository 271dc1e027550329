package x86

import (
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SHA extensions (SDM vol. 2, SHA1RNDS4 and so on; FIPS 180-4). SHA-1 has its first word in the highest doubleword,
// SHA-256 in the lowest.
var shaHandlers = map[uop.Op]handler{
	uop.SHA1RNDS4:   wholeImm(sha1Rounds),
	uop.SHA1NEXTE:   whole(func(a, b XMM) XMM { b[1] += uint64(bits.RotateLeft32(a.dword(3), 30)) << 32; return b }),
	uop.SHA1MSG1:    whole(func(a, b XMM) XMM { return XMM{a[0] ^ b[1], a[1] ^ a[0]} }),
	uop.SHA1MSG2:    whole(sha1Schedule),
	uop.SHA256RNDS2: sha256Rounds,
	uop.SHA256MSG1: whole(func(a, b XMM) XMM {
		return doublewords(a.dword(0)+sha256Sigma0(a.dword(1)), a.dword(1)+sha256Sigma0(a.dword(2)),
			a.dword(2)+sha256Sigma0(a.dword(3)), a.dword(3)+sha256Sigma0(b.dword(0)))
	}),
	uop.SHA256MSG2: whole(func(a, b XMM) XMM {
		w16, w17 := a.dword(0)+sha256Sigma1(b.dword(2)), a.dword(1)+sha256Sigma1(b.dword(3))
		return doublewords(w16, w17, a.dword(2)+sha256Sigma1(w16), a.dword(3)+sha256Sigma1(w17))
	}),
}

func doublewords(a, b, c, d uint32) XMM {
	return XMM{uint64(a) | uint64(b)<<32, uint64(c) | uint64(d)<<32}
}

var sha1K = [4]uint32{0x5A827999, 0x6ED9EBA1, 0x8F1BBCDC, 0xCA62C1D6}

// sha1Rounds does four rounds. The state A, B, C, D is in x; w has E added to its first word.
func sha1Rounds(x, w XMM, imm uint8) XMM {
	a, b, c, d, e := x.dword(3), x.dword(2), x.dword(1), x.dword(0), uint32(0)
	for i := 3; i >= 0; i-- {
		var f uint32
		switch imm & 3 {
		case 0:
			f = b&c ^ ^b&d
		case 2:
			f = b&c ^ b&d ^ c&d
		default:
			f = b ^ c ^ d
		}
		a, b, c, d, e = f+bits.RotateLeft32(a, 5)+w.dword(i)+e+sha1K[imm&3], a, bits.RotateLeft32(b, 30), c, d
	}
	return doublewords(d, c, b, a)
}

func sha1Schedule(a, b XMM) XMM {
	w16 := bits.RotateLeft32(a.dword(3)^b.dword(2), 1)
	w17 := bits.RotateLeft32(a.dword(2)^b.dword(1), 1)
	w18 := bits.RotateLeft32(a.dword(1)^b.dword(0), 1)
	w19 := bits.RotateLeft32(a.dword(0)^w16, 1)
	return doublewords(w19, w18, w17, w16)
}

func sha256Sigma0(x uint32) uint32 {
	return bits.RotateLeft32(x, -7) ^ bits.RotateLeft32(x, -18) ^ x>>3
}

func sha256Sigma1(x uint32) uint32 {
	return bits.RotateLeft32(x, -17) ^ bits.RotateLeft32(x, -19) ^ x>>10
}

// sha256Rounds does two rounds: the destination holds C, D, G, H, the source A, B, E, F, from the top, and XMM0 the two
// words with their constants added.
func sha256Rounds(cpu *CPU, u *uop.Uop) bool {
	dst, s := cpu.xmm(u)
	a, b, e, f := s.dword(3), s.dword(2), s.dword(1), s.dword(0)
	c, d, g, h := dst.dword(3), dst.dword(2), dst.dword(1), dst.dword(0)
	for i := range 2 {
		s1 := bits.RotateLeft32(e, -6) ^ bits.RotateLeft32(e, -11) ^ bits.RotateLeft32(e, -25)
		t1 := h + s1 + (e&f ^ ^e&g) + cpu.X[0].dword(i)
		s0 := bits.RotateLeft32(a, -2) ^ bits.RotateLeft32(a, -13) ^ bits.RotateLeft32(a, -22)
		t2 := s0 + (a&b ^ a&c ^ b&c)
		a, b, c, d, e, f, g, h = t1+t2, a, b, c, d+t1, e, f, g
	}
	*dst = doublewords(f, e, b, a)
	return true
}
