package alloc

// The sets that units are in are bitmaps with a tree above them: one bit for each unit, above each word of these one
// bit that says whether any of them is set, and so on up to a single word. So the lowest member is found in as many
// steps as there are levels, four for 32 TiB; nothing is linked, and an empty set is all zeros.

// A shape is where the levels of such a tree begin. All sets have the same.
type shape struct {
	level [maxLevels + 1]uint64 // the words of level l are [level[l], level[l+1]); that of the members is the first
	top   uint64                // the level of a single word
}

const maxLevels = 6 // for 2³¹ units, in 52 bits of address

func shapeFor(units uint64) (s shape) {
	for n := (units + 63) / 64; ; n = (n + 63) / 64 {
		s.level[s.top+1] = s.level[s.top] + n
		if n == 1 {
			return s
		}
		s.top++
	}
}

// words returns how many words a set takes.
func (s *shape) words() uint64 { return s.level[s.top+1] }

// add makes u a member of set, and reports whether there was none before.
func (s *shape) add(set []uint64, u uint64) (first bool) {
	for l := uint64(0); l <= s.top; l++ {
		i := s.level[l] + u/64
		old := set[i]
		set[i] = old | 1<<(u%64)
		if old != 0 {
			return false
		}
		u /= 64
	}
	return true
}

// addAll makes the units [u, end) members of set.
func (s *shape) addAll(set []uint64, u, end uint64) {
	for l := uint64(0); l <= s.top && u < end; l++ {
		words := set[s.level[l]:s.level[l+1]]
		for i := u / 64; i <= (end-1)/64; i++ {
			bits := ones
			if i == u/64 {
				bits &= ones << (u % 64)
			}
			if i == (end-1)/64 {
				bits &= ones >> (63 - (end-1)%64)
			}
			words[i] |= bits
		}
		u, end = u/64, (end-1)/64+1
	}
}

// remove takes u out of set, and reports whether it was the last member.
func (s *shape) remove(set []uint64, u uint64) (last bool) {
	for l := uint64(0); l <= s.top; l++ {
		i := s.level[l] + u/64
		set[i] &^= 1 << (u % 64)
		if set[i] != 0 {
			return false
		}
		u /= 64
	}
	return true
}

// has reports whether u is a member of set.
func has(set []uint64, u uint64) bool { return set[u/64]>>(u%64)&1 != 0 }

// first returns the lowest member of set, which must have one.
func (s *shape) first(set []uint64) uint64 { return s.lowest(set, 0, s.top+1) }

// lowest returns the lowest member of set below bit i of a level, which is set.
func (s *shape) lowest(set []uint64, i, level uint64) uint64 {
	for level > 0 {
		level--
		i = i*64 + trailingZeros(set[s.level[level]+i])
	}
	return i
}

// next returns the lowest member of set that is not below u, or none.
func (s *shape) next(set []uint64, u uint64) uint64 {
	for l := uint64(0); l <= s.top; l++ {
		i := s.level[l] + u/64
		if i >= s.level[l+1] {
			return none
		}
		if rest := set[i] >> (u % 64); rest != 0 {
			return s.lowest(set, u+trailingZeros(rest), l)
		}
		u = u/64 + 1
	}
	return none
}

// none is the index of no unit.
const none = ones
