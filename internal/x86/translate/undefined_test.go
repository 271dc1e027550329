package translate

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// No flag that the host leaves undefined gets to the guest. Processors fill such flags differently, so that running code
// on one of them proves nothing. Here code is read instead: which bits of what it computes depend on an undefined flag is
// followed along all its ways, and nothing that stays may depend on one.

// The host's flags, a bit each.
const (
	hostCF = 1 << iota
	hostPF
	hostAF
	hostZF
	hostSF
	hostOF
	hostAll = 1<<iota - 1
)

// An effect is what an instruction does to the host's flags. What it neither defines nor leaves undefined stays.
type effect struct{ reads, defines, undefined uint8 }

// effects are after the instructions' descriptions in SDM vol. 2 and APM vol. 3: undefined is what either leaves so.
// Shifts are apart.
var effects = map[x86asm.Op]effect{
	x86asm.ADD: {0, hostAll, 0}, x86asm.SUB: {0, hostAll, 0}, x86asm.CMP: {0, hostAll, 0}, x86asm.NEG: {0, hostAll, 0},
	x86asm.ADC: {hostCF, hostAll, 0}, x86asm.SBB: {hostCF, hostAll, 0},
	x86asm.INC: {0, hostAll &^ hostCF, 0}, x86asm.DEC: {0, hostAll &^ hostCF, 0},
	x86asm.AND: {0, hostAll &^ hostAF, hostAF}, x86asm.OR: {0, hostAll &^ hostAF, hostAF},
	x86asm.XOR: {0, hostAll &^ hostAF, hostAF}, x86asm.TEST: {0, hostAll &^ hostAF, hostAF},
	x86asm.MUL: {0, hostCF | hostOF, hostAll &^ (hostCF | hostOF)}, x86asm.IMUL: {0, hostCF | hostOF, hostAll &^ (hostCF | hostOF)},
	x86asm.DIV: {0, 0, hostAll}, x86asm.IDIV: {0, 0, hostAll},
	x86asm.BT: {0, hostCF, hostAll &^ hostCF}, x86asm.BTS: {0, hostCF, hostAll &^ hostCF},
	x86asm.BTR: {0, hostCF, hostAll &^ hostCF}, x86asm.BTC: {0, hostCF, hostAll &^ hostCF},
	x86asm.BSF: {0, hostZF, hostAll &^ hostZF}, x86asm.BSR: {0, hostZF, hostAll &^ hostZF},
	x86asm.TZCNT: {0, hostCF | hostZF, hostAll &^ (hostCF | hostZF)}, x86asm.LZCNT: {0, hostCF | hostZF, hostAll &^ (hostCF | hostZF)},
	x86asm.POPCNT: {0, hostAll, 0},
}

// vexEffect is that of the instructions of BMI1 and BMI2 that have any: BEXTR has the fewest.
var vexEffect = effect{0, hostCF | hostOF | hostZF, hostSF | hostPF | hostAF}

// conditionReads says which flags a condition looks at.
var conditionReads = [8]uint8{hostOF, hostCF, hostZF, hostCF | hostZF, hostSF, hostPF, hostSF | hostOF, hostZF | hostSF | hostOF}

var conditionNames = [16]string{"O", "NO", "B", "AE", "E", "NE", "BE", "A", "S", "NS", "P", "NP", "L", "GE", "LE", "G"}

// condition splits the name of a conditional instruction.
func conditionOf(op x86asm.Op, prefix string) (reads uint8, ok bool) {
	name, ok := strings.CutPrefix(op.String(), prefix)
	for c, n := range conditionNames {
		if ok && name == n {
			return conditionReads[c/2], true
		}
	}
	return 0, false
}

// A doubt is what depends on an undefined flag, at one place of the code: host's flags, bits of registers, and of the
// flags while they are in memory.
type doubt struct {
	host  uint8
	reg   [16]uint64
	saved uint64
}

func (d doubt) with(o doubt) doubt {
	d.host |= o.host
	d.saved |= o.saved
	for i := range d.reg {
		d.reg[i] |= o.reg[i]
	}
	return d
}

// register returns a register's number, its size in bytes, and where it begins in its whole register.
func register(r x86asm.Reg) (n, size int, shift uint, ok bool) {
	switch {
	case r >= x86asm.AH && r <= x86asm.BH:
		return int(r - x86asm.AH), 1, 8, true
	case r >= x86asm.AL && r <= x86asm.BL:
		return int(r - x86asm.AL), 1, 0, true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + 4, 1, 0, true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return int(r - x86asm.AX), 2, 0, true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return int(r - x86asm.EAX), 4, 0, true
	case r >= x86asm.RAX && r <= x86asm.R15:
		return int(r - x86asm.RAX), 8, 0, true
	}
	return 0, 0, 0, false
}

