package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// A sharing platform has one page, and one of 2 MiB, in the shared plane.
type sharing struct{ *Plain }

const sharedPage, sharedBig = progUser + 0x3000, 2 * progBig

func (p sharing) Resolve(c *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	if gpa != sharedPage && gpa&^(progBig-1) != sharedBig {
		return p.Plain.Resolve(c, gpa, a)
	}
	f := mem.FrameOf(physical.Shared, gpa)
	return Translation{Host: p.Memory.Page(f), Frame: f, GPA: gpa}, nil
}

// SDM vol. 3, 18.3.1.6: a locked access in two cache lines is followed by #DB at CPL 3, if software has asked for that, and
// DR6.BLD is 0 then.
func TestBusLocks(t *testing.T) {
	const line, split = progUser + 0x800, progUser + 0x800 + 64 - 2
	at := func(address uint64) func(*scene) { // in RDI
		return func(m *scene) {
			m.CPU.busLocks.known = true
			m.DetectBusLocks(true)
			m.from.GPR[uop.RDI] = address
		}
	}
	trap := func(t *testing.T, m *scene, e Exit) { // at the mark
		t.Helper()
		raises(uop.VectorDB, 0)(t, m, e)
		if m.dr[6] != resetDR6&^dr6BusLock {
			t.Errorf("DR6 %#x", m.dr[6])
		}
	}
	none := func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		if c := m.caught(t, e); c.vector != 0x40 || m.dr[6] != resetDR6 {
			t.Errorf("vector %d at %#x, DR6 %#x", c.vector, c.rip, m.dr[6])
		}
	}
	for name, code := range map[string]string{
		"ADD": "F0 01 07", "ADD of 8 bytes": "F0 48 01 07", "NOT": "F0 F7 17", "INC": "F0 FF 07", "XADD": "F0 0F C1 07", "XADD to its address": "F0 48 0F C1 3F",
		"CMPXCHG": "F0 0F B1 0F", "CMPXCHG8B": "F0 0F C7 0F", "XCHG": "87 07", "XCHG with LOCK": "F0 87 07", "BTS": "F0 0F BA 2F 03",
		"BTS of a bit elsewhere": "F0 0F AB 07", "with displacement": "F0 83 47 00 01",
	} {
		if name == "XADD to its address" {
			prove(t, program{name: name, user: true, code: asm(code, "|CD 40"), setup: at(split), want: trap})
			continue
		}
		prove(t,
			program{name: name, user: true, code: asm(code, "|CD 40"), setup: at(split), want: trap},
			program{name: name + " in one line", user: true, code: asm(code, "CD 40"), setup: at(line), want: none},
			program{name: name + " at CPL 0", code: asm(code, "CD 40"), setup: at(split), want: none},
			program{name: name + " unasked", user: true, code: asm(code, "CD 40"), setup: func(m *scene) { m.from.GPR[uop.RDI] = split }, want: none},
		)
	}
	prove(t,
		program{name: "a byte", user: true, code: asm("F0 00 07 CD 40"), setup: at(line + 63), want: none},
		program{name: "two bytes in two lines", user: true, code: asm("66 F0 01 07 |CD 40"), setup: at(line + 63), want: trap},
		program{name: "two bytes in one", user: true, code: asm("66 F0 01 07 CD 40"), setup: at(line + 62), want: none},
		program{name: "without LOCK", user: true, code: asm("01 07 CD 40"), setup: at(split), want: none},
		program{name: "asked no more", user: true, code: asm("F0 01 07 CD 40"), setup: func(m *scene) { at(split)(m); m.DetectBusLocks(false) }, want: none},
		program{name: "a bit that is elsewhere", user: true, code: asm("F0 0F AB 07 |CD 40"), setup: func(m *scene) { // bts [rdi], eax
			at(line)(m)
			m.from.GPR[uop.RAX] = 8 * 60
		}, want: none},
		program{name: "a bit that is in two lines", user: true, code: asm("F0 0F AB 07 |CD 40"), setup: func(m *scene) {
			at(line + 2)(m)
			m.from.GPR[uop.RAX] = 8 * 60
		}, want: trap},
		program{name: "one that faults is none", user: true, code: asm("|F0 01 07 CD 40"), setup: func(m *scene) {
			at(progUser + 0x2000 - 2)(m)
			m.protect(progUser+0x2000, pteP|pteU)
		}, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != uop.VectorPF || m.dr[6] != resetDR6 {
				t.Errorf("vector %d, DR6 %#x", c.vector, m.dr[6])
			}
		}},
		program{name: "MOV to DR6 keeps BLD", code: asm(movImm(uop.RAX, resetDR6&^dr6BusLock), "0F 23 F0 0F 21 F3 F4"), setup: at(0), want: halts(reg{uop.RBX, resetDR6 &^ dr6BusLock})}, // mov dr6, rax; mov rbx, dr6
		program{name: "where there are none it is 1", code: asm(movImm(uop.RAX, resetDR6&^dr6BusLock), "0F 23 F0 0F 21 F3 F4"), want: halts(reg{uop.RBX, resetDR6})},
	)
}

