package x86

import (
	"fmt"
	"math/rand/v2"
)

// Cases of virtual-8086 mode: what IOPL and the monitor's tables decide. CR4.VME is left out: TCG does not have it.

const (
	try8086Ports = 0x68 // where the I/O permission bitmap begins in the TSS: of 256 ports 80 alone is allowed
	try8086Limit = try8086Ports + 0x20
)

// lay8086 puts an I/O permission bitmap into the TSS.
func (m *image) lay8086() {
	tss := m.memory[tryTSS:]
	tss[0x66] = try8086Ports
	for i := try8086Ports; i <= try8086Limit; i++ {
		tss[i] = 0xFF
	}
	tss[try8086Ports+0x80/8] = 0xFE
	m.qword(tryGDT+tryTR, tryDescriptor(tryTSS, try8086Limit, segPresent|typeTSSAvail))
}

// push8086 is the frame with which IRET goes to a case.
func (m *image) push8086(x *text, c *tryCase, at int) {
	const data = tryData >> 4
	for _, v := range []uint32{data + 0x80, data + 0x40, data, data, data, c.gpr[4], c.flags, uint32(at >> 4), tryStride / 2} {
		x.push(v)
	}
}

// level8086 draws IOPL, of which 3 is as likely as the others together, and NT.
func level8086(r *rand.Rand) uint32 {
	v := uint32(FlagVM)
	if r.IntN(2) == 0 {
		v |= iopl
	} else {
		v |= uint32(r.IntN(3)) << 12
	}
	if r.IntN(4) == 0 {
		v |= FlagNT
	}
	return v
}

// of8086 are instructions that there are not, or that are not for privilege 3.
var of8086 = [][]byte{
	{0x0F, 0x00, 0xC0}, {0x0F, 0x00, 0xC8}, {0x0F, 0x00, 0xD0}, {0x0F, 0x00, 0xD8}, {0x0F, 0x00, 0xE0}, {0x0F, 0x00, 0xE8}, {0x0F, 0x02, 0xC0}, {0x0F, 0x03, 0xC0}, // SLDT to VERW, LAR, LSL
	{0x63, 0xC0}, {0x0F, 0x05}, {0x0F, 0x07}, {0x0F, 0x01, 0xCA}, {0x0F, 0x01, 0xCB}, // ARPL, SYSCALL, SYSRET, CLAC, STAC
	{0xF4}, {0x0F, 0x01, 0x16, 0, 0}, {0x0F, 0x01, 0x1E, 0, 0}, {0x0F, 0x01, 0xF0}, {0x0F, 0x06}, // HLT, LGDT, LIDT, LMSW, CLTS
	{0x0F, 0x20, 0xC0}, {0x0F, 0x22, 0xD8}, {0x0F, 0x21, 0xF8}, {0x0F, 0x23, 0xF8}, {0x0F, 0x08}, {0x0F, 0x09}, {0x0F, 0x01, 0x3E, 0, 0}, // MOV CR, MOV DR, INVD, WBINVD, INVLPG
	{0x0F, 0x32}, {0x0F, 0x30}, {0x0F, 0x34}, {0x0F, 0x35}, // RDMSR, WRMSR, SYSENTER, SYSEXIT
	{0x0F, 0x01, 0xE0}, {0xFA}, {0xFB}, {0xFA}, {0xFB}, // SMSW, CLI, STI
}

