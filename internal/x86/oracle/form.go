package oracle

import (
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// A form is one instruction with one kind of operands and one operand size: a row of the tables in forms_*.go, its
// wildcards filled in.
type form struct {
	name     string // as the manual writes it: "ADD r/m32, r32"
	mnemonic string

	// The encoding.
	mandatory uint8 // 66, F2 or F3 before the opcode, 0 for none
	data16    bool  // 66 as operand-size prefix
	rexW      bool
	vex       bool
	vexMap    uint8 // 1 for 0F, 2 for 0F38, 3 for 0F3A
	opcode    []byte
	modrm     bool
	digit     int // of the ModRM reg field; -1 where it is a register
	immediate []int
	relative  int // bytes of a branch's displacement
	moffs     bool
	plus      bool // the opcode's low three bits are a register number

	// The operands.
	reg    class // ModRM.reg
	rm     class // ModRM.rm where it is a register; none where it must be memory
	vvvv   class
	opReg  class // in the opcode's low three bits
	memory int   // bytes of the memory operand; 0 for none
	noRead bool  // the memory operand is an address only (LEA, NOP)

	size    int // operand size in bits where the row has a wildcard, else 0
	lock    bool
	single  bool   // not part of a sequence
	faults  bool   // it always does
	feature string // what CPUID must announce, "" for what every x86-64 has
}

// A class is a set of registers: a file and a width in bits.
type class struct {
	file byte // 'g' general, 'x' XMM, 'm' MMX; 0 for none
	bits int
}

// parseForms reads rows "instruction ; encoding ; options" in the manual's notation (SDM vol. 2, 3.1.1), with these
// shorthands:
//
//	rv r/mv mv immv   16, 32 and 64 bits; immz is 16, 32 and 32
//	ry r/my my        32 and 64 bits
//	rk r/mk           stack operands: 64 bits without REX.W, and 16
//	vy                the register in VEX.vvvv
//	nn nn/m           mm, mm/m64 without prefix, and xmm, xmm/m128 with 66
//	MNEMONIC?? m??    PS m128 without prefix, PD m128 with 66, SS m32 with F3, SD m64 with F2
func parseForms(rows string) (forms []*form) {
	for _, row := range strings.Split(rows, "\n") {
		if row = strings.TrimSpace(row); row == "" || strings.HasPrefix(row, "#") {
			continue
		}
		for _, r := range expand(row) {
			f, err := parseForm(r)
			if err != nil {
				panic(fmt.Sprintf("instruction table: %q: %v", row, err))
			}
			forms = append(forms, f)
		}
	}
	return forms
}

// expand fills in the wildcards of a row.
func expand(row string) []string {
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(row, w) {
				return true
			}
		}
		return false
	}
	var out []string
	width := func(letter string, sizes ...string) {
		for _, size := range sizes {
			name := strings.TrimSuffix(size, "!")
			z := min(atoi(name), 32)
			r := strings.NewReplacer(" r"+letter, " r"+name, "r/m"+letter, "r/m"+name, " m"+letter, " m"+name, " v"+letter, " v"+name,
				"imm"+letter, "imm"+name, "immz", fmt.Sprint("imm", z), "rAX", map[string]string{"16": "AX", "32": "EAX", "64": "RAX"}[name]).Replace(row)
			prefix := map[string]string{"16": "o16 ", "64": "REX.W ", "64!": "", "32": ""}[size]
			r = strings.Replace(r, ";", "; w"+name+" "+prefix, 1)
			out = append(out, r)
		}
	}
	switch {
	case has(" rv", "r/mv", " mv", " immv", "rAX"):
		width("v", "16", "32", "64")
	case has(" ry", "r/my", " my"):
		width("y", "32", "64")
	case has(" rk", "r/mk"):
		width("k", "16", "64!")
	case has("nn"):
		out = append(out,
			strings.Replace(strings.NewReplacer("nn/m", "mm/m64", "nn", "mm").Replace(row), ";", "; NP", 1),
			strings.Replace(strings.NewReplacer("nn/m", "xmm/m128", "nn", "xmm").Replace(row), ";", "; 66", 1))
	case has("??"):
		for _, s := range [][3]string{{"PS", "m128", "NP"}, {"PD", "m128", "66"}, {"SS", "m32", "F3"}, {"SD", "m64", "F2"}} {
			r := strings.Replace(row, "m??", s[1], 1)
			r = strings.Replace(r, "??", s[0], 1)
			out = append(out, strings.Replace(r, ";", "; "+s[2], 1))
		}
	default:
		return []string{row}
	}
	return out
}

func atoi(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		panic(err)
	}
	return n
}

