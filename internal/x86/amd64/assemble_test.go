package amd64

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"
)

// The assembler's output is read by another project's disassembler, and what it reads is compared as text with what was
// to be assembled.

// A written is an instruction: how it is assembled, and how it reads.
type written struct {
	assemble func(a *Assembler)
	text     string
	imm      int // bytes of the immediate, which the disassembler sometimes extends and sometimes does not
}

func (w written) check(t *testing.T) {
	t.Helper()
	var a Assembler
	w.assemble(&a)
	inst, err := x86asm.Decode(a.Bytes, 64)
	if err != nil {
		t.Errorf("%s: % x: %v", w.text, a.Bytes, err)
		return
	}
	if got := read(inst, w.imm); got != w.text || inst.Len != len(a.Bytes) {
		t.Errorf("%s: % x: %d of %d bytes are %s", w.text, a.Bytes, inst.Len, len(a.Bytes), got)
	}
}

// read renders an instruction: the mnemonic, the width of what it accesses in memory, its operands.
func read(i x86asm.Inst, immBytes int) string {
	var s []string
	for _, arg := range i.Args {
		switch arg := arg.(type) {
		case nil:
		case x86asm.Mem:
			if arg.Index == 0 {
				arg.Scale = 0
			}
			m := fmt.Sprintf("[%v+%v*%d%+d]", arg.Base, arg.Index, arg.Scale, int32(arg.Disp))
			if i.Op != x86asm.LEA {
				m = fmt.Sprint(i.MemBytes, m)
			}
			s = append(s, m)
		case x86asm.Rel:
			s = append(s, fmt.Sprintf(".%+d", arg))
		case x86asm.Imm:
			s = append(s, low(int64(arg), immBytes))
		default:
			s = append(s, fmt.Sprint(arg))
		}
	}
	return strings.TrimSpace(i.Op.String() + " " + strings.Join(s, ", "))
}

// low renders the lowest n bytes of an immediate.
func low(v int64, n int) string { return fmt.Sprintf("%#x", uint64(v)<<(64-8*n)>>(64-8*n)) }

// gpr names a register of n bytes.
func gpr(r Reg, n int) string {
	bytes := [...]string{"AL", "CL", "DL", "BL", "SPB", "BPB", "SIB", "DIB"} // as the disassembler has them
	names := [...]string{"AX", "CX", "DX", "BX", "SP", "BP", "SI", "DI"}
	if r < R8 {
		return map[int]string{1: bytes[r], 2: names[r], 4: "E" + names[r], 8: "R" + names[r]}[n]
	}
	return fmt.Sprintf("R%d%s", r, map[int]string{1: "B", 2: "W", 4: "L", 8: ""}[n])
}

func xmm(r Reg) string { return fmt.Sprintf("X%d", r) }

// render is an operand as read has it. whole names it if it is a register, n is its width in memory.
func (o Operand) render(whole func(Reg) string, n int, isLEA bool) string {
	if !o.memory {
		return whole(o.base)
	}
	base, index, scale := "Reg(0)", "Reg(0)", 0
	if o.base != none {
		base = gpr(o.base, 8)
	}
	if o.index != none {
		index, scale = gpr(o.index, 8), 1<<o.scale
	}
	m := fmt.Sprintf("[%s+%s*%d%+d]", base, index, scale, o.disp)
	if isLEA {
		return m
	}
	return fmt.Sprint(n, m)
}

