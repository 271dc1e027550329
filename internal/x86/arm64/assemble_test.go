package arm64

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"
)

// The assembler's output is read by another project's disassembler, and what it reads is compared as text with what was
// to be assembled. That disassembler writes the manual's aliases where it prefers them, so the tests' text does, too.

// check wants what assemble makes to be one instruction that reads as text.
func check(t *testing.T, text string, assemble func(a *Assembler)) {
	t.Helper()
	var a Assembler
	assemble(&a)
	inst, err := arm64asm.Decode(a.Bytes)
	if got := inst.String(); err != nil || got != text || len(a.Bytes) != 4 {
		t.Errorf("%s: % x is %s, %v", text, a.Bytes, got, err)
	}
}

// name names a register of n bytes.
func name(r Reg, n int) string { return fmt.Sprintf("%c%d", "WX"[n>>3], r) }

// conditions are as the disassembler writes them.
var conditions = [...]string{"EQ", "NE", "CS", "CC", "MI", "PL", "VS", "VC", "HI", "LS", "GE", "LT", "GT", "LE"}

func TestEveryForm(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	for op := range ops {
		e := &encodings[op]
		if e.name == "" {
			t.Errorf("row %d is empty", op)
			continue
		}
		for i := range 400 {
			size := 4 << (i & 1)
			if op == REV32 {
				size = 4
			} else if !e.sized {
				size = 8
			}
			w := uint64(8 * size)
			var regs [4]Reg
			for k, v := range r.Perm(30)[:4] {
				regs[k] = Reg(v)
			}
			d, n, m, x := regs[0], regs[1], regs[2], regs[3]
			dn := e.name + " " + name(d, size) + ", " + name(n, size)
			switch e.form {
			case shifted:
				s := r.Uint64N(w)
				text := fmt.Sprintf("%s, %s", dn, name(m, size))
				if s != 0 {
					text += fmt.Sprintf(", LSL #%d", s)
				}
				check(t, text, func(a *Assembler) { a.Shifted(op, size, d, n, m, uint8(s)) })
			case added:
				v := r.Uint64N(1<<12-1) + 1
				check(t, fmt.Sprintf("%s, #%#x", dn, v), func(a *Assembler) { a.Imm12(op, size, d, n, v) })
				check(t, fmt.Sprintf("%s, #%#x, LSL #12", dn, v), func(a *Assembler) { a.Imm12(op, size, d, n, v<<12) })
			case bitmask:
				v := mask(r, size)
				check(t, fmt.Sprintf("%s, #%#x", dn, v), func(a *Assembler) { a.Bitmask(op, size, d, n, v) })
			case three:
				check(t, fmt.Sprintf("%s, %s", dn, name(m, size)), func(a *Assembler) { a.Three(op, size, d, n, m) })
			case four:
				narrow := size
				if !e.sized {
					narrow = 4
				}
				text := fmt.Sprintf("%s %s, %s, %s, %s", e.name, name(d, size), name(n, narrow), name(m, narrow), name(x, size))
				check(t, text, func(a *Assembler) { a.Four(op, size, d, n, m, x) })
			case two:
				check(t, dn, func(a *Assembler) { a.Two(op, size, d, n) })
			case field:
				immr, imms := r.Uint64N(w), r.Uint64N(w)
				check(t, fieldText(op, size, d, n, immr, imms), func(a *Assembler) { a.Field(op, size, d, n, uint8(immr), uint8(imms)) })
			case extract:
				lsb := r.Uint64N(w)
				check(t, fmt.Sprintf("%s, %s, #%d", dn, name(m, size), lsb), func(a *Assembler) { a.Extract(op, size, d, n, m, uint8(lsb)) })
			case selects:
				c := r.IntN(len(conditions))
				check(t, fmt.Sprintf("%s, %s, %s", dn, name(m, size), conditions[c]), func(a *Assembler) { a.Select(op, size, d, n, m, Condition(c)) })
			case wide:
				v, s := uint16(r.Uint32N(1<<16-2)+1), uint8(r.Uint64N(w/16))*16
				var text string
				switch op {
				case MOVK:
					text = fmt.Sprintf("MOVK %s, #%#x", name(d, size), v)
					if s != 0 {
						text += fmt.Sprintf(", LSL #%d", s)
					}
				case MOVZ:
					text = fmt.Sprintf("MOV %s, #%#x", name(d, size), uint64(v)<<s)
				case MOVN:
					text = fmt.Sprintf("MOV %s, #%#x", name(d, size), ^(uint64(v)<<s)<<(64-w)>>(64-w))
				}
				check(t, text, func(a *Assembler) { a.Wide(op, size, d, v, s) })
			case memory:
				offset := r.Int32N(1<<12) << e.scale
				text := fmt.Sprintf("%s %s, [%s,#%d]", e.name, name(d, loaded(op)), name(n, 8), offset)
				text = strings.Replace(text, ",#0]", "]", 1)
				check(t, text, func(a *Assembler) { a.Memory(op, d, n, offset) })
			case register:
				text := fmt.Sprintf("%s %s, [%s,%s]", e.name, name(d, loaded(op)), name(n, 8), name(m, 8))
				check(t, text, func(a *Assembler) { a.Indexed(op, d, n, m) })
			}
			if t.Failed() {
				return
			}
		}
	}
}

