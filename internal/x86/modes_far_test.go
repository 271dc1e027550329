package x86

import (
	"fmt"
	"math/rand/v2"
)

// Cases about descriptors: segment loads, far transfers and interrupts, with descriptors and gates that are drawn. What
// would switch a task is left out.

// farCase draws a case that is at a place in the image.
func farCase(r *rand.Rand, m *image, at int) tryCase {
	f := &farDice{Rand: r, m: m, at: at}
	c := tryCase{flags: 2 | r.Uint32()&arithmeticFlags}
	for i := range c.gpr {
		c.gpr[i] = uint32(r.IntN(0x100))
	}
	c.gpr[4] = 0x7F60 - uint32(r.IntN(2))*2
	if m.mode.user || m.long() {
		c.gpr[4] = 0x7B00
	}
	if m.mode.flat {
		c.gpr[4] += tryData
	}
	var x text
	step := f.stride()
	kind := f.IntN(9)
	gates := kind == 3 || kind == 4
	for i := range 3 { // as many as fit into a case
		d := f.descriptor(gates)
		at := uint32(tryGDT + trySlot + 8*i*step)
		x.store(at, uint32(d))
		x.store(at+4, uint32(d>>32))
	}
	var code text
	switch kind {
	case 0:
		reg := []byte{0, 3, 4, 5}[f.IntN(4)]
		c.text = "MOV Sreg"
		code.ax(m, f.selector())
		code.put(0x8E, 0xC0|reg<<3)
	case 1:
		c.text = "LAR, LSL, VERR, VERW"
		code.ax(m, f.selector())
		code.put([][]byte{{0x0F, 0x02, 0xD0}, {0x0F, 0x03, 0xD0}, {0x0F, 0x00, 0xE0}, {0x0F, 0x00, 0xE8}}[f.IntN(4)]...)
	case 2:
		c.text = "INT"
		vector := 0x21
		size, selector, kind := 8, f.selector(), []uint64{6, 7, 14, 15, 14, 15, 12, 2}[f.IntN(8)]
		if m.long() {
			size = 16
		}
		if kind == 6 || kind == 7 {
			if m.mode.flat {
				kind |= 8
			} else {
				selector = tryCS // which is where 16 bits of an offset lead to the case
			}
		}
		to := f.offset(selector)
		g := to&0xFFFF | uint64(selector)<<16 | to>>16<<48 | f.rights()<<40 | kind<<40
		x.store(uint32(tryIDT+size*vector), uint32(g))
		x.store(uint32(tryIDT+size*vector+4), uint32(g>>32))
		code.put(0xCD, byte(vector))
	case 3, 5:
		c.text = "JMP far"
		f.far(&code, 0xEA)
	case 4, 6:
		c.text = "CALL far"
		f.far(&code, 0x9A)
	case 7:
		c.text = "IRET"
		f.frame(&code, 0xCF, 2|f.Uint32()&(arithmeticFlags|FlagDF|iopl|FlagID|FlagAC))
	case 8:
		c.text = "RETF"
		f.frame(&code, 0xCB, 0)
	}
	c.text = fmt.Sprint(c.text, " ", m.mode.bits)
	c.code, c.pre = code.b, x.b
	return c
}

// ax loads a selector into AX.
func (x *text) ax(m *image, selector uint16) {
	if m.mode.bits == 32 {
		x.put(0x66)
	}
	x.put(0xB8)
	x.word(selector)
}

type farDice struct {
	*rand.Rand
	m  *image
	at int
}

// rights draws present bit, DPL and S as bits 7:4 of a descriptor's byte 5.
func (f *farDice) rights() uint64 {
	v := uint64(0x80)
	if f.IntN(10) == 0 {
		v = 0
	}
	return v | []uint64{0, 0, 0, 3, 3, 1, 2}[f.IntN(7)]<<5
}

// descriptor draws a descriptor; with gates, one of two is a call gate.
func (f *farDice) descriptor(gates bool) uint64 {
	if gates && f.IntN(2) == 0 {
		kind := []uint64{4, 12, 12, 12}[f.IntN(4)]
		to := []uint16{tryCode32, tryCode64, trySlot, trySlot + 8*uint16(f.stride())}[f.IntN(4)] | uint16(f.IntN(4))
		if kind == 4 {
			to = tryCS
			if f.m.mode.flat {
				kind = 12
			}
		}
		offset := f.offset(to)
		return offset&0xFFFF | uint64(to)<<16 | uint64(f.IntN(4))<<32 | (f.rights()|kind)<<40 | offset>>16<<48
	}
	kind := uint64(f.IntN(16))
	s := uint64(segS)
	if f.IntN(12) == 0 {
		s, kind = 0, []uint64{0, 2, 8, 10, 13, 14, 15}[f.IntN(7)]
	}
	base := uint32(tryData)
	if kind&8 != 0 || f.m.mode.flat {
		base = 0 // code: offsets are linear addresses
	}
	attributes := uint32(f.rights()|s|kind) | uint32(f.IntN(2))*segBig
	if f.m.long() && kind&8 != 0 && f.IntN(2) == 0 {
		attributes = attributes&^segBig | segLong // with both, TCG would not mind
	}
	if kind&8 == 0 && kind&4 != 0 {
		return tryDescriptor(base, 0, attributes&^segExpandDown) | 0xFFFF | 0xF<<48 | 1<<55 // no expand-down: TCG does not look
	}
	return tryDescriptor(base, low, attributes)
}

// stride is how many descriptors apart slots are: gates of long mode have 16 bytes.
func (f *farDice) stride() int {
	if f.m.long() {
		return 2
	}
	return 1
}

// target is where the case's INT3s are.
func (f *farDice) target() uint64 { return uint64(f.at + tryStride/2 + 40) }

// selector draws a selector.
func (f *farDice) selector() uint16 {
	s := []uint16{tryCode32, tryFlat, tryCode64, tryCS, tryDS, trySS, 0, tryLimit, 0x0C}
	for i := range 3 {
		slot := uint16(trySlot + 8*i*f.stride())
		s = append(s, slot, slot, slot, slot)
	}
	return s[f.IntN(len(s))]&^3 | uint16([]int{0, 0, 0, 0, 1, 2, 3, 3}[f.IntN(8)])
}

// far appends JMP or CALL to a pointer of 16:32.
func (f *farDice) far(x *text, op byte) {
	if f.m.mode.bits == 16 {
		x.put(0x66)
	}
	x.put(op)
	s := f.selector()
	x.dword(uint32(f.offset(s)))
	x.word(s)
}

// offset is the target's in the segment of a selector, as far as its base is known.
func (f *farDice) offset(selector uint16) uint64 {
	if selector&^3 == tryCS && !f.m.mode.flat {
		return tryStride/2 + 40
	}
	return f.target()
}

// frame appends pushes of a frame and the return.
func (f *farDice) frame(x *text, op byte, flags uint32) {
	push := func(v uint32) {
		if f.m.mode.bits == 16 {
			x.put(0x66)
		}
		x.push(v)
	}
	sp := uint32(0x7B00)
	if f.m.mode.flat {
		sp += tryData
	}
	push(uint32(f.selector()))
	push(sp)
	if op == 0xCF {
		push(flags)
	}
	s := f.selector()
	push(uint32(s))
	push(uint32(f.offset(s)))
	if f.m.mode.bits == 16 {
		x.put(0x66)
	}
	x.put(op)
}