func parseForm(row string) (*form, error) {
	parts := strings.Split(row, ";")
	if len(parts) < 2 {
		return nil, fmt.Errorf("want instruction ; encoding")
	}
	f := &form{name: strings.Join(strings.Fields(parts[0]), " "), digit: -1}
	mnemonic, operands, _ := strings.Cut(f.name, " ")
	f.mnemonic = mnemonic
	for _, word := range strings.Fields(parts[1]) {
		if err := f.encoding(word); err != nil {
			return nil, err
		}
	}
	if operands != "" {
		for _, o := range strings.Split(operands, ",") {
			if err := f.operand(strings.TrimSpace(o)); err != nil {
				return nil, err
			}
		}
	}
	if len(parts) > 2 {
		for _, word := range strings.Fields(parts[2]) {
			switch word {
			case "lock":
				f.lock = true
			case "single":
				f.single = true
			case "faults":
				f.single, f.faults = true, true
			case "noread":
				f.noRead = true
			default:
				f.feature = word
			}
		}
	}
	return f, nil
}

// encoding takes in one word of the encoding.
func (f *form) encoding(word string) error {
	switch {
	case word == "NP":
	case word == "o16":
		f.data16 = true
	case word[0] == 'w' && len(word) == 3:
		f.size = atoi(word[1:])
	case word == "REX.W":
		f.rexW = true
	case strings.HasPrefix(word, "VEX."):
		f.vex = true
		for _, w := range strings.Split(word, ".")[1:] {
			switch w {
			case "LZ":
			case "66", "F2", "F3":
				f.mandatory = hexByte(w)
			case "0F":
				f.vexMap = 1
			case "0F38":
				f.vexMap = 2
			case "0F3A":
				f.vexMap = 3
			default:
				return fmt.Errorf("VEX field %q", w)
			}
		}
	case word == "/r":
		f.modrm = true
	case word[0] == '/':
		f.modrm, f.digit = true, atoi(word[1:])
	case word == "ib" || word == "iw" || word == "id" || word == "io":
		f.immediate = append(f.immediate, map[byte]int{'b': 1, 'w': 2, 'd': 4, 'o': 8}[word[1]])
	case word == "iz":
		f.immediate = append(f.immediate, min(f.size, 32)/8)
	case word == "iv":
		f.immediate = append(f.immediate, f.size/8)
	case word == "cb":
		f.relative = 1
	case word == "cd":
		f.relative = 4
	case word == "mo":
		f.moffs = true
	case (word == "66" || word == "F2" || word == "F3") && len(f.opcode) == 0 && !f.vex:
		f.mandatory = hexByte(word)
	default:
		digits, plus := strings.CutSuffix(word, "+r")
		b, err := hex.DecodeString(digits)
		f.plus = f.plus || plus
		if err != nil {
			return err
		}
		f.opcode = append(f.opcode, b...)
	}
	return nil
}

func hexByte(s string) uint8 {
	n, err := strconv.ParseUint(s, 16, 8)
	if err != nil {
		panic(err)
	}
	return uint8(n)
}

// implicit are operands that no byte of the instruction names.
const implicit = " 1 3 AL AX EAX RAX CL DX ST <XMM0> ES CS SS DS FS GS "

// operand takes in one operand. The first plain register with /r is ModRM.reg, the next ModRM.rm.
func (f *form) operand(o string) error {
	o, _, _ = strings.Cut(o, " (") // a remark
	if strings.HasPrefix(o, "(") || strings.Contains(implicit, " "+o+" ") || strings.HasPrefix(o, "imm") || strings.HasPrefix(o, "rel") || strings.HasPrefix(o, "ST(") {
		return nil
	}
	if strings.HasPrefix(o, "moffs") {
		f.memory = atoi(o[5:]) / 8
		return nil
	}
	reg, mem, slash := strings.Cut(o, "/m")
	if !slash && o[0] == 'm' && o != "mm" {
		reg, mem = "", o[1:]
	}
	if mem != "" || !slash && reg == "" {
		switch n, isBytes := strings.CutSuffix(mem, "byte"); {
		case mem == "":
			f.memory = 1
		case isBytes:
			f.memory = atoi(n)
		default:
			f.memory = atoi(n) / 8
		}
		if reg == "r" {
			reg += mem
		}
		c, err := parseClass(reg)
		f.rm = c
		return err
	}
	if o[0] == 'v' {
		f.vvvv = class{'g', atoi(o[1:])}
		return nil
	}
	c, err := parseClass(reg)
	switch {
	case err != nil:
		return err
	case !f.modrm:
		f.opReg = c
	case f.digit < 0 && f.reg.file == 0:
		f.reg = c
	default:
		f.rm = c
	}
	return nil
}

func parseClass(s string) (class, error) {
	switch {
	case s == "":
		return class{}, nil
	case s == "xmm":
		return class{'x', 128}, nil
	case s == "mm":
		return class{'m', 64}, nil
	case s == "CRn" || s == "DRn": // which of them there are is for prepareMove
		return class{'g', 64}, nil
	case s[0] == 'r':
		if n, err := strconv.Atoi(s[1:]); err == nil {
			return class{'g', n}, nil
		}
	}
	return class{}, fmt.Errorf("operand %q", s)
}
