package x86

import (
	"encoding/hex"
	"flag"
	"math/rand/v2"
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// Sequences of arithmetic: what a translator joins, keeps in registers and leaves out between one instruction and the next.
// Programs are random instructions on random operands in a loop, put together with the assembler that the translator has,
// and run under each engine.

var (
	sequenceFirst = flag.Uint64("sequence-first", 0, "the first program that TestSequences runs")
	sequences     = flag.Uint64("sequences", 150, "how many it runs")
)

// span returns the rows of the assembler from one to another.
func span(from, to amd64.Op) (all []amd64.Op) {
	for op := from; op <= to; op++ {
		all = append(all, op)
	}
	return all
}

var (
	sequenceTwo    = append(span(amd64.ADD, amd64.CMPto), amd64.MOV, amd64.MOVto, amd64.XCHG)
	sequenceExtend = []amd64.Op{amd64.MOVZX8, amd64.MOVSX8, amd64.MOVZX16, amd64.MOVSX16}
	sequenceImm    = append(span(amd64.ADDimm, amd64.CMPimm), amd64.MOVimm, amd64.TESTimm)
	sequenceShort  = span(amd64.ADDimm8, amd64.CMPimm8)
	sequenceOne    = append(span(amd64.NOT, amd64.IMULwide), amd64.INC, amd64.DEC, amd64.INC, amd64.DEC, amd64.DIV, amd64.IDIV)
	sequenceShift  = span(amd64.ROLimm, amd64.SARone)
	sequenceBit    = span(amd64.BTimm, amd64.BTCimm)
	sequenceScan   = []amd64.Op{amd64.BSF, amd64.BSR, amd64.TZCNT, amd64.LZCNT, amd64.POPCNT, amd64.BT, amd64.BTS, amd64.BTR, amd64.BTC, amd64.IMUL, amd64.ADCX, amd64.ADOX}
	sequenceVector = append(span(amd64.PAND, amd64.PACKUSWB), span(amd64.PSHUFB, amd64.PABSD)...)
)

// kept are registers that no instruction of a sequence changes: the stack, the address of data, the number of rounds.
func kept(r amd64.Reg) bool { return r == amd64.RSP || r == amd64.RBX || r == amd64.R15 }

// A sequencer makes a sequence.
type sequencer struct {
	amd64.Assembler
	*rand.Rand
}

func pick1[T any](s *sequencer, all []T) T { return all[s.IntN(len(all))] }

func (s *sequencer) reg() amd64.Reg {
	for {
		if r := amd64.Reg(s.IntN(16)); !kept(r) {
			return r
		}
	}
}

// place is an operand that may be changed: a register, or memory about data, now and then about the end of a page.
func (s *sequencer) place() amd64.Operand {
	switch s.IntN(8) {
	case 0, 1:
		return amd64.At(amd64.RBX, int32(s.IntN(0x800)))
	case 2:
		return amd64.At(amd64.RBX, 0xFF0+int32(s.IntN(24)))
	}
	return amd64.R(s.reg())
}

func (s *sequencer) size() int { return 1 << s.IntN(4) }
func (s *sequencer) long() int { return 4 << s.IntN(2) }
func (s *sequencer) imm() int32 {
	if s.IntN(2) == 0 {
		return int32(s.IntN(5)) - 2
	}
	return int32(s.Uint32())
}

func (s *sequencer) instruction() {
	switch n := s.size(); s.IntN(20) {
	case 0, 1, 2:
		s.RegRM(pick1(s, sequenceTwo), n, s.reg(), s.place())
	case 3:
		s.RegRM(pick1(s, sequenceExtend), s.long(), s.reg(), s.place())
	case 4:
		s.Imm(pick1(s, sequenceImm), n, s.place(), s.imm())
	case 5:
		s.Imm(pick1(s, sequenceShort), max(n, 2), s.place(), s.imm())
	case 6:
		s.RM(pick1(s, sequenceOne), n, s.place())
	case 7, 8:
		op := pick1(s, sequenceShift)
		switch {
		case op < amd64.ROLcl:
			s.Imm(op, n, s.place(), s.imm())
		default:
			s.RM(op, n, s.place())
		}
	case 9:
		s.Imm(pick1(s, sequenceBit), max(n, 2), s.place(), s.imm())
	case 10:
		s.RegRM(pick1(s, sequenceScan), s.long(), s.reg(), amd64.R(s.reg()))
	case 11:
		if s.IntN(2) == 0 {
			s.RegRMImm(amd64.SHLDimm+amd64.Op(s.IntN(2)), max(n, 2), s.reg(), s.place(), s.imm())
		} else {
			s.RegRM(amd64.SHLDcl+amd64.Op(s.IntN(2)), max(n, 2), s.reg(), s.place())
		}
	case 12:
		s.Set(amd64.Condition(s.IntN(16)), s.place())
	case 13:
		s.Cmov(amd64.Condition(s.IntN(16)), s.long(), s.reg(), s.place())
	case 14:
		op := amd64.VEXOp(s.IntN(int(amd64.RORX) + 1))
		s.VEX(op, s.long(), s.reg(), s.reg(), s.place(), uint8(s.Uint32()))
	case 15:
		for range 1 + s.IntN(6) {
			s.vector()
		}
	case 16:
		s.text()
	case 17:
		s.string(n)
	case 18: // a bit string, at most 256 bytes long on either side
		s.RegRM(amd64.MOVSX8, 8, amd64.RDX, amd64.R(amd64.RDX))
		s.Imm(amd64.SHLimm, 8, amd64.R(amd64.RDX), int32(s.IntN(4)))
		s.RegRM(amd64.BT+amd64.Op(s.IntN(4)), max(n, 2), amd64.RDX, amd64.At(amd64.RBX, 0x100+int32(s.IntN(0x800))))
	case 19: // shifts by CL of few bits and of none, and what reads the flags
		s.Imm(amd64.ANDimm, 1, amd64.R(amd64.RCX), []int32{0, 1, 3, 32, 63, 64}[s.IntN(6)])
		s.RM(amd64.ROLcl+amd64.Op(s.IntN(int(amd64.SARcl-amd64.ROLcl)+1)), n, s.place())
		s.Set(amd64.Condition(s.IntN(16)), s.place())
	}
}

// sequenceTexts are instructions that the assembler does not have.
var sequenceTexts = []string{
	"9C 58", "9C 8F 43 40", "FA", "FB", "FB FA", "FD 9C 58 FC", "FC", "F8", "F9", "F5", // pushfq; pop rax or [rbx+0x40]; cli; sti; std and cld; clc; stc; cmc
	"8C D8", "8C D0", "48 8C C9", "66 8C 63 08", // mov eax, ds; mov eax, ss; mov rcx, cs; mov [rbx+8], fs
	"55 48 89 E5 50 51 C9", "48 8D AB F8 0F 00 00 48 89 E0 C9 48 89 C4", // a frame, and LEAVE; one at the end of a page
	"F0 0F C1 43 10", "48 0F C1 43 18", "66 0F C1 43 20", "0F C1 C0", "48 0F C1 D1", // xadd with memory, with itself, between registers
	"F0 0F B1 53 10", "48 0F B1 4B 18", "0F B1 43 10", "0F B1 D1", "48 0F B1 C8", "0F B0 53 11", // cmpxchg
	"8B 43 10 0F B1 53 10", "48 8B 43 18 F0 48 0F B1 4B 18 74 02 48 FF C0", // cmpxchg that succeeds
}

// vector is an instruction on XMM registers, whose operand may be in memory: where something has been, where nothing has, and
// at a page's end.
func (s *sequencer) vector() {
	x := amd64.Reg(s.IntN(16))
	o := amd64.R(amd64.Reg(s.IntN(16)))
	if s.IntN(2) == 0 {
		o = amd64.At(amd64.RBX, []int32{0x800, 0xFC0, 0x4000}[s.IntN(3)]+int32(s.IntN(4))*16)
	}
	switch n := s.long(); s.IntN(8) {
	case 0:
		s.RegRM(amd64.MOVDQU, 8, x, o)
	case 1:
		s.RegRM(amd64.MOVDQUto, 8, x, o)
	case 2:
		s.RegRM(amd64.MOVD+amd64.Op(s.IntN(2)), n, x, s.place())
	case 3:
		s.RegRM(amd64.MOVQ+amd64.Op(s.IntN(2)), 8, x, o)
	case 4:
		s.RegRM(amd64.PXOR, 8, x, amd64.R(x))
	case 5:
		s.append(pick1(s, []string{"0F 12 CA", "0F 16 D1", "F2 0F 10 C1", "0F 28 C2", "0F 29 83 00 40 00 00", "44 0F 28 C9", "0F 10 8B FD 0F 00 00"})) // movhlps; movlhps; movsd; movaps …
	default:
		s.RegRM(pick1(s, sequenceVector), 8, x, o)
	}
}

func (s *sequencer) text() { s.append(pick1(s, sequenceTexts)) }

func (s *sequencer) append(code string) {
	b, err := hex.DecodeString(asm(code))
	if err != nil {
		panic(err)
	}
	s.Bytes = append(s.Bytes, b...)
}

// string is a string instruction on data: repeated or not, about the end of a page or of its operands' beginning, now and
// then downward.
func (s *sequencer) string(n int) {
	near := func() amd64.Operand {
		return amd64.At(amd64.RBX, []int32{0x900, 0x980, 0xFC0, 0x1FC0}[s.IntN(4)]+int32(s.IntN(72)))
	}
	s.RegRM(amd64.LEA, 8, amd64.RSI, near())
	s.RegRM(amd64.LEA, 8, amd64.RDI, near())
	repeat := pick1(s, []amd64.Repeat{amd64.Once, amd64.REPNE, amd64.REPE})
	if repeat != amd64.Once {
		s.Imm(amd64.ANDimm, 8, amd64.R(amd64.RCX), int32(1<<s.IntN(9)-1)) // 255 at most
	}
	down := s.IntN(8) == 0
	if down {
		s.Bytes = append(s.Bytes, 0xFD)
	}
	s.String(pick1(s, []amd64.StringOp{amd64.MOVS, amd64.CMPS, amd64.STOS, amd64.LODS, amd64.SCAS}), n, repeat)
	if down {
		s.Bytes = append(s.Bytes, 0xFC)
	}
}

// program makes a loop of instructions with jumps forward among them.
func (s *sequencer) program(instructions int) string {
	top := s.Label()
	s.Bind(top)
	var open []amd64.Label
	for range instructions {
		if s.IntN(8) == 0 {
			l := s.Label()
			s.Jcc(amd64.Condition(s.IntN(16)), l)
			open = append(open, l)
		}
		if len(open) > 0 && s.IntN(4) == 0 {
			s.Bind(open[0])
			open = open[1:]
		}
		s.instruction()
	}
	for _, l := range open {
		s.Bind(l)
	}
	s.RegRM(amd64.LEA, 8, amd64.R15, amd64.At(amd64.R15, -1))
	s.RM(amd64.INC, 8, amd64.At(amd64.RBX, 0x2000)) // flags of which CF is the sequence's
	s.RegRM(amd64.TEST, 8, amd64.R15, amd64.R(amd64.R15))
	s.Jcc(amd64.NE, top)
	s.Finish()
	return hex.EncodeToString(s.Bytes) + "F4"
}

func sequence(seed uint64) *program {
	s := &sequencer{Rand: rand.New(rand.NewPCG(seed, 11))}
	code := s.program(1 + s.IntN(60))
	return &program{code: code, setup: func(m *scene) {
		for i := range m.from.GPR {
			if !kept(amd64.Reg(i)) {
				m.from.GPR[i] = s.Uint64() >> (s.IntN(4) * 20)
			}
		}
		for i := range m.from.XMM {
			m.from.XMM[i] = XMM{s.Uint64(), s.Uint64()}
		}
		m.from.GPR[uop.RBX], m.from.GPR[uop.R15] = progData, 3
		m.from.RFLAGS |= s.Uint64() & arithmeticFlags
		m.from.XCR0 = 3
		if s.IntN(2) == 0 {
			for i := range uint64(0x200) {
				m.write(progData+i*8, s.Uint64())
			}
		}
		if s.IntN(2) == 0 {
			skipping(m) // over what faults
		}
	}}
}

func TestSequences(t *testing.T) {
	if TranslatorAvailable() != nil {
		t.Skip("there is one engine")
	}
	for seed := *sequenceFirst; seed < *sequenceFirst+*sequences; seed++ {
		var first ending
		for i, c := range []cut{{}, {engine: EngineTranslator}, {engine: EngineTranslator, blocks: 3}} {
			m := newSceneUnder(t, sequence(seed), c)
			end := m.ending(m.drive(0))
			_ = m.mem.Close()
			if i == 0 {
				first = end
			} else if d := difference(first, end); d != "" {
				t.Errorf("sequence %d under %v is not what it is under the interpreter: %s", seed, c, d)
			}
		}
	}
}
