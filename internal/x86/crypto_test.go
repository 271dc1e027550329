package x86

import (
	"bytes"
	stdaes "crypto/aes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/binary"
	"math"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// vectorOp runs one operation on two values.
func (m *vectorMachine) vectorOp(op uop.Op, a, b XMM, imm uint8) XMM {
	m.X[3], m.X[4] = a, b
	handlers[op](m.CPU, &uop.Uop{Op: op, Dst: 3, Src: 4, Imm: int64(imm)})
	return m.X[3]
}

// AES-128 out of the instructions is crypto/aes, both ways.
func TestAES(t *testing.T) {
	m := newVectorMachine(t)
	r := seeded(t)
	for range 50 {
		key, plain := randomXMM(r), randomXMM(r)
		keys := [11]XMM{key}
		rcon := uint8(1)
		for i := 1; i <= 10; i++ {
			k := keys[i-1]
			t := uint32(m.vectorOp(uop.AESKEYGENASSIST, XMM{}, k, rcon)[1] >> 32)
			w0 := k.dword(0) ^ t
			w1 := k.dword(1) ^ w0
			w2 := k.dword(2) ^ w1
			keys[i] = doublewords(w0, w1, w2, k.dword(3)^w2)
			rcon = aesDouble(rcon)
		}
		x := xorXMM(plain, keys[0])
		for i := 1; i < 10; i++ {
			x = m.vectorOp(uop.AESENC, x, keys[i], 0)
		}
		x = m.vectorOp(uop.AESENCLAST, x, keys[10], 0)

		kb, pb := key.bytes(), plain.bytes()
		c, err := stdaes.NewCipher(kb[:])
		if err != nil {
			t.Fatal(err)
		}
		want := make([]byte, 16)
		c.Encrypt(want, pb[:])
		if x != xmmFrom(want) {
			t.Fatalf("key %x, block %x: %x, want %x", kb, pb, x, want)
		}

		x = xorXMM(x, keys[10])
		for i := 9; i > 0; i-- {
			x = m.vectorOp(uop.AESDEC, x, m.vectorOp(uop.AESIMC, XMM{}, keys[i], 0), 0)
		}
		if x = m.vectorOp(uop.AESDECLAST, x, keys[0], 0); x != plain {
			t.Fatalf("key %x: decrypted to %x, want %x", kb, x, plain)
		}
	}
}

// bigEndian returns the four words of a message at b, the first in the lowest doubleword, or in the highest.
func bigEndian(b []byte, highest bool) XMM {
	be := binary.BigEndian
	if highest {
		return doublewords(be.Uint32(b[12:]), be.Uint32(b[8:]), be.Uint32(b[4:]), be.Uint32(b))
	}
	return doublewords(be.Uint32(b), be.Uint32(b[4:]), be.Uint32(b[8:]), be.Uint32(b[12:]))
}

// padded is a message of one block as SHA-1 and SHA-256 pad it.
func padded(message []byte) []byte {
	b := append(bytes.Clone(message), 0x80)
	b = append(b, make([]byte, 64-len(b))...)
	binary.BigEndian.PutUint64(b[56:], uint64(8*len(message)))
	return b
}

func addDwords(a, b XMM) XMM { return XMM{add(signs32, a[0], b[0]), add(signs32, a[1], b[1])} }

// SHA-1 out of the instructions is crypto/sha1.
func TestSHA1(t *testing.T) {
	m := newVectorMachine(t)
	message := []byte("a message of less than one block")
	block := padded(message)
	var w [20]XMM // four words each
	for i := range w {
		if i < 4 {
			w[i] = bigEndian(block[16*i:], true)
			continue
		}
		x := m.vectorOp(uop.SHA1MSG1, w[i-4], w[i-3], 0)
		w[i] = m.vectorOp(uop.SHA1MSG2, xorXMM(x, w[i-2]), w[i-1], 0)
	}
	start := doublewords(0x10325476, 0x98BADCFE, 0xEFCDAB89, 0x67452301)
	const startE = 0xC3D2E1F0
	x, e := start, XMM{0, startE << 32}
	for i := range w {
		words := addDwords(w[i], e)
		if i > 0 {
			words = m.vectorOp(uop.SHA1NEXTE, e, w[i], 0)
		}
		e = x
		x = m.vectorOp(uop.SHA1RNDS4, x, words, uint8(i/5))
	}
	sum := addDwords(x, start)
	last := m.vectorOp(uop.SHA1NEXTE, e, XMM{0, startE << 32}, 0)
	var got []byte
	for _, v := range []uint32{sum.dword(3), sum.dword(2), sum.dword(1), sum.dword(0), last.dword(3)} {
		got = binary.BigEndian.AppendUint32(got, v)
	}
	if want := sha1.Sum(message); !bytes.Equal(got, want[:]) {
		t.Errorf("%x, want %x", got, want)
	}
}

// SHA-256 out of the instructions is crypto/sha256. Its constants are the fractions of the cube roots of primes, its
// start those of square roots (FIPS 180-4, 4.2.2 and 5.3.3).
func TestSHA256(t *testing.T) {
	m := newVectorMachine(t)
	message := []byte("another message of less than a block")
	block := padded(message)
	var k, start []uint32
	for p := 2; len(k) < 64; p++ {
		prime := true
		for q := 2; q < p; q++ {
			prime = prime && p%q != 0
		}
		if prime {
			k = append(k, uint32(uint64(math.Cbrt(float64(p))*(1<<32))))
			start = append(start, uint32(uint64(math.Sqrt(float64(p))*(1<<32))))
		}
	}
	abef := doublewords(start[5], start[4], start[1], start[0])
	cdgh := doublewords(start[7], start[6], start[3], start[2])
	x, y := abef, cdgh
	var w [16]XMM
	for i := range w {
		if i < 4 {
			w[i] = bigEndian(block[16*i:], false)
		} else {
			v := addDwords(m.vectorOp(uop.SHA256MSG1, w[i-4], w[i-3], 0), m.vectorOp(uop.PALIGNR, w[i-1], w[i-2], 4))
			w[i] = m.vectorOp(uop.SHA256MSG2, v, w[i-1], 0)
		}
		words := addDwords(w[i], doublewords(k[4*i], k[4*i+1], k[4*i+2], k[4*i+3]))
		m.X[0] = words
		y, x = x, m.vectorOp(uop.SHA256RNDS2, y, x, 0)
		m.X[0] = XMM{words[1]}
		y, x = x, m.vectorOp(uop.SHA256RNDS2, y, x, 0)
	}
	x, y = addDwords(x, abef), addDwords(y, cdgh)
	var got []byte
	for _, v := range []uint32{x.dword(3), x.dword(2), y.dword(3), y.dword(2), x.dword(1), x.dword(0), y.dword(1), y.dword(0)} {
		got = binary.BigEndian.AppendUint32(got, v)
	}
	if want := sha256.Sum256(message); !bytes.Equal(got, want[:]) {
		t.Errorf("%x, want %x", got, want)
	}
}

// PCLMULQDQ is multiplication bit by bit.
func TestCarryless(t *testing.T) {
	m := newVectorMachine(t)
	r := seeded(t)
	for i := range 2000 {
		a, b := randomXMM(r), randomXMM(r)
		if i == 0 {
			a, b = XMM{^uint64(0), ^uint64(0)}, XMM{^uint64(0), ^uint64(0)}
		}
		for _, imm := range []uint8{0x00, 0x01, 0x10, 0x11} {
			x, y := a[imm&1], b[imm>>4]
			var want XMM
			for i := range 64 {
				if y>>i&1 != 0 {
					want[0] ^= x << i
					want[1] ^= x >> (64 - i)
				}
			}
			if got := m.vectorOp(uop.PCLMULQDQ, a, b, imm); got != want {
				t.Fatalf("%x times %x: %x, want %x", x, y, got, want)
			}
		}
	}
}
