package uop

// A Condition is the low four bits of Jcc, SETcc and CMOVcc (SDM vol. 2, appendix B, table B-10).
type Condition uint8

// Conditions.
const (
	CondO Condition = iota
	condNO
	CondB
	condAE
	CondE
	condNE
	CondBE
	condA
	CondS
	condNS
	CondP
	condNP
	CondL
	condGE
	condLE
	condG
)
