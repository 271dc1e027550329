package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// ResetState is the state after RESET, in real mode at the reset vector FFFFFFF0 (SDM vol. 3, table 10-1). An INIT leaves
// the same, but for what software may count on to survive it.
func ResetState() State {
	s := State{
		RIP: 0xFFF0, RFLAGS: flag1, CR0: CR0CD | CR0NW | CR0ET, XCR0: 1, MXCSR: mxcsrDefault,
		GDTR: Table{0, 0xFFFF}, IDTR: Table{0, 0xFFFF},
		LDTR: Segment{Attr: segPresent | typeLDT, Limit: 0xFFFF}, TR: Segment{Attr: segPresent | typeTSSBusy, Limit: 0xFFFF},
		DR: [8]uint64{6: 0xFFFF_0FF0, 7: 0x400},
	}
	s.GPR[uop.RDX] = signature
	for i := range s.Seg {
		s.Seg[i] = Segment{Attr: segPresent | segData, Limit: 0xFFFF}
	}
	s.Seg[uop.SegCS] = Segment{Selector: 0xF000, Base: 0xFFFF_0000, Limit: 0xFFFF, Attr: segPresent | segS | segCode | segWritable | segAccessed}
	s.X87.reset()
	return s
}