func ones(size int) uint64 { return ^uint64(0) >> (64 - 8*size) }

func isSaved(m x86asm.Mem) bool { return m.Base == x86asm.R15 && m.Disp == int64(testLayout.Flags) }

// of returns what of an operand is in doubt.
func (d *doubt) of(a x86asm.Arg) uint64 {
	switch a := a.(type) {
	case x86asm.Reg:
		if n, size, shift, ok := register(a); ok {
			return d.reg[n] >> shift & ones(size)
		}
	case x86asm.Mem:
		if isSaved(a) {
			return d.saved
		}
	}
	return 0
}

// set makes v of an operand be in doubt. What is in doubt may be kept where the flags are, and nowhere else in memory.
func (d *doubt) set(a x86asm.Arg, v uint64) error {
	switch a := a.(type) {
	case x86asm.Reg:
		if n, size, shift, ok := register(a); ok {
			if size < 4 {
				v = d.reg[n]&^(ones(size)<<shift) | v&ones(size)<<shift
			}
			d.reg[n] = v
		}
	case x86asm.Mem:
		switch {
		case isSaved(a):
			d.saved = v
		case v != 0:
			return fmt.Errorf("stores %#x to %v", v, a)
		}
	}
	return nil
}

// step follows one instruction.
func (d *doubt) step(i *x86asm.Inst) error {
	a, b := i.Args[0], i.Args[1]
	imm, constant := b.(x86asm.Imm)
	size := i.MemBytes
	if r, ok := a.(x86asm.Reg); ok {
		if _, n, _, ok := register(r); ok {
			size = n
		}
	}
	known := effects[i.Op]
	if d.host&known.reads != 0 {
		return fmt.Errorf("reads flags %#x, which are undefined", d.host&known.reads)
	}
	operands := d.of(a) | d.of(b) // what the flags come of
	var err error
	switch i.Op {
	case x86asm.LAHF:
		v := uint64(0)
		for flag, bit := range map[uint8]uint64{hostCF: axCF, hostPF: axPF, hostAF: axAF, hostZF: axZF, hostSF: axSF} {
			if d.host&flag != 0 {
				v |= bit
			}
		}
		d.reg[0] = d.reg[0]&^0xFF00 | v
		return nil
	case x86asm.SAHF:
		d.host &= hostOF
		for flag, bit := range map[uint8]uint64{hostCF: axCF, hostPF: axPF, hostAF: axAF, hostZF: axZF, hostSF: axSF} {
			if d.reg[0]&bit != 0 {
				d.host |= flag
			}
		}
		return nil
	case x86asm.MOV, x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD, x86asm.MOVD, x86asm.MOVQ:
		v := d.of(b)
		if i.Op != x86asm.MOV && i.Op != x86asm.MOVZX && v != 0 {
			v = ^uint64(0)
		}
		return d.set(a, v)
	case x86asm.AND:
		v := operands
		if constant {
			v &= uint64(imm) & ones(size)
		}
		err, operands = d.set(a, v), v
	case x86asm.OR, x86asm.XOR:
		err = d.set(a, operands)
	case x86asm.TEST:
		if constant {
			operands &= uint64(imm)
		}
	case x86asm.CMP:
	case x86asm.BT, x86asm.BTS, x86asm.BTR, x86asm.BTC:
		if bit := uint64(1) << (uint64(imm) & 63); constant {
			if i.Op == x86asm.BTS || i.Op == x86asm.BTR {
				err = d.set(a, d.of(a)&^bit)
			}
			operands &= bit
		}
	case x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.ROL, x86asm.ROR, x86asm.RCL, x86asm.RCR, x86asm.SHLD, x86asm.SHRD:
		return d.shift(i, size)
	case x86asm.JMP, x86asm.RET, x86asm.NOP, x86asm.MOVSB, x86asm.MOVSW, x86asm.MOVSD, x86asm.MOVSQ, x86asm.STOSB, x86asm.STOSW, x86asm.STOSD, x86asm.STOSQ:
		return nil
	default:
		if reads, ok := conditionOf(i.Op, "SET"); ok {
			v := uint64(0)
			if d.host&reads != 0 {
				v = 0xFF
			}
			return d.set(a, v)
		}
		reads, moves := conditionOf(i.Op, "CMOV")
		if !moves {
			reads, _ = conditionOf(i.Op, "J")
		}
		if d.host&reads != 0 {
			return fmt.Errorf("depends on flags %#x, which are undefined", d.host&reads)
		}
		replaces := i.Op == x86asm.LEA || i.Op == x86asm.POPCNT || i.Op == x86asm.TZCNT || i.Args[2] != nil // and does not read
		if replaces {
			operands = d.of(b)
		}
		if m, ok := b.(x86asm.Mem); ok {
			operands |= d.of(m.Base) | d.of(m.Index)
		}
		if operands != 0 {
			operands = ^uint64(0)
		}
		if operands != 0 || replaces {
			err = d.set(a, operands)
		}
	}
	d.host = d.host&^known.defines | known.undefined
	if operands != 0 {
		d.host |= known.defines
	}
	return err
}

