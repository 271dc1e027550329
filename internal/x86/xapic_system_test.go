package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

const (
	progAPIC = progBig + 0x1000 // a page through which programs reach the registers of xAPIC

	baseOff   = apicBaseAddress | apicBaseBSP
	baseXAPIC = baseOff | apicBaseEN
	baseX2    = baseXAPIC | apicBaseEXTD
)

// mapAPIC maps the registers' page at progAPIC, uncached as software has it.
func mapAPIC(m *scene) {
	const table = progFree + 0x4000
	m.write(progPD+8, table|pteP|pteW|pteA)
	m.write(table+8, apicBaseAddress|pteP|pteW|pteA|pteD|1<<4|1<<3)
	m.cfg.Platform = &Plain{Memory: m.mem, Bus: &m.bus, RAM: func(gpa uint64) bool { return gpa < progRAM }}
}

// toXAPIC goes by way of off to xAPIC, and enables the controller.
var toXAPIC = asm(wrmsr(MSRAPICBase, baseOff), wrmsr(MSRAPICBase, baseXAPIC), setAPIC(0xF0, 0x1FF))

// setAPIC is MOV DWORD [register], v: 11 bytes; getAPIC is MOV EAX, [register].
func setAPIC(offset, v uint64) string { return asm("C7 04 25", le(progAPIC+offset, 4), le(v, 4)) }
func getAPIC(offset uint64) string    { return asm("8B 04 25", le(progAPIC+offset, 4)) }

// SDM vol. 3, 11.12.5: which ways there are between the modes.
func TestAPICModes(t *testing.T) {
	reads := func(v uint64) func(*testing.T, *scene, Exit) { return halts(reg{uop.RAX, v}) }
	prove(t,
		program{name: "handed over in x2APIC", code: asm(rdmsr(MSRAPICBase), "F4"), want: reads(baseX2)},
		program{name: "x2APIC to xAPIC there is none", code: asm("B9 1B 00 00 00", "B8", le(baseXAPIC, 4), "31 D2 |0F 30"), want: raises(uop.VectorGP, 0)},
		program{name: "off to x2APIC there is none", code: asm(wrmsr(MSRAPICBase, baseOff), "B8", le(baseX2, 4), "|0F 30"), want: raises(uop.VectorGP, 0)},
		program{name: "x2APIC alone", code: asm("B9 1B 00 00 00", "B8", le(baseOff|apicBaseEXTD, 4), "31 D2 |0F 30"), want: raises(uop.VectorGP, 0)},
		program{name: "round", code: asm(toXAPIC, wrmsr(MSRAPICBase, baseX2), rdmsr(apicSVR), "F4"), setup: mapAPIC, want: reads(0x1FF)},
		program{name: "off loses what was set", code: asm(wrmsr(apicTPR, 0x20), wrmsr(MSRAPICBase, baseOff), wrmsr(MSRAPICBase, baseXAPIC), wrmsr(MSRAPICBase, baseX2), rdmsr(apicTPR), "F4"), want: reads(0)},
		program{name: "off, CPUID has none", code: asm(wrmsr(MSRAPICBase, baseOff), "B8 01 00 00 00 0F A2 89 D0 25 00 02 00 00 F4"), want: reads(0)},
		program{name: "in xAPIC the MSRs are not there", code: asm(toXAPIC, "B9", le(apicTPR, 4), "|0F 32"), setup: mapAPIC, want: raises(uop.VectorGP, 0)},
		program{name: "in x2APIC the page is not there", code: asm(getAPIC(0x20), "F4"), setup: mapAPIC, want: reads(^uint64(0))},
		program{name: "the registers stay where they are", code: asm("B9 1B 00 00 00", "B8", le(baseX2+0x1000, 4), "31 D2 0F 30"), want: func(t *testing.T, _ *scene, e Exit) {
			if _, is := e.Err.(*UnsupportedError); !is {
				t.Errorf("exit %v", e)
			}
		}},
	)
}

