package code

import "github.com/tacit-vm/tacit/internal/disasm"

// Names of instructions in [Special].
const (
	TDCALL    = disasm.TDCALL
	PVALIDATE = disasm.PVALIDATE
	RMPADJUST = disasm.RMPADJUST
	VMGEXIT   = disasm.VMGEXIT
)

// confidential says whether an instruction is one that only confidential guests execute.
func confidential(in disasm.Inst) bool {
	switch in.Name {
	case TDCALL, PVALIDATE, RMPADJUST, VMGEXIT:
		return true
	}
	return false
}
