package oracle

import "slices"

// Shrink returns the smallest case it can find that still differs: fewer instructions, fewer prefixes, registers and
// memory at zero. fails says whether a case differs.
func Shrink(c *Case, fails func(*Case) bool) *Case {
	s := &shrinker{best: c.clone(), fails: fails}
	s.instructions()
	s.prefixes()
	for again := true; again; {
		again = s.state()
		again = s.contents() || again
	}
	return s.best
}

type shrinker struct {
	best  *Case
	fails func(*Case) bool
}

// try keeps the change if the case still differs with it. A change that changes nothing is none.
func (s *shrinker) try(change func(c *Case) bool) bool {
	c := s.best.clone()
	if !change(c) || !s.fails(c) {
		return false
	}
	s.best = c
	return true
}

func (c *Case) clone() *Case {
	d := *c
	d.Code, d.ends, d.names = slices.Clone(c.Code), slices.Clone(c.ends), slices.Clone(c.names)
	d.Mem = slices.Clone(c.Mem)
	for i := range d.Mem {
		d.Mem[i].Data = slices.Clone(d.Mem[i].Data)
	}
	d.Skip.Mem = slices.Clone(c.Skip.Mem)
	return &d
}

// instructions drops whole instructions. What any of them leaves undefined is then not compared at all: one that is
// dropped may have defined it.
func (s *shrinker) instructions() {
	for i := len(s.best.ends) - 1; i >= 0; i-- {
		s.try(func(c *Case) bool {
			if len(c.ends) < 2 {
				return false
			}
			c.Skip.Flags |= c.Skip.Early
			c.drop(i)
			return true
		})
	}
}

// drop removes the i-th instruction.
func (c *Case) drop(i int) {
	begin := 0
	if i > 0 {
		begin = c.ends[i-1]
	}
	length := c.ends[i] - begin
	c.Code = slices.Delete(c.Code, begin, c.ends[i])
	c.ends = slices.Delete(c.ends, i, i+1)
	c.names = slices.Delete(c.names, i, i+1)
	for j := i; j < len(c.ends); j++ {
		c.ends[j] -= length
	}
	c.Name = joinNames(c.names)
}

// prefixes drops bytes in front of the last instruction's opcode.
func (s *shrinker) prefixes() {
	for i := 0; i < len(s.best.Code); {
		b := s.best.Code[i]
		legacy := slices.Contains([]byte{0x26, 0x2E, 0x36, 0x3E, 0x64, 0x65, 0x66, 0x67, 0xF0, 0xF2, 0xF3}, b)
		if len(s.best.ends) != 1 || !legacy && b&0xF0 != 0x40 {
			return
		}
		if !s.try(func(c *Case) bool {
			c.Code = slices.Delete(c.Code, i, i+1)
			c.ends[0]--
			return true
		}) {
			i++
		}
	}
}

// state puts registers to zero, or to what a new process has.
func (s *shrinker) state() (changed bool) {
	set := func(p func(c *Case) *uint64, v uint64) {
		changed = s.try(func(c *Case) bool {
			old := *p(c)
			*p(c) = v
			return old != v
		}) || changed
	}
	for i := range 16 {
		set(func(c *Case) *uint64 { return &c.In.GPR[i] }, 0)
		set(func(c *Case) *uint64 { return &c.In.XMM[i][0] }, 0)
		set(func(c *Case) *uint64 { return &c.In.XMM[i][1] }, 0)
	}
	set(func(c *Case) *uint64 { return &c.In.Flags }, flag1|flagIF)
	changed = s.try(func(c *Case) bool {
		old := c.In.MXCSR
		c.In.MXCSR = 0x1F80
		return old != c.In.MXCSR
	}) || changed
	changed = s.try(func(c *Case) bool {
		old := c.In.X87
		c.In.X87 = X87{FCW: 0x37F}
		return old != c.In.X87
	}) || changed
	for i := range 8 {
		changed = s.try(func(c *Case) bool {
			old := c.In.X87.ST[i]
			c.In.X87.ST[i] = Float80{}
			return old != Float80{}
		}) || changed
	}
	return changed
}

// contents drops pieces of memory, and then bytes at their ends.
func (s *shrinker) contents() (changed bool) {
	for i := len(s.best.Mem) - 1; i >= 0; i-- {
		if s.try(func(c *Case) bool {
			c.Mem = slices.Delete(c.Mem, i, i+1)
			return true
		}) {
			changed = true
			continue
		}
		for n := len(s.best.Mem[i].Data) / 2; n > 0; n /= 2 {
			for s.try(func(c *Case) bool {
				m := &c.Mem[i]
				if len(m.Data) <= n {
					return false
				}
				m.Data = m.Data[:len(m.Data)-n]
				return true
			}) {
				changed = true
			}
			for s.try(func(c *Case) bool {
				m := &c.Mem[i]
				if len(m.Data) <= n {
					return false
				}
				m.Data, m.Addr = m.Data[n:], m.Addr+uint64(n)
				return true
			}) {
				changed = true
			}
		}
	}
	return changed
}