// one makes an instruction of a row.
func one(op Op, size int, reg Reg, o Operand, imm int32) written {
	e := &encodings[op]
	n := size
	if e.narrow != 0 {
		n = int(e.narrow)
	}
	reads := func(r Reg) string { return gpr(r, n) }
	name, first := e.name, gpr(reg, size)
	switch e.form {
	case xmmRM, rmXMM, xmmDigit:
		reads, first = xmm, xmm(reg)
		if n = 16; e.name == "MOVQ" {
			n = 8
		}
	case xmmGPR, rmGPX:
		first = xmm(reg)
		if size == 8 {
			name = "MOVQ"
		}
	}
	second := o.render(reads, n, op == LEA)
	var args []string
	switch e.form {
	case regRM, xmmRM, xmmGPR:
		args = []string{first, second}
	case rmReg, rmXMM, rmGPX:
		args = []string{second, first}
	case rm, xmmDigit:
		args = []string{second}
	}
	w := written{}
	switch {
	case e.imm == immCL:
		args = append(args, "CL")
	case e.imm == immOne:
		args, w.imm = append(args, "0x1"), 1
	case e.imm == imm8:
		args, w.imm = append(args, low(int64(imm), 1)), 1
	case e.imm == immOp:
		w.imm = min(size, 4)
		args = append(args, low(int64(imm), w.imm))
	}
	w.text = name + " " + strings.Join(args, ", ")
	w.assemble = func(a *Assembler) {
		switch {
		case e.alone() && (e.imm == imm8 || e.imm == immOp):
			a.Imm(op, size, o, imm)
		case e.alone():
			a.RM(op, size, o)
		case e.imm == imm8 || e.imm == immOp:
			a.RegRMImm(op, size, reg, o, imm)
		default:
			a.RegRM(op, size, reg, o)
		}
	}
	return w
}

// operands are all shapes of an operand: registers, and memory by base, index and displacement.
func operands() (all []Operand) {
	for r := RAX; r <= R15; r++ {
		all = append(all, R(r))
	}
	for _, d := range []int32{0, 1, -128, 127, 128, -129, 1 << 30, -1 << 31} {
		for b := RAX; b <= R15; b++ {
			all = append(all, At(b, d), Indexed(b, (b+5)&15, uint8(b&3), d))
			if b != RSP {
				all = append(all, Scaled(b, uint8(b>>1&3), d), Indexed((b+3)&15, b, 0, d))
			}
		}
	}
	for i, o := range all {
		if o.memory && o.index == RSP {
			all[i].index = RBP
		}
	}
	return all
}

// untold are instructions that the disassembler does not know, newer than it is. Our own decoder reads them
// ([TestNewInstructions]).
var untold = map[Op]bool{
	ADCX: true, ADOX: true,
	SHA1NEXTE: true, SHA1MSG1: true, SHA1MSG2: true, SHA256RNDS2: true, SHA256MSG1: true, SHA256MSG2: true, SHA1RNDS4: true,
}

func TestEveryForm(t *testing.T) {
	for op := range encodings {
		op, e := Op(op), &encodings[op]
		if e.name == "" {
			t.Errorf("row %d is empty", op)
		}
		if untold[op] {
			continue
		}
		for _, size := range []int{1, 2, 4, 8} {
			if e.sizes != 0 && int(e.sizes)&size == 0 || e.sizes == 0 && size != 8 {
				continue
			}
			for i, o := range operands() {
				if op == LEA && !o.memory || e.form == xmmDigit && o.memory {
					continue
				}
				imm := []int32{0, 1, -1, 127, -128, 128, 0x1234, -0x12345678}[i%8]
				if e.alone() {
					one(op, size, none, o, imm).check(t)
					continue
				}
				one(op, size, Reg(i%16), o, imm).check(t)
				one(op, size, Reg(i/16%16), o, imm).check(t)
			}
			if t.Failed() {
				break
			}
		}
	}
}

func FuzzInstruction(f *testing.F) {
	for i := range uint64(64) {
		f.Add(i)
	}
	all := operands()
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 3))
		op := Op(r.IntN(len(encodings)))
		e := &encodings[op]
		o := all[r.IntN(len(all))]
		o.disp = int32(r.Uint32())
		if !o.memory {
			o.disp = 0
		}
		size := 1 << r.IntN(4)
		if e.sizes == 0 {
			size = 8
		}
		if untold[op] || e.sizes != 0 && int(e.sizes)&size == 0 || op == LEA && !o.memory || e.form == xmmDigit && o.memory {
			return
		}
		reg := none
		if !e.alone() {
			reg = Reg(r.IntN(16))
		}
		one(op, size, reg, o, int32(r.Uint32())).check(t)
	})
}

