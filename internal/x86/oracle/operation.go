package oracle

import "strings"

// An operation is an instruction of a case as its bytes say it, at the moment of an outcome.
type operation struct {
	*form
	name   string
	at     uint64 // its address
	end    uint64 // and that of the next
	last   bool   // no other follows
	rep    uint8  // the last of F2 and F3, 0 for none
	data16 bool
	addr32 bool
	rex    uint8
	seg    uint8 // 64 or 65, 0 for segments without a base
	opcode []byte

	isMem     bool
	rm        int    // the register, where it is none
	effective uint64 // the address before the segment's base is added
	linear    uint64
}

var formsByName = map[string]*form{}

func init() {
	for _, f := range allForms {
		formsByName[f.name] = f
	}
}

// operations returns the instructions of the case, with addresses as the registers of an outcome give them.
func (c *Case) operations(o *Outcome) (all []*operation) {
	names, ends := c.names, c.ends
	if len(ends) == 0 { // a case that was kept: one instruction
		names, ends = []string{c.Name}, []int{len(c.Code)}
	}
	start := 0
	for i, end := range ends {
		x := &operation{name: names[i], form: formsByName[names[i]], at: c.In.RIP + uint64(start), end: c.In.RIP + uint64(end), last: i == len(ends)-1}
		x.decode(c.Code[start:end], o)
		all = append(all, x)
		start = end
	}
	return all
}

// operation returns the instruction in front of which an outcome is, nil for none.
func (c *Case) operation(o *Outcome) *operation {
	for _, x := range c.operations(o) {
		if x.at == o.RIP {
			return x
		}
	}
	return nil
}

// is says whether x is one of these, separated by spaces, by mnemonic.
func (x *operation) is(mnemonics string) bool {
	return x != nil && x.form != nil && strings.Contains(" "+mnemonics+" ", " "+x.mnemonic+" ")
}

// decode reads prefixes, opcode and memory operand.
func (x *operation) decode(b []byte, o *Outcome) {
	next := func() (v byte) {
		if len(b) > 0 {
			v, b = b[0], b[1:]
		}
		return v
	}
	var op byte
	for prefix := true; prefix; {
		op = next()
		switch op {
		case 0x66:
			x.data16 = true
		case 0x67:
			x.addr32 = true
		case 0xF2, 0xF3:
			x.rep = op
		case 0x64, 0x65:
			x.seg = op
		case 0x26, 0x2E, 0x36, 0x3E, 0xF0:
		default:
			prefix = op&0xF0 == 0x40
		}
		if prefix {
			x.rex = 0 // one in front of other prefixes does not count
			if op&0xF0 == 0x40 {
				x.rex = op
			}
		}
	}
	switch op {
	case 0xC4:
		x.rex = 0x40 | ^next()>>5&7
		next()
		x.opcode = []byte{next()}
	case 0x0F:
		x.opcode = []byte{op, next()}
		if second := x.opcode[1]; second == 0x38 || second == 0x3A {
			x.opcode = append(x.opcode, next())
		}
	default:
		x.opcode = []byte{op}
	}
	if x.form != nil {
		x.operand(next, o)
	}
	if x.addr32 {
		x.effective &= 0xFFFF_FFFF
	}
	x.linear = x.effective
	switch x.seg {
	case 0x64:
		x.linear += o.FSBase
	case 0x65:
		x.linear += o.GSBase
	}
}

// operand reads ModRM and what follows it, or takes the register that the instruction implies.
func (x *operation) operand(next func() byte, o *Outcome) {
	little := func(n int) (v uint64) {
		for i := range n {
			v |= uint64(next()) << (8 * i)
		}
		return v
	}
	extend := func(bit uint8) int { return int(x.rex>>bit&1) << 3 }
	switch {
	case x.moffs:
		x.isMem = true
		x.effective = little(map[bool]int{false: 8, true: 4}[x.addr32])
	case !x.modrm && x.is("MOVSB MOVSW MOVSD MOVSQ CMPSB CMPSW CMPSD CMPSQ LODSB LODSW LODSD LODSQ"):
		x.isMem, x.effective = true, o.GPR[rsi]
	case x.is("XLATB"):
		x.isMem, x.effective = true, o.GPR[rbx]+o.GPR[rax]&0xFF
	case x.modrm:
		m := next()
		mod, rm := m>>6, int(m&7)
		x.rm = rm | extend(0)
		if mod == 3 {
			if x.is("MASKMOVQ MASKMOVDQU") {
				x.isMem, x.effective = true, o.GPR[rdi]
			}
			return
		}
		x.isMem = true
		base := -1
		if rm == rsp {
			sib := next()
			if index := int(sib>>3&7) | extend(1); index != rsp {
				x.effective = o.GPR[index] << (sib >> 6)
			}
			rm = int(sib & 7)
			if rm != rbp || mod != 0 {
				base = rm | extend(0)
			} else {
				x.effective += uint64(int64(int32(little(4))))
			}
		} else if rm == rbp && mod == 0 {
			x.effective = x.end + uint64(int64(int32(little(4))))
		} else {
			base = rm | extend(0)
		}
		if base >= 0 {
			x.effective += o.GPR[base]
		}
		switch mod {
		case 1:
			x.effective += uint64(int64(int8(next())))
		case 2:
			x.effective += uint64(int64(int32(little(4))))
		}
	}
}