// case8086 draws a case that is at a place in the image.
func case8086(r *rand.Rand, at int) tryCase {
	c := tryCase{flags: 2 | r.Uint32()&arithmeticFlags | level8086(r), strict: true}
	for i := range c.gpr {
		c.gpr[i] = uint32(r.IntN(0x100))
	}
	c.gpr[4] = 0x7B00 | uint32(r.IntN(2))<<16*uint32(r.IntN(0x100))
	var x, pre text
	wide := r.IntN(2) == 0
	push := func(v uint32) {
		if wide {
			x.put(0x66)
			x.push(v)
			return
		}
		x.put(0x68)
		x.word(uint16(v))
	}
	operand := func(op ...byte) {
		if wide {
			x.put(0x66)
		}
		x.put(op...)
	}
	loads := r.Uint32() & (arithmeticFlags | FlagIF | FlagDF | FlagNT | iopl | FlagAC | FlagID | FlagVIF | FlagVIP | FlagVM)
	target := at + tryStride/2 + 40
	segment := target>>4 - r.IntN(0x100)
	ip := target - segment<<4
	switch kind := r.IntN(9); kind {
	case 0:
		c.text = "PUSHF"
		operand(0x9C)
	case 1:
		c.text = "POPF"
		push(loads)
		operand(0x9D)
		x.put(0x66, 0x9C) // shows what became of it
	case 2:
		c.text = "IRET"
		push(loads)
		push(uint32(segment))
		push(uint32(ip))
		operand(0xCF)
	case 3:
		c.text = "INT"
		vector := uint32([]int{0x21, 0x21, 0x21, 3, 0x22}[r.IntN(5)])
		selector := uint32([]int{tryCode32, tryCode32, tryCode32, trySlot, trySlot, trySlot, tryCode64, tryDS, 0}[r.IntN(9)])
		d := tryDescriptor(0, low, uint32(segPresent|segS|segCode|segBig)|uint32(r.IntN(8))|uint32([]int{0, 0, 1, 3}[r.IntN(4)])<<5)
		pre.store(tryGDT+trySlot, uint32(d))
		pre.store(tryGDT+trySlot+4, uint32(d>>32))
		if selector == tryCode64 {
			selector = trySlot + 1 // a requested privilege, which does not count
		}
		attributes := uint32([]int{0xEE, 0xEE, 0xEF, 0xEF, 0x8E, 0xAE, 0x6E, 0xE6, 0xE7, 0xEC}[r.IntN(10)])
		pre.store(tryIDT+8*0x21, (tryStubs+8*0x21)|selector<<16)
		pre.store(tryIDT+8*0x21+4, attributes<<8)
		x.put(0xCD, byte(vector))
	case 4:
		c.text = "INT3, INTO"
		x.put([]byte{0xCC, 0xCE}[r.IntN(2)])
	case 5:
		c.text = "IN, OUT"
		operand([][]byte{{0xE6, 0x80}, {0xE6, 0x80}, {0xE7, 0x80}, {0xE6, 0x81}, {0xE4, 0x7F}, {0xEC}, {0xEF}, {0x6E}}[r.IntN(8)]...)
		c.gpr[2] = []uint32{0x81, 0x7F, 0x100, 0xFFFF}[r.IntN(4)]
	case 6:
		c.text = "MOV, POP Sreg"
		v := tryData>>4 + uint32(r.IntN(0x100))
		if n := r.IntN(6); n < 3 {
			push(v | r.Uint32()&0xFFFF_0000)
			operand([]byte{0x07, 0x1F, 0x17}[n])
		} else {
			x.put(0xB8)
			x.word(uint16(v))
			x.put(0x8E, 0xC0|[]byte{0, 3, 4}[n-3]<<3)
		}
		x.put(0x26, 0x02, 0x07, 0x02, 0x47, 0x02) // add al, es:[bx]; add al, [bx+2]
	case 7:
		c.text = "JMP, CALL, RETF"
		if n := r.IntN(3); n < 2 {
			operand([]byte{0xEA, 0x9A}[n])
			x.b = append(x.b, little(uint32(ip), map[bool]int{false: 16, true: 32}[wide])...)
			x.word(uint16(segment))
		} else {
			push(uint32(segment))
			push(uint32(ip))
			operand(0xCB)
		}
	default:
		c.text = "system"
		x.put(of8086[r.IntN(len(of8086))]...)
	}
	c.text = fmt.Sprintf("%s, IOPL %d, operand of 32 bits %v", c.text, c.flags>>12&3, wide)
	c.code, c.pre = x.b, pre.b
	return c
}
