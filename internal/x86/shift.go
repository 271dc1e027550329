package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// Shifts and rotates. Counts are masked by the decoder or the caller; a count of zero changes nothing, flags included.
// OF is defined for counts of one only, and computed the same way for others; AF is undefined.

func (f *lazyFlags) shl64(a uint64, n uint) uint64 {
	r := a << (n & 63)
	f.res, f.aux = int64(r), a>>((64-n)&63)<<63|r>>63<<62
	return r
}

func (f *lazyFlags) shl32(a uint32, n uint) uint64 {
	r := a << (n & 31)
	f.res, f.aux = int64(int32(r)), uint64(a>>((32-n)&31))<<63|uint64(r>>31)<<62
	return uint64(r)
}

func (f *lazyFlags) shr64(a uint64, n uint) uint64 {
	r := a >> (n & 63)
	cf := a >> ((n - 1) & 63) << 63
	f.res, f.aux = int64(r), cf|(cf^a)>>63<<62
	return r
}

func (f *lazyFlags) shr32(a uint32, n uint) uint64 {
	r := a >> (n & 31)
	cf := a >> ((n - 1) & 31) & 1
	f.res, f.aux = int64(int32(r)), uint64(cf)<<63|uint64(cf^a>>31)<<62
	return uint64(r)
}

func (f *lazyFlags) sar64(a uint64, n uint) uint64 {
	r := uint64(int64(a) >> (n & 63))
	f.res, f.aux = int64(r), -(a>>((n-1)&63)&1)&(auxCF|auxPO)
	return r
}

func (f *lazyFlags) sar32(a uint32, n uint) uint64 {
	r := uint32(int32(a) >> (n & 31))
	f.res, f.aux = int64(int32(r)), -(uint64(a>>((n-1)&31)&1))&(auxCF|auxPO)
	return uint64(r)
}

// shift does any of the group for any size. count is masked to five bits, or six for 64-bit operands.
func shift[T word](f *lazyFlags, op uint8, a T, count uint) T {
	if count == 0 {
		return a
	}
	w := widthOf[T]()
	switch op {
	case uop.ShiftROL:
		r := a<<(count%w) | a>>(w-count%w)
		f.setCarryOverflow(r&1 != 0, (r>>(w-1)^r)&1 != 0)
		return r
	case uop.ShiftROR:
		r := a>>(count%w) | a<<(w-count%w)
		f.setCarryOverflow(r>>(w-1) != 0, (r>>(w-1)^r>>(w-2))&1 != 0)
		return r
	case uop.ShiftRCL:
		cf := f.cf()
		for range count % (w + 1) {
			out := a>>(w-1) != 0
			a = a<<1 | T(bit(cf))
			cf = out
		}
		if count%(w+1) != 0 || w < 32 {
			f.setCarryOverflow(cf, cf != (a>>(w-1) != 0))
		}
		return a
	case uop.ShiftRCR:
		cf := f.cf()
		of := f.of()
		for range count % (w + 1) {
			of = cf != (a>>(w-1) != 0)
			out := a&1 != 0
			a = a>>1 | T(bit(cf))<<(w-1)
			cf = out
		}
		f.setCarryOverflow(cf, of)
		return a
	case uop.ShiftSHR:
		r := a >> count
		cf := count <= w && a>>(count-1)&1 != 0
		logic(f, r)
		f.setCarryOverflow(cf, a>>(w-1) != 0)
		return r
	case uop.ShiftSAR:
		s := signed(a)
		r := T(s >> min(count, w-1))
		cf := s>>min(count-1, 63)&1 != 0
		logic(f, r)
		f.setCarryOverflow(cf, false)
		return r
	}
	r := a << count
	cf := count <= w && a>>(w-count)&1 != 0
	logic(f, r)
	f.setCarryOverflow(cf, cf != (r>>(w-1) != 0))
	return r
}

func bit(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

// shiftDouble does SHLD (left) and SHRD for operands of size bits; fill supplies the bits that come in.
func (f *lazyFlags) shiftDouble(left bool, size uint, a, fill uint64, count uint) uint64 {
	if count == 0 {
		return a
	}
	var r uint64
	var cf bool
	switch {
	case size == 16:
		// Counts above 16 have an undefined result; what silicon does is to shift the 48-bit value a:fill:a.
		v := a<<32 | fill<<16 | a
		if left {
			r = v << (count + 16) >> 48 & 0xFFFF
			cf = v>>(48-count)&1 != 0
		} else {
			r = v >> count & 0xFFFF
			cf = v>>(count-1)&1 != 0
		}
	case left:
		r = a<<count | fill>>(size-count)
		cf = a>>(size-count)&1 != 0
	default:
		r = a>>count | fill<<(size-count)
		cf = a>>(count-1)&1 != 0
	}
	sh := 64 - size
	r = r << sh >> sh
	f.res, f.aux = int64(r<<sh)>>sh, 0
	f.setCarryOverflow(cf, (r^a)>>(size-1)&1 != 0)
	return r
}