// loaded returns how many bytes of its register a load or store is written with.
func loaded(op Op) int {
	switch op {
	case LDR, STR, LDRSB, LDRSH, LDRSW, LDRX, STRX, LDRSBX, LDRSHX, LDRSWX:
		return 8
	}
	return 4
}

// mask returns a number that can be an immediate of logic.
func mask(r *rand.Rand, size int) uint64 {
	width := 2 << r.IntN(bits.Len(uint(4*size))-1)
	ones := 1 + r.IntN(width-1)
	v := uint64(1)<<ones - 1
	turn := r.IntN(width)
	v = (v<<turn | v>>(width-turn)) & (^uint64(0) >> (64 - width))
	for ; width < 8*size; width *= 2 {
		v |= v << width
	}
	return v
}

// fieldText is a move of a bit field by the alias that it has (manual, C6.2, "alias conditions").
func fieldText(op Op, size int, d, n Reg, immr, imms uint64) string {
	w := uint64(8 * size)
	regs := name(d, size) + ", " + name(n, size)
	prefix := map[Op]string{UBFM: "UB", SBFM: "SB", BFM: "B"}[op]
	switch {
	case op == SBFM && imms == w-1:
		return fmt.Sprintf("ASR %s, #%d", regs, immr)
	case op == UBFM && imms == w-1:
		return fmt.Sprintf("LSR %s, #%d", regs, immr)
	case op == UBFM && imms+1 == immr:
		return fmt.Sprintf("LSL %s, #%d", regs, w-immr)
	case op == BFM && imms < immr:
		return fmt.Sprintf("BFI %s, #%d, #%d", regs, w-immr, imms+1)
	case op == BFM:
		return fmt.Sprintf("BFXIL %s, #%d, #%d", regs, immr, imms-immr+1)
	case imms < immr:
		return fmt.Sprintf("%sFIZ %s, #%d, #%d", prefix, regs, w-immr, imms+1)
	case immr == 0 && (imms == 7 || imms == 15 || imms == 31) && (op == SBFM || size == 4):
		sign := map[Op]string{UBFM: "U", SBFM: "S"}[op]
		return fmt.Sprintf("%sXT%c %s, %s", sign, map[uint64]byte{7: 'B', 15: 'H', 31: 'W'}[imms], name(d, size), name(n, 4))
	}
	return fmt.Sprintf("%sFX %s, #%d, #%d", prefix, regs, immr, imms-immr+1)
}

// The address of a page is as far away as it was said to be.
func TestPage(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 3))
	for range 400 {
		pages := int64(r.Uint64()) >> 43
		text := fmt.Sprintf("ADRP X7, .+%#x", uint64(pages)<<12)
		check(t, text, func(a *Assembler) { a.Page(7, pages) })
	}
}

