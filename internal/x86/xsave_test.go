package x86

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/tacit-vm/tacit/internal/softfloat"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

var (
	xsaveRSI    = []byte{0x48, 0x0F, 0xAE, 0x26} // XSAVE64 [rsi]
	xsaveoptRSI = []byte{0x48, 0x0F, 0xAE, 0x36}
	xsavecRSI   = []byte{0x48, 0x0F, 0xC7, 0x26}
	xrstorRSI   = []byte{0x48, 0x0F, 0xAE, 0x2E}
	fxsaveRSI   = []byte{0x48, 0x0F, 0xAE, 0x06}
	fxrstorRSI  = []byte{0x48, 0x0F, 0xAE, 0x0E}
)

// busy gives the machine x87 and SSE state that is not initial, and RSI an area of 0xA5.
func busy(t *testing.T) *vectorMachine {
	m := newVectorMachine(t)
	r := seeded(t)
	m.R[uop.RSI], m.R[uop.RDX] = bareData, 0
	m.put(bareData, bytes.Repeat([]byte{0xA5}, 1024))
	for i := range 16 {
		m.X[i] = randomXMM(r)
	}
	m.mxcsr = 0x9FC0
	m.fpu.setControl(0x27F)
	m.fpu.push(softfloat.Float80{M: 1 << 63, SE: 0x4000})
	m.fpu.fip = 0x123456
	return m
}

func (m *vectorMachine) area() (header [3]uint64, b []byte) {
	b = m.get(bareData, XSaveSize)
	for i := range header {
		header[i] = binary.LittleEndian.Uint64(b[xsHeader+8*i:])
	}
	return header, b
}

// Each instruction writes the parts that are its business and no others: components, MXCSR, header (which parts: a
// Sapphire Rapids).
func TestXSaveWrites(t *testing.T) {
	type span struct{ from, to int }
	x87Part := []span{{0, 24}, {32, 160}}
	ssePart := []span{{24, 32}, {160, 416}}
	for _, c := range []struct {
		name    string
		code    []byte
		request uint64
		initial bool // x87 is in its initial state
		want    []span
		bv      uint64 // XSTATE_BV where it was 0
		comp    bool
	}{
		{"FXSAVE", fxsaveRSI, 0, false, []span{{0, 416}}, 0, false},
		{"XSAVE of both", xsaveRSI, 3, false, append(x87Part[:2:2], ssePart...), 3, false},
		{"XSAVE of x87", xsaveRSI, 1, false, x87Part, 1, false},
		{"XSAVE of SSE", xsaveRSI, 2, false, ssePart, 2, false},
		{"XSAVE of AVX", xsaveRSI, 4, false, nil, 0, false},
		{"XSAVE of initial x87", xsaveRSI, 1, true, x87Part, 0, false},
		{"XSAVEOPT of initial x87", xsaveoptRSI, 3, true, ssePart, 2, false},
		{"XSAVEC of both", xsavecRSI, 3, false, append(x87Part[:2:2], ssePart...), 3, true},
		{"XSAVEC of initial x87", xsavecRSI, 3, true, ssePart, 2, true},
	} {
		m := busy(t)
		if c.initial {
			m.fpu.reset()
		}
		m.put(bareData+xsHeader, make([]byte, xsHeaderSize))
		m.R[uop.RAX] = c.request
		if v := m.do(c.code...); v != noVector {
			t.Errorf("%s: vector %d", c.name, v)
			continue
		}
		header, b := m.area()
		for i := range xsHeader {
			want := false
			for _, s := range c.want {
				want = want || i >= s.from && i < s.to
			}
			// A byte that was written may be 0xA5 by chance: of 16 random registers a few are.
			if written := b[i] != 0xA5; written && !want || !written && want && i < fxXMM {
				t.Errorf("%s: byte %d written: %v", c.name, i, written)
				break
			}
		}
		comp := uint64(0)
		if c.comp {
			comp = c.request | xsCompacted
		}
		if header != [3]uint64{c.bv, comp, 0} {
			t.Errorf("%s: header %#x, want XSTATE_BV %#x, XCOMP_BV %#x", c.name, header, c.bv, comp)
		}
	}
}

