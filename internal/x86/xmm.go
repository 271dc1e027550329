package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// An XMM is one of the registers XMM0 to XMM15: the low quadword first, and in each the low lane in the low bits.
type XMM [2]uint64

// xmm returns the destination, which most operations read as well, and the source of a micro-operation.
func (c *CPU) xmm(u *uop.Uop) (dst, src *XMM) {
	return &c.X[u.Dst&uop.XMMMask], &c.X[u.Src&uop.XMMMask]
}

// Lanes. Indexes count from the low end.

func (x *XMM) byte(i int) uint8   { return uint8(x[i>>3&1] >> (i & 7 * 8)) }
func (x *XMM) word(i int) uint16  { return uint16(x[i>>2&1] >> (i & 3 * 16)) }
func (x *XMM) dword(i int) uint32 { return uint32(x[i>>1&1] >> (i & 1 * 32)) }

func (x *XMM) setByte(i int, v uint8)   { insertBits(&x[i>>3&1], i&7*8, 0xFF, uint64(v)) }
func (x *XMM) setWord(i int, v uint16)  { insertBits(&x[i>>2&1], i&3*16, 0xFFFF, uint64(v)) }
func (x *XMM) setDword(i int, v uint32) { insertBits(&x[i>>1&1], i&1*32, 0xFFFFFFFF, uint64(v)) }

// insertBits replaces the bits of q under mask<<shift.
func insertBits(q *uint64, shift int, mask, v uint64) { *q = *q&^(mask<<shift) | v<<shift }

// Hosts are little endian, so a register's lanes and its bytes in memory are in the same order.

func xmmOf(b *[16]byte) XMM        { return *(*XMM)(unsafe.Pointer(b)) }
func (x *XMM) bytes() (b [16]byte) { return *(*[16]byte)(unsafe.Pointer(x)) }