// shift follows shifts and rotates. A count of 0 changes no flag; for others than 1 OF is undefined.
func (d *doubt) shift(i *x86asm.Inst, size int) error {
	count, last := uint64(1), i.Args[1]
	double := i.Op == x86asm.SHLD || i.Op == x86asm.SHRD
	rotate := i.Op == x86asm.ROL || i.Op == x86asm.ROR || i.Op == x86asm.RCL || i.Op == x86asm.RCR
	if double {
		last = i.Args[2]
	}
	imm, constant := last.(x86asm.Imm)
	if constant {
		count = uint64(imm) & 31
		if size == 8 {
			count = uint64(imm) & 63
		}
	} else if last != nil && d.of(last) != 0 {
		return fmt.Errorf("shifts by what is in doubt")
	}
	if (i.Op == x86asm.RCL || i.Op == x86asm.RCR) && d.host&hostCF != 0 {
		return fmt.Errorf("rotates CF, which is undefined")
	}
	v := d.of(i.Args[0])
	switch {
	case v == 0:
	case constant && i.Op == x86asm.SHL:
		v = v << count & ones(size)
	case constant && i.Op == x86asm.SHR:
		v >>= count
	default:
		v = ^uint64(0)
	}
	defines, undefined := uint8(hostAll&^hostAF), uint8(hostAF)
	if rotate {
		defines, undefined = hostCF|hostOF, 0
	}
	if !constant || count > 1 {
		defines, undefined = defines&^hostOF, undefined|hostOF
	}
	if count >= uint64(8*size) && !rotate || !constant && size < 4 {
		defines, undefined = defines&^hostCF, undefined|hostCF
	}
	switch {
	case constant && count == 0:
		defines, undefined = 0, 0
	case !constant: // or it is 0, and they stay
		defines = 0
	}
	if d.of(i.Args[0]) != 0 {
		undefined |= hostAll &^ undefined & (hostCF | hostOF | hostZF | hostSF | hostPF)
	}
	d.host = d.host&^defines | undefined
	return d.set(i.Args[0], v)
}

// doubts follows code along all its ways, from each place where it can be entered: Go's flags are in the host's then.
func doubts(c *hostcode.Code) error {
	const guest = axCF | axPF | axAF | axZF | axSF | axOF
	at := map[int]doubt{}
	var work []int
	reach := func(to int, d doubt) {
		old, seen := at[to]
		if merged := old.with(d); !seen || merged != old {
			at[to] = merged
			work = append(work, to)
		}
	}
	reach(0, doubt{host: hostAll})
	for _, offset := range c.Resume {
		if offset != 0 {
			reach(offset, doubt{host: hostAll})
		}
	}
	for len(work) > 0 {
		from := work[len(work)-1]
		work = work[:len(work)-1]
		d := at[from]
		if n, e, ok := unlisted(c.Bytes[from:]); ok {
			if d.host&e.reads != 0 {
				return fmt.Errorf("at %#x: % x adds a flag that is undefined", from, c.Bytes[from:from+n])
			}
			d.host = d.host&^e.defines | e.undefined
			reach(from+n, d)
			continue
		}
		i, err := x86asm.Decode(c.Bytes[from:], 64)
		if err != nil {
			return err
		}
		if err := d.step(&i); err != nil {
			return fmt.Errorf("at %#x: %v: %w", from, i, err)
		}
		for r, v := range d.reg {
			if v != 0 && r != 0 && r != 13 && r != 14 { // AX, and what is free
				return fmt.Errorf("at %#x: %v: register %d of the guest's depends on an undefined flag", from, i, r)
			}
		}
		rel, direct := i.Args[0].(x86asm.Rel)
		to := from + i.Len + int(rel)
		if direct && to == 0 || i.Op == x86asm.RET || i.Op == x86asm.JMP && !direct {
			if v := d.reg[0] & guest; v != 0 {
				return fmt.Errorf("at %#x: %v: leaves with flags %#x in doubt", from, i, v)
			}
		}
		if direct {
			reach(to, d)
		}
		if i.Op != x86asm.RET && i.Op != x86asm.JMP {
			reach(from+i.Len, d)
		}
	}
	return nil
}

