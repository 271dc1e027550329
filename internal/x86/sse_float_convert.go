package x86

import (
	"math"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Conversions between floating-point formats and integers, and rounding to integral values.
var floatConvertHandlers = map[uop.Op]handler{
	uop.CVTPS2PD: convertXMM, uop.CVTPD2PS: convertXMM, uop.CVTSS2SD: convertXMM, uop.CVTSD2SS: convertXMM,
	uop.CVTDQ2PS: convertXMM, uop.CVTDQ2PD: convertXMM, uop.CVTPI2PS: convertXMM, uop.CVTPI2PD: convertXMM,
	uop.CVTPS2DQ: convertXMM, uop.CVTTPS2DQ: convertXMM, uop.CVTPD2DQ: convertXMM, uop.CVTTPD2DQ: convertXMM,
	uop.CVTPS2PI: convertXMM, uop.CVTTPS2PI: convertXMM, uop.CVTPD2PI: convertXMM, uop.CVTTPD2PI: convertXMM,

	uop.CVTSI2SS32: fromGeneral, uop.CVTSI2SS64: fromGeneral, uop.CVTSI2SD32: fromGeneral, uop.CVTSI2SD64: fromGeneral,
	uop.CVTSS2SI32: toGeneral, uop.CVTSS2SI64: toGeneral, uop.CVTSD2SI32: toGeneral, uop.CVTSD2SI64: toGeneral,
	uop.CVTTSS2SI32: toGeneral, uop.CVTTSS2SI64: toGeneral, uop.CVTTSD2SI32: toGeneral, uop.CVTTSD2SI64: toGeneral,

	uop.ROUNDPS: roundXMM, uop.ROUNDPD: roundXMM, uop.ROUNDSS: roundXMM, uop.ROUNDSD: roundXMM,
}

// convertXMM serves conversions between XMM slots.
func convertXMM(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := *d
	switch u.Op {
	case uop.CVTPS2PD:
		r = XMM{e.Widen(uint32(s[0])), e.Widen(uint32(s[0] >> 32))}
	case uop.CVTPD2PS:
		r = XMM{uint64(e.Narrow(s[0])) | uint64(e.Narrow(s[1]))<<32}
	case uop.CVTSS2SD:
		r[0] = e.Widen(uint32(s[0]))
	case uop.CVTSD2SS:
		r.setDword(0, e.Narrow(s[0]))
	case uop.CVTDQ2PS:
		r = XMM{e.Singles(s[0]), e.Singles(s[1])}
	case uop.CVTPI2PS:
		r[0] = e.Singles(s[0])
	case uop.CVTDQ2PD, uop.CVTPI2PD:
		r = XMM{softfloat.Pack64(softfloat.FromInt(int64(int32(s[0])))), softfloat.Pack64(softfloat.FromInt(int64(s[0]) >> 32))} // always exact
	case uop.CVTTPS2DQ, uop.CVTTPS2PI:
		e.RC = softfloat.TowardZero
		fallthrough
	case uop.CVTPS2DQ, uop.CVTPS2PI:
		r = XMM{e.Integers32(s[0])}
		if u.Op == uop.CVTPS2DQ || u.Op == uop.CVTTPS2DQ {
			r[1] = e.Integers32(s[1])
		}
	case uop.CVTTPD2DQ, uop.CVTTPD2PI:
		e.RC = softfloat.TowardZero
		fallthrough
	case uop.CVTPD2DQ, uop.CVTPD2PI:
		r = XMM{low32(uint64(e.ToInteger(softfloat.Unpack64(s[0]), 32))) | uint64(e.ToInteger(softfloat.Unpack64(s[1]), 32))<<32}
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

// fromGeneral is CVTSI2SS and CVTSI2SD: Src is a general-purpose register.
func fromGeneral(c *CPU, u *uop.Uop) bool {
	d := &c.X[u.Dst&uop.XMMMask]
	v := int64(c.R[u.Src%uop.Slots])
	if u.Op == uop.CVTSI2SS32 || u.Op == uop.CVTSI2SD32 {
		v = int64(int32(v))
	}
	if u.Op == uop.CVTSI2SD32 || u.Op == uop.CVTSI2SD64 {
		const exact = 1 << 53
		if v >= -exact && v <= exact {
			d[0] = math.Float64bits(float64(v))
			return true
		}
	}
	e := c.sseEnv()
	r := *d
	if u.Op == uop.CVTSI2SS32 || u.Op == uop.CVTSI2SS64 {
		r.setDword(0, softfloat.Pack32(e.FromInteger(v, &softfloat.Single)))
	} else {
		r[0] = softfloat.Pack64(e.FromInteger(v, &softfloat.Double))
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

// toGeneral is CVTSS2SI, CVTSD2SI and the truncating ones: Dst is a general-purpose register.
func toGeneral(c *CPU, u *uop.Uop) bool {
	s := &c.X[u.Src&uop.XMMMask]
	if u.Op == uop.CVTTSD2SI64 && c.hostFloat() && softfloat.Normal64(s[0]) {
		if f := math.Float64frombits(s[0]); f > -1<<63 && f < 1<<63 {
			c.R[u.Dst%uop.Slots] = uint64(int64(f))
			return true
		}
	}
	e := c.sseEnv()
	if u.Op >= uop.CVTTSS2SI32 {
		e.RC = softfloat.TowardZero
	}
	var n softfloat.Number
	switch u.Op {
	case uop.CVTSS2SI32, uop.CVTSS2SI64, uop.CVTTSS2SI32, uop.CVTTSS2SI64:
		n = softfloat.Unpack32(uint32(s[0]))
	default:
		n = softfloat.Unpack64(s[0])
	}
	var r uint64
	switch u.Op {
	case uop.CVTSS2SI32, uop.CVTSD2SI32, uop.CVTTSS2SI32, uop.CVTTSD2SI32:
		r = low32(uint64(e.ToInteger(n, 32)))
	default:
		r = uint64(e.ToInteger(n, 64))
	}
	if !c.settle(&e) {
		return false
	}
	c.R[u.Dst%uop.Slots] = r
	return true
}

// roundXMM is ROUNDPS and its like: imm[1:0] is the rounding control, unless imm[2] says that MXCSR's is meant; imm[3]
// keeps the precision exception back.
func roundXMM(c *CPU, u *uop.Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	if u.Imm&4 == 0 {
		e.RC = softfloat.Rounding(u.Imm & 3)
	}
	r := *d
	switch u.Op {
	case uop.ROUNDSS:
		r.setDword(0, softfloat.Pack32(e.RoundIntegral(softfloat.Unpack32(uint32(s[0])))))
	case uop.ROUNDSD:
		r[0] = softfloat.Pack64(e.RoundIntegral(softfloat.Unpack64(s[0])))
	case uop.ROUNDPS:
		for i := range 4 {
			r.setDword(i, softfloat.Pack32(e.RoundIntegral(softfloat.Unpack32(s.dword(i)))))
		}
	case uop.ROUNDPD:
		for i := range r {
			r[i] = softfloat.Pack64(e.RoundIntegral(softfloat.Unpack64(s[i])))
		}
	}
	if u.Imm&8 != 0 {
		e.Flags &^= softfloat.PE
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}
