package x86

// A condition is the low four bits of Jcc, SETcc and CMOVcc (SDM vol. 2, appendix B, table B-10).
type condition uint8

const (
	condO condition = iota
	condNO
	condB
	condAE
	condE
	condNE
	condBE
	condA
	condS
	condNS
	condP
	condNP
	condL
	condGE
	condLE
	condG
)

// holds says whether the flags satisfy the condition.
func (f *lazyFlags) holds(cc condition) bool {
	var v bool
	switch cc >> 1 {
	case condO >> 1:
		v = f.of()
	case condB >> 1:
		v = f.cf()
	case condE >> 1:
		v = f.zf()
	case condBE >> 1:
		v = f.cf() || f.zf()
	case condS >> 1:
		v = f.sf()
	case condP >> 1:
		v = f.pf()
	case condL >> 1:
		v = f.sf() != f.of()
	default:
		v = f.zf() || f.sf() != f.of()
	}
	return v != (cc&1 != 0)
}