// unlisted returns the length and the effect of an instruction that the disassembler does not know: those with a VEX
// prefix of three bytes, ADCX and ADOX. None has an operand that can be in doubt.
func unlisted(b []byte) (n int, e effect, ok bool) {
	adx := b[:min(len(b), 6)]
	switch {
	case b[0] == 0xC4:
		pp, op := b[2]&3, b[3]
		n = 4 + operandLength(b[4:])
		if b[1]&31 == 3 { // RORX
			return n + 1, effect{}, true
		}
		if op == 0xF2 || op == 0xF3 || (op == 0xF5 || op == 0xF7) && pp == 0 {
			e = vexEffect
		}
		return n, e, true
	case len(adx) == 6 && (b[0] == 0x66 || b[0] == 0xF3) && b[1]&0xF0 == 0x40 && b[2] == 0x0F && b[3] == 0x38 && b[4] == 0xF6:
		flag := map[byte]uint8{0x66: hostCF, 0xF3: hostOF}[b[0]]
		return 5 + operandLength(b[5:]), effect{reads: flag, defines: flag}, true
	}
	return 0, effect{}, false
}

// operandLength returns how many bytes ModRM, SIB and displacement have.
func operandLength(b []byte) int {
	n := 1
	if b[0]>>6 != 3 && b[0]&7 == 4 {
		n++
	}
	switch {
	case b[0]>>6 == 1:
		n++
	case b[0]>>6 == 2 || b[0]>>6 == 0 && b[0]&7 == 5:
		n += 4
	}
	return n
}

// An instruction of each kind that translation knows, before one that looks at flags in each way, with one between them
// that leaves some alone.
func TestUndefinedFlags(t *testing.T) {
	seed := uint64(1)
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 3))
	slots := []uint8{uop.RAX, uop.RCX, uop.RDX, uop.RBX, uop.RDI, uop.R9, uop.R12, uop.Tmp0, uop.Tmp1, uop.Zero}
	auxes := []uint32{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 15, 0x104, 0x108, 0x204, 0x304, 0x308, 0x404, 0x400, 0x801, 0x803, 0x808, 0xF5, 0xF9}
	random := func(op uop.Op) uop.Uop {
		pick := func() uint8 { return slots[r.IntN(len(slots))] }
		u := uop.Uop{Op: op, Dst: pick() % uop.Zero, Src: pick(), Base: pick(), Index: uop.Zero, Seg: uop.Zero, Scale: []uint8{0, 4, 8}[r.IntN(3)], Len: 3, Aux: auxes[r.IntN(len(auxes))]}
		if op == uop.Shift32 || op == uop.Shift64 || op == uop.ShiftDouble {
			u.Src = []uint8{uop.RCX, uop.Zero}[r.IntN(2)]
		}
		if u.Src == uop.Zero || op >= uop.Shl32 && op <= uop.Rol64 {
			u.Imm = int64([]int{1, 2, 31, 5}[r.IntN(4)])
		}
		return u
	}
	var readers []uop.Op
	for op := uop.Jo; op <= uop.Jg; op++ {
		readers = append(readers, op)
	}
	readers = append(readers, uop.Set, uop.Cmov32, uop.Cmov64, uop.Adc32, uop.Sbb64, uop.ALU8, uop.Inc64, uop.Dec32, uop.Adcx64, uop.Adox64, uop.Bit, uop.BitScan,
		uop.Rol32, uop.Shift64, uop.FlagBit, uop.Pushf, uop.Load64, uop.Store32, uop.Cpuid, uop.Lahf, uop.Ret, uop.End, uop.Add64, uop.Test32, uop.String)
	hosts := []Host{{}, {POPCNT: true, BMI1: true}, {ADX: true, POPCNT: true, BMI1: true, BMI2: true, SSSE3: true, SSE41: true}}
	checked := 0
	for first := uop.Op(0); first < uop.FirstX87; first++ {
		for _, reader := range readers {
			for range 4 {
				uops := []uop.Uop{random(first)}
				if r.IntN(2) == 0 {
					uops = append(uops, random([]uop.Op{uop.Mov64, uop.Inc32, uop.Bit, uop.Rol64, uop.BitScan, uop.Shift32, uop.BMI, uop.Load32, uop.Lea64}[r.IntN(9)]))
				}
				uops = append(uops, random(reader), random(uop.Set), end)
				for k := range uops {
					uops[k].Ord = uint8(k)
				}
				g := New(testLayout, hosts[r.IntN(len(hosts))])
				c := g.Translate(&hostcode.Block{Uops: uops, Instructions: len(uops), Links: 2}, hostcode.Place{Code: 0x10000, Links: 0x4000})
				if err := doubts(&c); err != nil {
					t.Fatalf("%+v on %+v: %v", uops, g.host, err)
				}
				checked++
			}
		}
	}
	t.Logf("%d blocks", checked)
}