// SDM vol. 3, 12.12.3, table 12-11: which entry of the PAT a page has. Where the entry is not write-back, a locked access in one
// line is a bus lock, too; in the shared plane only.
func TestBusLocksOnUncachedMemory(t *testing.T) {
	const private = progUser + 0x1000
	share := func(m *scene) { m.cfg.Platform = sharing{m.cfg.Platform.(*Plain)} }
	at := func(address, flags, pat uint64) func(*scene) {
		return func(m *scene) {
			m.CPU.busLocks.known = true
			m.DetectBusLocks(true)
			m.from.GPR[uop.RDI] = address
			if address < progBig {
				m.protect(address, pteP|pteW|pteU|pteA|pteD|flags)
			} else {
				m.write(progPD+address/progBig*8, address|pteP|pteW|pteU|pteA|pteD|ptePS|flags)
			}
			m.msr.pat = pat
		}
	}
	const uncachedPA4 = ResetPAT &^ (0xFF << 32)
	for name, test := range map[string]struct {
		address, flags, pat uint64
		traps               bool
	}{
		"write-back":                              {sharedPage, 0, ResetPAT, false},
		"write-through":                           {sharedPage, ptePWT, ResetPAT, true},
		"uncached, unless MTRRs say so":           {sharedPage, ptePCD, ResetPAT, true},
		"uncached":                                {sharedPage, ptePCD | ptePWT, ResetPAT, true},
		"by the PAT write-back":                   {sharedPage, ptePCD, ResetPAT&^(7<<16) | typeWB<<16, false},
		"the PAT's upper half":                    {sharedPage, ptePAT, uncachedPA4, true},
		"the PAT's upper half of a page of 2 MiB": {sharedBig, pteLargePAT, uncachedPA4, true},
		"PS of a page of 2 MiB is not PAT":        {sharedBig, 0, uncachedPA4, false},
		"uncached of a page of 2 MiB":             {sharedBig, ptePCD, ResetPAT, true},
		"uncached in the private plane":           {private, ptePCD | ptePWT, ResetPAT, false},
	} {
		for form, code := range map[string]string{"a byte": "F0 00 07", "4 bytes": "F0 01 07", "16 bytes": "F0 48 0F C7 0F"} {
			// Once for a page that the TLB does not have yet, and once for one that it has.
			for state, before := range map[string]string{"": "", ", met before": "83 27 FF"} { // and dword [rdi], -1
				prove(t, program{name: name + ", " + form + state, user: true, before: share, code: asm(before, code, "|CD 40"), setup: at(test.address, test.flags, test.pat), want: func(t *testing.T, m *scene, e Exit) {
					c := m.caught(t, e)
					if trapped := c.vector == uop.VectorDB && m.dr[6] == resetDR6&^dr6BusLock; trapped != test.traps || !trapped && c.vector != 0x40 || trapped && c.rip != m.mark {
						t.Errorf("vector %d at %#x, DR6 %#x, want a trap: %v", c.vector, c.rip, m.dr[6], test.traps)
					}
				}})
			}
		}
	}
}
