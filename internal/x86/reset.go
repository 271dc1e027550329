package x86

import "github.com/tacit-vm/tacit/internal/x86/uop"

// What other processors do to one: INIT resets it, start-up has it begin (SDM vol. 3, 9.4 and 11.6.1).

// Segments after reset (SDM vol. 3, table 10-1): real mode, 64 KiB each.
const (
	resetLimit    = 0xFFFF
	resetCode     = 0x9B
	resetData     = 0x93
	resetLDT      = 0x82
	resetTSS      = 0x8B
	resetDR6      = 0xFFFF_0FF0
	resetDR7      = 0x400
	resetSelector = 0xF000
	resetBase     = 0xFFFF_0000
	resetIP       = 0xFFF0
)

// INIT puts the processor into the state after an INIT: at the reset vector, in real mode. The time-stamp counter, the PAT
// and the x87 and SSE registers stay as they are, and so do cache control and the local APIC's ID and mode.
func (c *CPU) INIT() {
	s := c.State()
	data := Segment{Limit: resetLimit, Attr: resetData}
	s = State{
		RIP: resetIP, RFLAGS: flag1,
		Seg:  [6]Segment{data, {Selector: resetSelector, Base: resetBase, Limit: resetLimit, Attr: resetCode}, data, data, data, data},
		GDTR: Table{Limit: resetLimit}, IDTR: Table{Limit: resetLimit},
		LDTR: Segment{Limit: resetLimit, Attr: resetLDT}, TR: Segment{Limit: resetLimit, Attr: resetTSS},
		CR0: s.CR0&(CR0CD|CR0NW) | CR0ET,
		DR:  [8]uint64{6: resetDR6, 7: resetDR7},
		XMM: s.XMM, MXCSR: s.MXCSR, X87: s.X87, XCR0: s.XCR0,
	}
	s.GPR[RDX] = signature
	c.SetState(&s)
	c.wakes, c.nesting, c.watch.fenced, c.nmi = false, nesting{}, false, nmi{}
	c.APIC.reset()
}

// Reset puts the processor into the state after power-up: that after an INIT, with caches off, the time-stamp counter and all
// registers as they are at first, and the local APIC in xAPIC mode. Nothing has happened on it yet.
func (c *CPU) Reset() {
	s := c.State()
	s.CR0 |= CR0CD | CR0NW
	c.SetState(&s)
	c.INIT()
	c.APIC.mode = apicBaseEN
}

// StartUp has the processor begin at the start of a 4 KiB page of the first MiB, in real mode.
func (c *CPU) StartUp(page uint8) {
	s := c.State()
	s.Seg[uop.SegCS] = Segment{Selector: uint16(page) << 8, Base: uint64(page) << 12, Limit: resetLimit, Attr: resetCode}
	s.RIP = 0
	c.SetState(&s)
}

// reset puts the controller into the state after an INIT (SDM vol. 3, 11.4.7.3).
func (a *LocalAPIC) reset() {
	fresh := LocalAPIC{
		id: a.id, mode: a.mode, dfr: resetDFR, svr: 0xFF, expiry: noTimer, now: a.now, hz: a.hz, timerHz: a.timerHz, tsc: a.tsc, eoi: a.eoi, send: a.send, inta: a.inta, intr: a.intr, nmi: a.nmi,
	}
	for i := range fresh.lvt {
		fresh.lvt[i] = apicLVTMask
	}
	*a = fresh
}
