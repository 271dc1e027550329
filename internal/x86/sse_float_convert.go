package x86

import (
	"math"

	"github.com/tacit-vm/tacit/internal/softfloat"
)

// Conversions between floating-point formats and integers, and rounding to integral values.
var floatConvertHandlers = map[Op]handler{
	opCVTPS2PD: convertXMM, opCVTPD2PS: convertXMM, opCVTSS2SD: convertXMM, opCVTSD2SS: convertXMM,
	opCVTDQ2PS: convertXMM, opCVTDQ2PD: convertXMM, opCVTPI2PS: convertXMM, opCVTPI2PD: convertXMM,
	opCVTPS2DQ: convertXMM, opCVTTPS2DQ: convertXMM, opCVTPD2DQ: convertXMM, opCVTTPD2DQ: convertXMM,
	opCVTPS2PI: convertXMM, opCVTTPS2PI: convertXMM, opCVTPD2PI: convertXMM, opCVTTPD2PI: convertXMM,

	opCVTSI2SS32: fromGeneral, opCVTSI2SS64: fromGeneral, opCVTSI2SD32: fromGeneral, opCVTSI2SD64: fromGeneral,
	opCVTSS2SI32: toGeneral, opCVTSS2SI64: toGeneral, opCVTSD2SI32: toGeneral, opCVTSD2SI64: toGeneral,
	opCVTTSS2SI32: toGeneral, opCVTTSS2SI64: toGeneral, opCVTTSD2SI32: toGeneral, opCVTTSD2SI64: toGeneral,

	opROUNDPS: roundXMM, opROUNDPD: roundXMM, opROUNDSS: roundXMM, opROUNDSD: roundXMM,
}

// convertXMM serves conversions between XMM slots.
func convertXMM(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	r := *d
	switch u.Op {
	case opCVTPS2PD:
		r = XMM{e.Widen(uint32(s[0])), e.Widen(uint32(s[0] >> 32))}
	case opCVTPD2PS:
		r = XMM{uint64(e.Narrow(s[0])) | uint64(e.Narrow(s[1]))<<32}
	case opCVTSS2SD:
		r[0] = e.Widen(uint32(s[0]))
	case opCVTSD2SS:
		r.setDword(0, e.Narrow(s[0]))
	case opCVTDQ2PS:
		r = XMM{e.Singles(s[0]), e.Singles(s[1])}
	case opCVTPI2PS:
		r[0] = e.Singles(s[0])
	case opCVTDQ2PD, opCVTPI2PD:
		r = XMM{softfloat.Pack64(softfloat.FromInt(int64(int32(s[0])))), softfloat.Pack64(softfloat.FromInt(int64(s[0]) >> 32))} // always exact
	case opCVTTPS2DQ, opCVTTPS2PI:
		e.RC = softfloat.TowardZero
		fallthrough
	case opCVTPS2DQ, opCVTPS2PI:
		r = XMM{e.Integers32(s[0])}
		if u.Op == opCVTPS2DQ || u.Op == opCVTTPS2DQ {
			r[1] = e.Integers32(s[1])
		}
	case opCVTTPD2DQ, opCVTTPD2PI:
		e.RC = softfloat.TowardZero
		fallthrough
	case opCVTPD2DQ, opCVTPD2PI:
		r = XMM{low32(uint64(e.ToInteger(softfloat.Unpack64(s[0]), 32))) | uint64(e.ToInteger(softfloat.Unpack64(s[1]), 32))<<32}
	}
	if !c.settle(&e) {
		return false
	}
	*d = r
	return true
}

// fromGeneral is CVTSI2SS and CVTSI2SD: Src is a general-purpose register.
func fromGeneral(c *CPU, u *Uop) bool {
	d := &c.X[u.Dst&xmmMask]
	v := int64(c.R[u.Src%slots])
	if u.Op == opCVTSI2SS32 || u.Op == opCVTSI2SD32 {
		v = int64(int32(v))
	}
	if u.Op == opCVTSI2SD32 || u.Op == opCVTSI2SD64 {
		const exact = 1 << 53
		if v >= -exact && v <= exact {
			d[0] = math.Float64bits(float64(v))
			return true
		}
	}
	e := c.sseEnv()
	r := *d
	if u.Op == opCVTSI2SS32 || u.Op == opCVTSI2SS64 {
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
func toGeneral(c *CPU, u *Uop) bool {
	s := &c.X[u.Src&xmmMask]
	if u.Op == opCVTTSD2SI64 && c.hostFloat() && softfloat.Normal64(s[0]) {
		if f := math.Float64frombits(s[0]); f > -1<<63 && f < 1<<63 {
			c.R[u.Dst%slots] = uint64(int64(f))
			return true
		}
	}
	e := c.sseEnv()
	if u.Op >= opCVTTSS2SI32 {
		e.RC = softfloat.TowardZero
	}
	var n softfloat.Number
	switch u.Op {
	case opCVTSS2SI32, opCVTSS2SI64, opCVTTSS2SI32, opCVTTSS2SI64:
		n = softfloat.Unpack32(uint32(s[0]))
	default:
		n = softfloat.Unpack64(s[0])
	}
	var r uint64
	switch u.Op {
	case opCVTSS2SI32, opCVTSD2SI32, opCVTTSS2SI32, opCVTTSD2SI32:
		r = low32(uint64(e.ToInteger(n, 32)))
	default:
		r = uint64(e.ToInteger(n, 64))
	}
	if !c.settle(&e) {
		return false
	}
	c.R[u.Dst%slots] = r
	return true
}

// roundXMM is ROUNDPS and its like: imm[1:0] is the rounding control, unless imm[2] says that MXCSR's is meant; imm[3]
// keeps the precision exception back.
func roundXMM(c *CPU, u *Uop) bool {
	d, s := c.xmm(u)
	e := c.sseEnv()
	if u.Imm&4 == 0 {
		e.RC = softfloat.Rounding(u.Imm & 3)
	}
	r := *d
	switch u.Op {
	case opROUNDSS:
		r.setDword(0, softfloat.Pack32(e.RoundIntegral(softfloat.Unpack32(uint32(s[0])))))
	case opROUNDSD:
		r[0] = softfloat.Pack64(e.RoundIntegral(softfloat.Unpack64(s[0])))
	case opROUNDPS:
		for i := range 4 {
			r.setDword(i, softfloat.Pack32(e.RoundIntegral(softfloat.Unpack32(s.dword(i)))))
		}
	case opROUNDPD:
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
