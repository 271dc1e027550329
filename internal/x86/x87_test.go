package x86

import (
	"encoding/binary"
	"math"
	"math/big"
	"testing"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// x87 runs code on registers that hold values, ST(0) first, and returns them.
func (m *vectorMachine) x87(cw uint16, values []float64, code ...byte) []float64 {
	m.t.Helper()
	m.fpu.reset()
	m.fpu.setControl(cw)
	for i := len(values) - 1; i >= 0; i-- {
		m.fpu.push(softfloat.Pack80(softfloat.Unpack64(math.Float64bits(values[i]))))
	}
	if v := m.do(code...); v != noVector {
		m.t.Fatalf("% x: vector %d", code, v)
	}
	var r []float64
	for i := range uint8(8) {
		if m.fpu.filled(i) {
			e := softfloat.Env{Masked: softfloat.AllExceptions}
			r = append(r, math.Float64frombits(softfloat.Pack64(e.Convert(m.value(i), &softfloat.Double))))
		}
	}
	return r
}

// Remainders are exact: FPREM is math.Mod, FPREM1 math.Remainder, the partial ones completed by a loop on C2.
func TestX87Remainder(t *testing.T) {
	m := newVectorMachine(t)
	r := seeded(t)
	for range 3000 {
		a, b := math.Ldexp(r.NormFloat64(), r.Intn(300)), math.Ldexp(r.NormFloat64(), r.Intn(20))
		for _, c := range []struct {
			name string
			code byte
			want float64
		}{{"FPREM", 0xF8, math.Mod(a, b)}, {"FPREM1", 0xF5, math.Remainder(a, b)}} {
			// again: fprem; fnstsw ax; test ah, 4; jnz again
			got := m.x87(x87Initial, []float64{a, b}, 0xD9, c.code, 0xDF, 0xE0, 0xF6, 0xC4, 0x04, 0x75, 0xF7)
			if got[0] != c.want {
				t.Fatalf("%s of %v and %v: %v, want %v", c.name, a, b, got[0], c.want)
			}
		}
	}
	for _, c := range []struct{ a, b float64 }{{5, 2}, {7, 2}, {-7, 2}, {1, 2}, {-1, 2}, {3, 2}} { // quotients in the middle
		if got, want := m.x87(x87Initial, []float64{c.a, c.b}, 0xD9, 0xF5), math.Remainder(c.a, c.b); got[0] != want {
			t.Errorf("FPREM1 of %v and %v: %v, want %v", c.a, c.b, got[0], want)
		}
	}
	// What a partial one takes off: here 35 of the 99 bits by which the exponents differ (a Sapphire Rapids).
	got, want := m.x87(x87Initial, []float64{0x1.234567p100, 3}, 0xD9, 0xF8), math.Mod(0x1.234567p100, 3*0x1p64)
	if got[0] != want || m.fpu.sw&x87C2 == 0 {
		t.Errorf("partial FPREM: %v, want %v; status %#x", got[0], want, m.fpu.sw)
	}
	// The quotient's low bits: 7 is 111.
	if m.x87(x87Initial, []float64{29, 4}, 0xD9, 0xF8); m.fpu.sw&(x87Codes|x87C1) != x87C0|x87C3|x87C1 {
		t.Errorf("FPREM of 29 and 4: status %#x", m.fpu.sw)
	}
}

// Transcendental instructions agree with package math as far as float64 goes.
func TestX87Transcendental(t *testing.T) {
	m := newVectorMachine(t)
	r := seeded(t)
	for range 500 {
		x, y := math.Ldexp(r.NormFloat64(), r.Intn(20)-10), math.Ldexp(r.NormFloat64(), r.Intn(20)-10)
		small := (r.Float64() - 0.5) / 2
		for _, c := range []struct {
			name string
			in   []float64
			code byte
			want []float64
		}{
			{"F2XM1", []float64{small}, 0xF0, []float64{math.Expm1(small * math.Ln2)}},
			{"FYL2X", []float64{math.Abs(x), y}, 0xF1, []float64{y * math.Log2(math.Abs(x))}},
			{"FYL2XP1", []float64{small, y}, 0xF9, []float64{y * math.Log1p(small) / math.Ln2}},
			{"FPTAN", []float64{x}, 0xF2, []float64{1, math.Tan(x)}},
			{"FPATAN", []float64{x, y}, 0xF3, []float64{math.Atan2(y, x)}},
			{"FSINCOS", []float64{x}, 0xFB, []float64{math.Cos(x), math.Sin(x)}},
			{"FSIN", []float64{x}, 0xFE, []float64{math.Sin(x)}},
			{"FCOS", []float64{x}, 0xFF, []float64{math.Cos(x)}},
		} {
			got := m.x87(x87Initial, c.in, 0xD9, c.code)
			for i, want := range c.want {
				if len(got) != len(c.want) || math.Abs(got[i]-want) > 1e-13*math.Max(math.Abs(want), 1e-3) {
					t.Fatalf("%s of %v: %v, want %v", c.name, c.in, got, c.want)
				}
			}
		}
	}
	// Out of range, the operand stays and C2 says so.
	if got := m.x87(x87Initial, []float64{0x1p63}, 0xD9, 0xFE); got[0] != 0x1p63 || m.fpu.sw&x87C2 == 0 {
		t.Errorf("FSIN of 2^63: %v, status %#x", got, m.fpu.sw)
	}
}

// The constants are what the numbers are, rounded as RC says.
func TestX87Constants(t *testing.T) {
	m := newVectorMachine(t)
	ln10 := newFloat().Set(bigMul(intFloat(3), bigLn2))
	ln10 = bigAdd(ln10, logRatio(bigQuo(intFloat(1), intFloat(9)))) // ln 8 + ln 10/8
	for _, c := range []struct {
		name string
		code byte
		want *big.Float
	}{
		{"FLD1", 0xE8, bigOne}, {"FLDL2T", 0xE9, bigQuo(ln10, bigLn2)}, {"FLDL2E", 0xEA, bigQuo(bigOne, bigLn2)},
		{"FLDPI", 0xEB, bigPi}, {"FLDLG2", 0xEC, bigQuo(bigLn2, ln10)}, {"FLDLN2", 0xED, bigLn2}, {"FLDZ", 0xEE, intFloat(0)},
	} {
		for rc, mode := range []big.RoundingMode{big.ToNearestEven, big.ToNegativeInf, big.ToPositiveInf, big.ToZero} {
			m.x87(x87Initial|uint16(rc)<<x87RCShift, nil, 0xD9, c.code)
			got := m.value(0)
			if want := new(big.Float).SetPrec(64).SetMode(mode).Set(c.want); got.Big().Cmp(want) != 0 || m.fpu.sw&0xFF != 0 {
				t.Errorf("%s, %v: %v, want %v; status %#x", c.name, mode, got.Big(), want, m.fpu.sw)
			}
		}
	}
}

// The register stack overflows at nine and underflows at none; masked, the result is the indefinite.
func TestX87Stack(t *testing.T) {
	m := newVectorMachine(t)
	full := []float64{1, 2, 3, 4, 5, 6, 7, 8}
	m.x87(x87Initial, full, 0xD9, 0xE8) // FLD1
	if got := *m.fpu.st(0); got != indefinite80 || m.fpu.sw != x87SF|softfloat.IE|x87C1 {
		t.Errorf("ninth push: %v, status %#x", got, m.fpu.sw)
	}
	m.x87(x87Initial, nil, 0xD8, 0xC1) // FADD ST(0), ST(1)
	if got := *m.fpu.st(0); got != indefinite80 || m.fpu.sw != x87SF|softfloat.IE {
		t.Errorf("sum of nothing: %v, status %#x", got, m.fpu.sw)
	}
	// Unmasked, nothing moves, and the next waiting instruction raises #MF; instructions that do not wait do not.
	m.x87(x87Initial&^softfloat.IE, full, 0xD9, 0xE8)
	if m.fpu.top != 0 || *m.fpu.st(0) != softfloat.Pack80(softfloat.FromInt(1)) || m.fpu.sw&(x87ES|x87Busy) != x87ES|x87Busy {
		t.Errorf("unmasked ninth push: TOP %d, status %#x", m.fpu.top, m.fpu.sw)
	}
	if v := m.do(0xDF, 0xE0); v != noVector || m.R[uop.RAX]&x87ES == 0 {
		t.Errorf("FNSTSW: vector %d, AX %#x", v, m.R[uop.RAX])
	}
	for _, code := range [][]byte{{0x9B}, {0xD9, 0xE8}, {0x0F, 0x77}, {0x0F, 0xEF, 0xC0}} {
		if v := m.do(code...); v != uop.VectorMF {
			t.Errorf("% x with a pending exception: vector %d, want #MF", code, v)
		}
	}
	if v := m.do(0xDB, 0xE2, 0x9B); v != noVector { // FNCLEX; WAIT
		t.Errorf("WAIT after FNCLEX: vector %d", v)
	}
}

// FIP follows every instruction that computes; FDP and FOP follow those that raise an unmasked exception.
func TestX87Pointers(t *testing.T) {
	m := newVectorMachine(t)
	m.R[uop.RSI] = bareData
	m.put(bareData+4, []byte{0, 0, 0, 0})
	m.x87(x87Initial, []float64{1}, 0x90, 0xD8, 0x76, 0x04) // FDIV m32 [rsi+4], which is 0
	if m.fpu.fip != bareCode+1 || m.fpu.fdp != 0 || m.fpu.fop != 0 {
		t.Errorf("masked: FIP %#x, FDP %#x, FOP %#x", m.fpu.fip, m.fpu.fdp, m.fpu.fop)
	}
	m.x87(x87Initial&^softfloat.ZE, []float64{1}, 0x90, 0xD8, 0x76, 0x04, 0xD9, 0x3E) // and FNSTCW, which is a control instruction
	if m.fpu.fip != bareCode+1 || m.fpu.fdp != bareData+4 || m.fpu.fop != 0x076 {
		t.Errorf("unmasked: FIP %#x, FDP %#x, FOP %#x", m.fpu.fip, m.fpu.fdp, m.fpu.fop)
	}
}

// A packed decimal is the number as people write it.
func TestX87Decimal(t *testing.T) {
	m := newVectorMachine(t)
	m.R[uop.RSI] = bareData
	m.x87(x87Initial, []float64{-1234567890123.5}, 0xDF, 0x36) // FBSTP [rsi]
	if got, want := string(m.get(bareData, 10)), "\x24\x01\x89\x67\x45\x23\x01\x00\x00\x80"; got != want {
		t.Errorf("FBSTP: % x, want % x", got, want)
	}
	if got := m.x87(x87Initial, nil, 0xDF, 0x26); got[0] != -1234567890124 { // FBLD [rsi]
		t.Errorf("FBLD: %v", got)
	}
	m.x87(x87Initial, []float64{1e18}, 0xDF, 0x36)
	if got := string(m.get(bareData, 10)); got != "\x00\x00\x00\x00\x00\x00\x00\xC0\xFF\xFF" || m.fpu.sw&softfloat.IE == 0 {
		t.Errorf("FBSTP of 10^18: % x, status %#x", got, m.fpu.sw)
	}
}

// What FNSAVE stores, FRSTOR loads; in between, the unit is as FNINIT leaves it.
func TestX87Save(t *testing.T) {
	m := newVectorMachine(t)
	m.R[uop.RSI] = bareData
	m.x87(0x27F, []float64{1.5, 0, math.Inf(1)}, 0xD9, 0xC0) // FLD ST(0)
	m.fpu.fip, m.fpu.fdp, m.fpu.fop = 0x12345678, 0x23456789, 0x5A5
	before := m.fpu
	if v := m.do(0xDD, 0x36); v != noVector { // FNSAVE [rsi]
		t.Fatalf("FNSAVE: vector %d", v)
	}
	if m.fpu.full != 0 || m.fpu.cw != x87Initial || m.fpu.sw != 0 {
		t.Errorf("after FNSAVE: %+v", m.fpu)
	}
	area := m.get(bareData, env32+saveRegs)
	cw, tags := binary.LittleEndian.Uint16(area), binary.LittleEndian.Uint16(area[8:])
	if cw != 0x27F || tags != 0b10_01_00_00_11_11_11_11 {
		t.Errorf("control word %#x, tags %016b", cw, tags)
	}
	if v := m.do(0xDD, 0x26); v != noVector { // FRSTOR [rsi]
		t.Fatalf("FRSTOR: vector %d", v)
	}
	if m.fpu != before {
		t.Errorf("restored %+v, want %+v", m.fpu, before)
	}
}