// What is no mask is refused: all numbers of 16 bits, repeated, are tried against a list of masks made otherwise.
func TestMasks(t *testing.T) {
	is := map[uint64]bool{}
	for width := 2; width <= 64; width *= 2 {
		for ones := 1; ones < width; ones++ {
			for turn := range width {
				v := uint64(1)<<ones - 1
				v = (v<<turn | v>>(width-turn)) & (^uint64(0) >> (64 - width))
				for n := width; n < 64; n *= 2 {
					v |= v << n
				}
				is[v] = true
			}
		}
	}
	if len(is) != 5334 { // as the encoding has them
		t.Errorf("%d masks", len(is))
	}
	for v := range is {
		if !FitsBitmask(8, v) {
			t.Errorf("%#x is a mask", v)
		}
	}
	for low := range uint64(1 << 16) {
		for _, v := range []uint64{low, low | low<<16 | low<<32 | low<<48, ^low, low << 40} {
			if FitsBitmask(8, v) != is[v] {
				t.Fatalf("%#x: %v", v, is[v])
			}
		}
	}
}

// A constant is what the moves that make it come to.
func TestMovImm(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 2))
	for i := range 20_000 {
		v := r.Uint64() >> r.IntN(64)
		switch i % 4 {
		case 1:
			v = ^v
		case 2:
			v &= uint64(0xFFFF) << (16 * r.IntN(4)) * 0x1_0001
		case 3:
			v |= uint64(0xFFFF) << (16 * r.IntN(4))
		}
		var a Assembler
		a.MovImm(3, v)
		var got uint64
		for b := a.Bytes; len(b) > 0; b = b[4:] {
			switch w := binary.LittleEndian.Uint32(b); w & 0x7F800000 {
			case 0x52800000:
				got = uint64(w>>5&0xFFFF) << (w >> 21 & 3 * 16)
			case 0x12800000:
				got = ^(uint64(w>>5&0xFFFF) << (w >> 21 & 3 * 16))
			case 0x72800000:
				got = got&^(0xFFFF<<(w>>21&3*16)) | uint64(w>>5&0xFFFF)<<(w>>21&3*16)
			case 0x32000000:
				inst, err := arm64asm.Decode(b)
				text := inst.String() // by either of its names
				if _, scanErr := fmt.Sscanf(text[strings.Index(text, "#")+1:], "%v", &got); err != nil || scanErr != nil || !strings.Contains(text, "X3, ") {
					t.Fatalf("%#x: %v: %v, %v", v, inst, err, scanErr)
				}
			}
		}
		if got != v || len(a.Bytes) > 16 {
			t.Fatalf("%#x became %#x by % x", v, got, a.Bytes)
		}
	}
}

// Jumps go to their labels, backward and forward; what has been taken back leaves no trace, and what is out of reach is said.
func TestLabels(t *testing.T) {
	var a Assembler
	top, out := a.Label(), a.Label()
	a.Bind(top)
	a.Bcc(NE, out)
	n := len(a.Bytes)
	a.B(a.Label())
	a.Truncate(n)
	a.B(top)
	a.CBZ(8, 1, out)
	a.CBNZ(4, 1, top)
	a.TBZ(2, 3, top)
	a.TBNZ(2, 63, out)
	a.BR(17)
	a.Ret()
	a.ReadFlags(4)
	a.WriteFlags(4)
	a.Bind(out)
	if err := a.Finish(); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"B NE, .+0x28", "B .-0x4", "CBZ X1, .+0x20", "CBNZ W1, .-0xc", "TBZ W2, #3, .-0x10", "TBNZ X2, #63, .+0x14",
		"BR X17", "RET X30", "MRS X4, S3_3_C4_C2_0", "MSR S3_3_C4_C2_0, X4",
	}
	for i, text := range want {
		inst, err := arm64asm.Decode(a.Bytes[4*i:])
		got := inst.String()
		if strings.Contains(got, "+0xffffffff") { // how it writes a jump backward
			var d uint64
			at := strings.Index(got, "0x")
			_, _ = fmt.Sscanf(got[at:], "%v", &d)
			got = fmt.Sprintf("%s-%#x", got[:at-1], -d)
		}
		if err != nil || got != text {
			t.Errorf("instruction %d is %s, %v; want %s", i, got, err, text)
		}
	}
	a.Reset()
	far := a.Label()
	a.TBZ(1, 1, far)
	a.Bytes = append(a.Bytes, make([]byte, 1<<15)...)
	a.Bind(far)
	if err := a.Finish(); err == nil {
		t.Error("a jump to where it does not reach was assembled")
	}
}
