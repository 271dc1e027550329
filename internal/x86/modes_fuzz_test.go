package x86

import (
	"encoding/binary"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Hostile programs in real, virtual-8086 and protected mode of 16 and 32 bits: whatever descriptors, gates, limits and flags are, a run ends in bounded time without a
// panic, and under each engine it is the same.

// oddities are pieces of 16- and 32-bit programs. %s is a selector, %v a vector, %w two random bytes, %b one.
var oddities = []string{
	"B8 %s 8E D8", "B8 %s 8E D0", "B8 %s 8E D0 90", "B8 %s 8E C0", "B8 %s 8E E0", "66 68 %s 00 00 17", "68 %s 17", "68 %s 66 17", "8C D8 8E D0", // segments, by MOV and POP, SS among them
	"9C 58 80 CC 01 50 9D 90", "9C 58 80 CC 01 50 9D 17 90 90", "9C 58 80 CC 41 50 9D CF", "9C 58 80 CC 71 50 9D FA FB", // TF, with POP SS next; NT and IRET; IOPL
	"F3 A4", "F3 AB", "F3 A6", "F2 AE", "F3 AC", "66 F3 A5", "67 F3 AA", "F3 6C", "F3 6E", "FC", "FD", // strings
	"CD %v", "CC", "CE", "F1", "CF", "66 CF", "CB", "66 CB", "CA %w", // interrupts and returns
	"EA %w %s", "66 EA %w 00 00 %s", "EA 00 00 01 00 %s", "9A %w %s", "66 9A %w 00 00 %s", "FF 2E %w", "FF 1E %w", // far transfers
	"0E 68 %w CB", "68 %s 68 %w CB", "66 68 %s 00 00 66 68 %w 00 00 66 CB", "9C 68 %s 68 %w CF",
	"0F 20 C0 34 %b 0F 22 C0", "0F 20 E0 34 %b 0F 22 E0", "0F 20 C0 66 35 00 00 00 80 0F 22 C0", "0F 20 C0 35 00 00 00 80 0F 22 C0", "0F 22 D8", "0F 01 F0", // CR0, CR4, paging, CR3, LMSW
	"B8 %w 0F 23 C0", "B8 %w 0F 23 F8", "B8 00 20 0F 23 F8 0F 21 C0", "0F 21 F0", // debug registers, GD
	"0F 34", "0F 35", "0F 05", "0F 07", "0F 01 1E %w", "0F 01 16 %w", "0F 01 C1", "F4",
	"B8 %s 0F 00 D8", "B8 %s 0F 00 D0", "B8 %s 0F 02 C0", "B8 %s 0F 03 C0", "B8 %s 0F 00 E0", "63 C0", // LTR, LLDT, LAR, LSL, VERR, ARPL
	"C4 06 %w", "C5 06 %w", "0F B2 26 %w", "0F B4 06 %w", "62 06 %w", // LES, LDS, LSS, LFS, BOUND
	"60", "61", "C8 %w 05", "C9", "50 58", "FF 36 %w", "8F 06 %w", "A1 %w", "A3 %w", "F0 FF 06 %w", "FF 06 FF FF", "8B 47 FF", "67 8B 04 24", "BC %w", "66 BC %w 00 00", "83 EC 7F", // the stack, limits
	"E6 %b", "E4 %b", "FA", "FB", "EB 00", "E2 FE", "90", "D9 06 %w", "DD 36 %w", "0F AE 06 %w",
}

// oddProgram is a program of such pieces, in a mode, with segments and tables that are drawn.
func oddProgram(pieces []byte, seed uint64) *program {
	return &program{setup: func(m *scene) {
		r := rand.New(rand.NewPCG(seed, 11))
		selector := func() uint16 {
			return uint16(r.IntN(32)*8 | []int{0, 0, 0, 3, 4, 1, 2}[r.IntN(7)])
		}
		mode := r.IntN(6)
		var skip string // steps over a byte of the program
		switch mode {
		case 0:
			real(m)
			skip = "55 89 E5 FF 46 02 5D CF"
		case 1:
			in8086(r.Uint64()&r.Uint64()&(arithmeticFlags|FlagIF|FlagDF|iopl|FlagTF), r.Uint64N(2)*CR4VME)(m)
			skip = "FF 04 24 CF"
		default:
			legacy(m)
			skip = "FF 04 24 CF"
		}
		codes := uint64(1<<uop.VectorDF | 1<<uop.VectorTS | 1<<uop.VectorNP | 1<<uop.VectorSS | 1<<uop.VectorGP | 1<<uop.VectorPF | 1<<uop.VectorAC)
		for v := range uint64(256) {
			code := skip
			if mode != 0 && v < 32 && codes>>v&1 != 0 {
				code = "83 C4 04" + code
			}
			b, _ := assemble(asm(code))
			m.put(progGate+v*16, b)
		}
		if mode != 0 {
			for s := uint64(0x40); s < 0x100; s += 8 { // code, data and gates of any type, mostly within memory
				d := tryDescriptor(uint32(r.IntN(4))*0x8000, []uint32{0xFFF, 0xFFFF, 0xFFFF_FFFF, r.Uint32()}[r.IntN(4)], r.Uint32()&0xF0FF|segPresent)
				if r.IntN(4) == 0 {
					d = progCode&0xFFFF | uint64(selCode)<<16 | (r.Uint64()&0xFF|0x80)<<40 | progCode>>16<<48
				}
				m.write(progGDT+s, d)
			}
			for v := uint64(0x40); v < 0x60; v++ { // gates of any type
				m.write(progIDT+v*8, (progGate+v*16)&0xFFFF|uint64(selector())<<16|(r.Uint64()&0xFF)<<40)
			}
			m.from.GDTR.Limit, m.from.IDTR.Limit = 0xFF, 0x7FF
		}
		if mode == 3 || mode == 4 { // 16 bits
			m.from.Seg[uop.SegCS].Attr &^= segBig
		}
		if mode >= 2 {
			for _, n := range []int{uop.SegDS, uop.SegES, uop.SegSS, uop.SegFS} {
				if r.IntN(3) == 0 { // what a descriptor of the table could have left there
					attributes := r.Uint32()&0xF000&^0x2000 | segPresent | segS | segWritable | segAccessed | []uint32{0, segExpandDown}[r.IntN(2)]
					m.from.Seg[n] = unpack(0x40, tryDescriptor(uint32(r.IntN(4))*progData, []uint32{0xFFF, 0xFFFF, 0xFFFF_FFFF, 0x7FFF}[r.IntN(4)], attributes))
				}
			}
		}
		code := ""
		for _, p := range pieces {
			s := asm(oddities[int(p)%len(oddities)])
			s = strings.ReplaceAll(s, "%s", le(uint64(selector()), 2))
			s = strings.ReplaceAll(s, "%v", le(0x40+r.Uint64N(0x24), 1))
			s = strings.ReplaceAll(s, "%w", le([]uint64{r.Uint64N(0x100), 0xFFFF - r.Uint64N(4), 0xFFE + r.Uint64N(4), r.Uint64N(0x10000)}[r.IntN(4)], 2))
			code += strings.ReplaceAll(s, "%b", le(r.Uint64(), 1))
		}
		b, _ := assemble(code + "EB" + le(-uint64(min(len(code)/2+2, 120)), 1))
		m.put(m.start, b)
		for i := range m.from.GPR {
			if i != uop.RSP {
				m.from.GPR[i] = []uint64{r.Uint64N(0x100), progData + r.Uint64N(0x1000), 0xFFFF - r.Uint64N(4), uint64(r.Uint32())}[r.IntN(4)]
			}
		}
		m.from.XCR0 = 3
		m.msr.sysenter = [3]uint64{uint64(selector()), progSP, progCode + r.Uint64N(0x40)}
		m.put(progData, binary.LittleEndian.AppendUint32(nil, r.Uint32()))
		m.APIC.startTimerIn(1 + r.Uint64N(900))
		m.until = 3000
	}}
}

// FuzzModes compares engines on such programs, after every block or after some instructions.
func FuzzModes(f *testing.F) {
	for i := 0; i < len(oddities); i += 5 {
		f.Add([]byte{byte(i), byte(i + 7), byte(5 * i), 2, byte(11 * i), 30}, uint64(i), uint64(i%3))
		f.Add([]byte{byte(3 * i), byte(i), byte(i), 9, byte(13 * i)}, uint64(1000+i), uint64(7*(i%2)))
	}
	f.Fuzz(func(t *testing.T, pieces []byte, seed, every uint64) {
		if len(pieces) == 0 || len(pieces) > 100 {
			return
		}
		if d := lockstep(t, oddProgram(pieces, seed), every%1000, nil); d != "" {
			t.Fatalf("pieces %v, seed %d, compared every %d: %s", pieces, seed, every%1000, d)
		}
	})
}
