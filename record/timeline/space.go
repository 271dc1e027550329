package timeline

// space knows what each unit of the address space is, and keeps how that came to be.
type space struct {
	units   []unit
	mixed   int // units that have parts
	changes []Change
	shift   int // changes that happen in the same 1<<shift nanoseconds are joined
	joined  uint64
}

// A unit's state is that of most of its pages.
type unit struct {
	state State
	parts *parts // nil where all are in that state
}

type parts struct {
	page  [unitPages]State
	count [States]uint16
}

const (
	pageBytes = 4096
	unitPages = UnitBytes / pageBytes

	// maxMixed bounds the units that are known page by page: those of 128 GiB, for 40 MB. Of one beyond, what happens to
	// less than half of it is not noticed.
	maxMixed = 1 << 16
)

func anything(State) bool     { return true }
func onlyShared(s State) bool { return s == Shared }

// set makes the pages of a range that is so be what to says.
func (s *space) set(ns int64, gpa, bytes uint64, to State, is func(State) bool) {
	end := uint64(len(s.units)) * UnitBytes
	if bytes < end-min(gpa, end) {
		end = gpa + bytes
	}
	for at := gpa; at < end; {
		u := at / UnitBytes
		next := min(end, (u+1)*UnitBytes)
		was := s.units[u].state
		s.setPart(&s.units[u], at%UnitBytes/pageBytes, (next-u*UnitBytes)/pageBytes, to, is)
		if now := s.units[u].state; now != was {
			s.changed(Change{ns, uint32(u), 1, now})
		}
		at = next
	}
}

// setPart sets the pages [from, until) of a unit.
func (s *space) setPart(u *unit, from, until uint64, to State, is func(State) bool) {
	whole := from == 0 && until == unitPages
	switch {
	case u.parts == nil && (u.state == to || !is(u.state)):
		return
	case u.parts == nil && (whole || s.mixed == maxMixed):
		if 2*(until-from) >= unitPages {
			u.state = to
		}
		return
	case u.parts == nil:
		u.parts = &parts{}
		for i := range u.parts.page {
			u.parts.page[i] = u.state
		}
		u.parts.count[u.state] = unitPages
		s.mixed++
	}
	p := u.parts
	for i := from; i < until; i++ {
		if is(p.page[i]) {
			p.count[p.page[i]]--
			p.count[to]++
			p.page[i] = to
		}
	}
	for state, n := range p.count {
		if n > p.count[u.state] {
			u.state = State(state)
		}
	}
	if p.count[u.state] == unitPages {
		u.parts = nil
		s.mixed--
	}
}