// SDM vol. 3, 11.4 to 11.8: registers in memory, and what is done by them.
func TestXAPIC(t *testing.T) {
	reads := func(offset, v uint64) program {
		return program{code: asm(toXAPIC, getAPIC(offset), "F4"), setup: mapAPIC, want: halts(reg{uop.RAX, v})}
	}
	after := func(set string, offset, v uint64) program {
		return program{code: asm(toXAPIC, set, getAPIC(offset), "F4"), setup: mapAPIC, want: halts(reg{uop.RAX, v})}
	}
	interrupt := func(code string, vector uint8) program {
		return program{code: asm(toXAPIC, code, "FB 90 90 F4"), setup: mapAPIC, want: func(t *testing.T, m *scene, e Exit) { // sti
			if c := m.caught(t, e); c.vector != vector {
				t.Errorf("%+v", c)
			}
		}}
	}
	const other, self, toAll = 0x41, 1 << 18, 2 << 18
	for name, p := range map[string]program{
		"version":                         reads(0x30, apicVersionValue),
		"ID":                              reads(0x20, 0),
		"DFR":                             reads(0xE0, resetDFR),
		"between registers":               reads(0x34, 0),
		"a byte within":                   {code: asm(toXAPIC, "0F B6 04 25", le(progAPIC+0x32, 4), "F4"), setup: mapAPIC, want: halts(reg{uop.RAX, 5})},
		"TPR has eight bits":              after(setAPIC(0x80, 0xFFFF_FF21), 0x80, 0x21),
		"LDR":                             after(setAPIC(0xD0, 0x01FF_FFFF), 0xD0, 0x0100_0000),
		"DFR's model":                     after(setAPIC(0xE0, 0), 0xE0, 0x0FFF_FFFF),
		"the command's destination":       after(setAPIC(0x310, 0xFFFF_FFFF), 0x310, 0xFF00_0000),
		"a register that does not exist":  after(setAPIC(0x3D0, 1)+setAPIC(0x280, 0), 0x280, apicIllegalRegister),
		"CR8 is TPR":                      after(asm("B8 03 00 00 00 44 0F 22 C0"), 0x80, 0x30),
		"to itself":                       interrupt(setAPIC(0x300, self|other), other),
		"to all":                          interrupt(setAPIC(0x300, toAll|other), other),
		"to ID 0":                         interrupt(setAPIC(0x310, 0)+setAPIC(0x300, other), other),
		"to the logical ID, flat":         interrupt(setAPIC(0xD0, 4<<24)+setAPIC(0x310, 6<<24)+setAPIC(0x300, 1<<11|other), other),
		"to the logical ID, clusters":     interrupt(setAPIC(0xE0, 0)+setAPIC(0xD0, 0x24<<24)+setAPIC(0x310, 0x2C<<24)+setAPIC(0x300, 1<<11|other), other),
		"by the timer":                    interrupt(setAPIC(0x3E0, 0xB)+setAPIC(0x320, other)+setAPIC(0x380, 1), other),
		"an NMI to itself":                interrupt(setAPIC(0x310, 0)+setAPIC(0x300, 4<<8), uop.VectorNMI),
		"to another, there is none":       {code: asm(toXAPIC, setAPIC(0x310, 1<<24), setAPIC(0x300, other), "FB 90 F4"), setup: mapAPIC, want: halts()},
		"to a cluster, it is another one": {code: asm(toXAPIC, setAPIC(0xE0, 0), setAPIC(0xD0, 0x24<<24), setAPIC(0x310, 0x34<<24), setAPIC(0x300, 1<<11|other), "FB 90 F4"), setup: mapAPIC, want: halts()},
	} {
		p.name = name
		prove(t, p)
	}
}

// LINT0 as the local vector table has it: an NMI, an interrupt of its own, or none (SDM vol. 3, 11.5.1).
func TestLINT0(t *testing.T) {
	for name, c := range map[string]struct {
		lvt    uint64
		vector int // -1 for none
	}{
		"an NMI": {4 << 8, uop.VectorNMI}, "fixed": {0x55, 0x55}, "masked": {apicLVTMask | 0x55, -1}, "SMI": {2 << 8, -1},
	} {
		m := newScene(t, &program{name: name, code: "FB 90 90 F4"}, 0)
		m.APIC.lvt[lvtLINT0] = c.lvt
		m.APIC.INTR(true)
		m.APIC.INTR(true) // no edge
		e := m.Run(m.until)
		if c.vector < 0 {
			halts()(t, m, e)
		} else if got := m.caught(t, e); int(got.vector) != c.vector {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
