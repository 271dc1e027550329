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