// What was saved comes back, by all pairs of instructions; and components that were initial become so.
func TestXSaveRestores(t *testing.T) {
	for _, c := range []struct {
		name          string
		save, restore []byte
	}{
		{"FXSAVE", fxsaveRSI, fxrstorRSI},
		{"XSAVE", xsaveRSI, xrstorRSI},
		{"XSAVEOPT", xsaveoptRSI, xrstorRSI},
		{"XSAVEC", xsavecRSI, xrstorRSI},
	} {
		for _, initial := range []bool{false, true} {
			if initial && c.name == "FXSAVE" {
				continue
			}
			m := busy(t)
			m.put(bareData+xsHeader, make([]byte, xsHeaderSize))
			if initial {
				m.fpu.reset()
				clear(m.X[:16])
				m.mxcsr = mxcsrDefault
			}
			x, fpu, mxcsr := [16]XMM(m.X[:16]), m.fpu, m.mxcsr
			m.R[uop.RAX] = 3
			if v := m.do(c.save...); v != noVector {
				t.Fatalf("%s: vector %d", c.name, v)
			}
			m.X[5], m.mxcsr = XMM{1, 2}, 0x1FBF
			if initial && c.name != "XSAVEC" {
				m.mxcsr = mxcsrDefault // the standard format has it only where SSE was saved; else memory's is loaded
				m.put(bareData+fxMXCSR, []byte{0x80, 0x1F, 0, 0})
			}
			m.fpu.push(softfloat.Float80{M: 3 << 62, SE: 0x3FFF})
			if v := m.do(c.restore...); v != noVector {
				t.Fatalf("%s and back: vector %d", c.name, v)
			}
			if [16]XMM(m.X[:16]) != x || m.fpu != fpu || m.mxcsr != mxcsr {
				t.Errorf("%s and back, initial %v: MXCSR %#x, want %#x; x87 %+v, want %+v", c.name, initial, m.mxcsr, mxcsr, m.fpu, fpu)
			}
		}
	}
}

// A header or MXCSR that is not to be had raises #GP and changes nothing.
func TestXRstorRefuses(t *testing.T) {
	for _, c := range []struct {
		name   string
		offset int
		value  uint64
	}{
		{"XSTATE_BV with AVX", xsHeader + xsBV, 7},
		{"XCOMP_BV in the standard format", xsHeader + xsComp, 3},
		{"reserved header bytes", xsHeader + xsReserved, 1},
		{"XCOMP_BV with AVX", xsHeader + xsComp, xsCompacted | 7},
		{"XSTATE_BV beyond XCOMP_BV", xsHeader + xsComp, xsCompacted | 1},
		{"MXCSR", fxMXCSR, 0x11F80},
	} {
		m := busy(t)
		m.put(bareData+xsHeader, make([]byte, xsHeaderSize))
		m.R[uop.RAX] = 3
		m.do(xsaveRSI...)
		before := m.State()
		m.write(bareData+uint64(c.offset), c.value)
		m.X[1] = XMM{7, 7}
		if v := m.do(xrstorRSI...); v != uop.VectorGP {
			t.Errorf("%s: vector %d, want #GP", c.name, v)
		}
		if after := m.State(); m.X[1] != (XMM{7, 7}) || after.MXCSR != before.MXCSR || after.X87 != before.X87 {
			t.Errorf("%s: state changed", c.name)
		}
	}
	m := busy(t)
	m.R[uop.RSI] += 32
	if v := m.do(xsaveRSI...); v != uop.VectorGP {
		t.Errorf("XSAVE at a multiple of 32: vector %d, want #GP", v)
	}
}