func TestFixedForms(t *testing.T) {
	conditions := [...]string{"O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"}
	for r := RAX; r <= R15; r++ {
		for _, v := range []uint64{0, 1, 1<<31 - 1, 1 << 31, 1<<32 - 1, 1 << 32, 1<<64 - 1, 1<<64 - 1<<31, 1<<64 - 1<<31 - 1} {
			n := 8
			if v == uint64(uint32(v)) {
				n = 4
			}
			var a Assembler
			a.MovImm(r, v)
			inst, err := x86asm.Decode(a.Bytes, 64)
			imm, ok := inst.Args[1].(x86asm.Imm)
			if err != nil || inst.Op != x86asm.MOV || fmt.Sprint(inst.Args[0]) != gpr(r, n) || !ok || n == 8 && uint64(imm) != v || n == 4 && uint32(imm) != uint32(v) || inst.Len != len(a.Bytes) {
				t.Errorf("%#x to %v: % x: %v, %v", v, r, a.Bytes, inst, err)
			}
		}
		for _, n := range []int{4, 8} {
			written{assemble: func(a *Assembler) { a.Bswap(n, r) }, text: "BSWAP " + gpr(r, n)}.check(t)
		}
		for c, name := range conditions {
			written{assemble: func(a *Assembler) { a.Set(Condition(c), R(r)) }, text: "SET" + name + " " + gpr(r, 1)}.check(t)
			o := At(r, 300)
			written{assemble: func(a *Assembler) { a.Set(Condition(c), o) }, text: "SET" + name + " " + o.render(nil, 1, false)}.check(t)
			for _, n := range []int{4, 8} {
				whole := func(r Reg) string { return gpr(r, n) }
				for _, o := range []Operand{R(15 - r), o} {
					written{assemble: func(a *Assembler) { a.Cmov(Condition(c), n, r, o) }, text: "CMOV" + name + " " + gpr(r, n) + ", " + o.render(whole, n, false)}.check(t)
				}
			}
		}
	}
	written{assemble: (*Assembler).Lahf, text: "LAHF"}.check(t)
	written{assemble: (*Assembler).Sahf, text: "SAHF"}.check(t)
	written{assemble: (*Assembler).Ret, text: "RET"}.check(t)
	for op, name := range map[StringOp]string{MOVS: "MOVS", CMPS: "CMPS", STOS: "STOS", LODS: "LODS", SCAS: "SCAS"} {
		for n, suffix := range map[int]string{1: "B", 2: "W", 4: "D", 8: "Q"} {
			for _, repeat := range []Repeat{Once, REPNE, REPE} {
				var a Assembler
				a.String(op, n, repeat)
				inst, err := x86asm.Decode(a.Bytes, 64)
				read := Once
				for _, p := range inst.Prefix {
					if p := Repeat(p); p == REPNE || p == REPE {
						read = p
					}
				}
				if err != nil || inst.Op.String() != name+suffix || inst.Len != len(a.Bytes) || read != repeat {
					t.Errorf("%s%s with prefix %#x: % x: %v, %v", name, suffix, repeat, a.Bytes, inst, err)
				}
			}
		}
	}
}

// Jumps go to their labels, backward and forward, and what has been taken back leaves no trace.
func TestLabels(t *testing.T) {
	var a Assembler
	a.Reset(0x1000)
	top, out := a.Label(), a.Label()
	a.Bind(top)
	a.Jcc(LE, out) // 0 to 6
	n := len(a.Bytes)
	a.Jmp(a.Label())
	a.Truncate(n)
	a.Jmp(top) // 6 to 11
	a.Bind(out)
	a.Imm(MOVimm, 4, Relative(0x2000), 7) // 11 to 21
	a.Finish()
	want := []string{"JLE .+5", "JMP .-11", "MOV 4[RIP+Reg(0)*0+4075], 0x7"}
	for b := a.Bytes; len(b) > 0; want = want[1:] {
		inst, err := x86asm.Decode(b, 64)
		if err != nil || len(want) == 0 || read(inst, 4) != want[0] {
			t.Fatalf("% x: %s, %v; want %q", b, read(inst, 4), err, want)
		}
		b = b[inst.Len:]
	}
	a.Reset(0)
	a.Jmp(a.Label())
	defer func() {
		if recover() == nil {
			t.Error("a jump to nowhere was assembled")
		}
	}()
	a.Finish()
}
