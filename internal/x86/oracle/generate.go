package oracle

import (
	"slices"
	"strings"
)

// A Generator makes cases. Case n of a seed is the same wherever and whenever it is made, as long as the tables are.
type Generator struct {
	Seed  uint64
	forms []*form
	next  [subjects][]*form // those that can follow others in a sequence, by subject
}

// NewGenerator returns a generator of the forms for which wanted says yes.
func NewGenerator(seed uint64, wanted func(f *form) bool) *Generator {
	g := &Generator{Seed: seed}
	for _, f := range allForms {
		if !wanted(f) {
			continue
		}
		g.forms = append(g.forms, f)
		if !f.single {
			g.next[f.subject()] = append(g.next[f.subject()], f)
		}
	}
	return g
}

// subject returns 0 for general-purpose instructions, 1 for SSE, 2 for x87 and MMX.
func (f *form) subject() int {
	switch {
	case f.isX87() || f.isMMX():
		return 2
	case f.isSSE():
		return 1
	}
	return 0
}

const subjects = 3

// allForms are all rows of the tables.
var allForms = slices.Concat(integerForms, flowForms, sseForms, mmxForms, x87Forms)

// sequences is how many cases in a hundred have more than one instruction.
const sequences = 25

// Case returns the n-th case.
func (g *Generator) Case(n uint64) *Case {
	s := &scene{dice: newDice(g.Seed, n)}
	length := 1
	if s.chance(sequences) {
		length = 2 + s.IntN(3)
	}
	for {
		s.c = &Case{}
		s.begin()
		for tries := 0; len(s.insns) < length && tries < 20; tries++ {
			from := g.forms
			if len(s.insns) > 0 {
				// Instructions that work on the same registers and flags follow each other more often.
				subject := s.insns[0].subject()
				if s.chance(25) {
					subject = s.IntN(subjects)
				}
				from = g.next[subject]
			}
			if len(from) > 0 {
				s.build(from[s.IntN(len(from))])
			}
		}
		if s.finish() {
			return s.c
		}
		*s = scene{dice: s.dice}
	}
}

// begin draws the registers, before instructions settle some of them.
func (s *scene) begin() {
	for i := range s.c.In.GPR {
		s.c.In.GPR[i] = s.general()
	}
	s.c.In.Flags = s.Uint64()&arithmeticFlags | flag1 | flagIF
	if s.chance(25) {
		s.c.In.Flags |= flagDF
	}
	if s.chance(4) {
		s.c.In.Flags |= flagAC
	}
}

// finish draws the rest of the state, places the code and settles what depends on the place.
func (s *scene) finish() bool {
	if len(s.insns) == 0 {
		return false
	}
	s.vectors()
	ends := make([]int, len(s.insns))
	total := 0
	for i, x := range s.insns {
		total += len(x.encode())
		ends[i] = total
	}
	if total >= codeBytes {
		return false
	}
	c := s.c
	switch r := s.IntN(100); {
	case r < 85 || s.invalid():
		c.In.RIP = codeBase + uint64(s.IntN(pageSize-codeBytes))
	case r < 92: // across two pages
		c.In.RIP = codeBase + pageSize - uint64(s.IntN(total+1))
	default: // at the end of the window, or across it
		c.In.RIP = codeEnd - uint64(1+s.IntN(total))
	}
	names := make([]string, len(s.insns))
	for i, x := range s.insns {
		next := c.In.RIP + uint64(ends[i])
		if x.base == ripRel {
			x.memDisp = x.target - x.adjust - x.segmentBase() - next
		}
		if x.relative > 0 && !s.branch(i, ends, total) {
			return false
		}
		names[i] = x.name
		c.Code = append(c.Code, x.encode()...)
	}
	c.Name, c.names, c.ends = joinNames(names), names, ends
	c.Skip.Flags, c.Skip.Early = s.undefined, s.everUndefined
	return true
}

// invalid says whether an instruction is not defined.
func (s *scene) invalid() bool {
	return slices.ContainsFunc(s.insns, func(x *insn) bool { return x.invalid })
}

func joinNames(names []string) string { return strings.Join(names, "; ") }

func (x *insn) segmentBase() uint64 {
	switch x.segment {
	case 0x64:
		return fsBase
	case 0x65:
		return gsBase
	}
	return 0
}

// branch settles where the i-th instruction branches to: over some that follow, or away, but never into the case's code
// elsewhere.
func (s *scene) branch(i int, ends []int, total int) bool {
	x := s.insns[i]
	if i+1 < len(ends) && s.chance(60) {
		x.disp = int64(ends[i+1+s.IntN(len(ends)-i-1)] - ends[i])
		return true
	}
	next := s.c.In.RIP + uint64(ends[i])
	for range 20 {
		switch {
		case x.relative == 1:
			x.disp = int64(int8(s.Uint32()))
		case s.chance(75):
			x.disp = int64(s.destination()&^0xFFFF_FFFF_0000_0000 - next)
			x.disp = int64(int32(x.disp))
		default:
			x.disp = int64(int32(s.Uint32()))
		}
		if to := next + uint64(x.disp); to < s.c.In.RIP || to >= s.c.In.RIP+uint64(total) {
			return true
		}
	}
	return false
}

// vectors draws floating-point and SSE state as far as the instructions look at it; else it is that of a new process.
func (s *scene) vectors() {
	in := &s.c.In
	in.MXCSR, in.X87.FCW = 0x1F80, 0x37F
	var sse, x87 bool
	for _, x := range s.insns {
		sse = sse || x.isSSE() || x.savesState()
		x87 = x87 || x.isX87() || x.isMMX() || x.savesState()
	}
	if sse {
		in.MXCSR = s.mxcsr()
		for i := range in.XMM {
			in.XMM[i] = s.xmm(s.insns[s.IntN(len(s.insns))].kind())
			if i > 0 && s.chance(15) {
				in.XMM[i] = in.XMM[s.IntN(i)]
			}
		}
	}
	if x87 {
		in.X87 = s.x87()
	}
}
