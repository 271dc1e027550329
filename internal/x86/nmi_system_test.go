package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// nmiToAll is a non-maskable interrupt to all, this processor included, by the interrupt command register.
const nmiToAll = 2<<18 | 4<<8

// SDM vol. 3, 6.7: when non-maskable interrupts are let in, and when the next one is.
func TestNMI(t *testing.T) {
	request := func(m *scene) { m.NMI() }
	send := asm(wrmsr(apicICR, nmiToAll))
	count := asm("FF 04 25", le(progData, 4)) // inc dword [progData]
	// counting has the handler count, and send as many more from within as it is told, in the first round only.
	counting := func(more string) func(m *scene) {
		return func(m *scene) {
			skip := asm("83 3C 25", le(progData, 4), "01", "75") // cmp dword [progData], 1; jne over what comes
			m.handler(uop.VectorNMI, progFree, asm(count, skip, le(uint64(len(asm(more))/2), 1), more, "48 CF"))
		}
	}
	counted := func(n uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if got := m.word(progData) & 0xFFFF_FFFF; got != n {
				t.Errorf("%d were taken, want %d", got, n)
			}
		}
	}
	prove(t,
		program{name: "with IF clear", code: asm("|90"), setup: request, want: interrupted(uop.VectorNMI)},
		program{name: "whatever TPR is", code: asm(wrmsr(apicTPR, 0xFF), send, "|90"), want: interrupted(uop.VectorNMI)},
		program{name: "before an interrupt that waits, too", code: asm("|90"), setup: func(m *scene) {
			deliver(FlagIF, irq)(m)
			m.NMI()
		}, want: interrupted(uop.VectorNMI)},
		program{name: "the controller need not be enabled", code: asm(wrmsr(apicSVR, 0xFF), send, "|90"), want: interrupted(uop.VectorNMI)},
		program{name: "to others", code: asm(wrmsr(apicICR, 3<<18|4<<8), "90 F4"), want: halts()},
		program{name: "to itself by shorthand there is none", code: asm(wrmsr(apicICR, 1<<18|4<<8), "90 F4"), want: halts()},
		program{name: "one more is kept while one is handled", code: asm(send, "F4"), setup: counting(send), want: counted(2)},
		program{name: "and no third", code: asm(send, "F4"), setup: counting(send + send), want: counted(2)},
		program{name: "IRET of a fault within the handler lets it in", code: asm(send, "F4"), setup: func(m *scene) {
			counting(asm(send, "0F 0B"))(m)                                                                      // ud2
			m.handler(uop.VectorUD, progFree+0x100, asm("48 83 04 24 02", "8B 1C 25", le(progData, 4), "48 CF")) // add qword [rsp], 2; mov ebx, [progData]; iretq
		}, want: func(t *testing.T, m *scene, e Exit) {
			counted(2)(t, m, e)
			m.wantRegs(t, reg{uop.RBX, 1})
		}},
	)
}

// KVM's unit tests (x86/apic.c, test_sti_nmi): none is taken right after STI; the same holds after MOV SS (SDM vol. 3, 6.8.3).
func TestNMIInTheShadow(t *testing.T) {
	for name, code := range map[string]string{"STI": "FB 90", "MOV SS": "8E D3"} { // mov ss, ebx
		code += asm("FF C0 FF C0 F4") // inc eax, twice
		n := int64(1)
		m := newScene(t, &program{name: name, code: code, setup: func(m *scene) { m.from.GPR[uop.RBX] = selData }}, 0)
		if e := m.Run(m.Now() + n); e.Kind != ExitDeadline {
			t.Fatalf("%s: %v", name, e)
		}
		m.NMI()
		e := m.Run(m.until)
		if c := m.caught(t, e); c.vector != uop.VectorNMI || m.R[uop.RAX] > 1 || (m.R[uop.RAX] == 0) != (name == "STI") {
			t.Errorf("%s: %+v with RAX %d", name, c, m.R[uop.RAX])
		}
	}
}

// It ends HLT, with IF clear too.
func TestNMIEndsHalt(t *testing.T) {
	m := newScene(t, &program{name: "HLT", code: asm("FA F4 90 F4")}, 0) // cli
	if e := m.Run(m.until); e.Kind != ExitHalted || m.Ready() != Never {
		t.Fatalf("%v, ready at %d", e, m.Ready())
	}
	m.NMI()
	if m.Ready() != m.Now() {
		t.Errorf("ready at %d ns, now is %d", m.Ready(), m.Now())
	}
	if c := m.caught(t, m.Run(m.until)); c.vector != uop.VectorNMI || c.rip != progCode+2 {
		t.Errorf("%+v", c)
	}
}

// The TDX module injects none while the information about a #VE is valid.
func TestNMIIsHeld(t *testing.T) {
	m := newScene(t, &program{name: "held", code: asm("90 F4")}, 0)
	m.HoldNMI(true)
	m.NMI()
	if e := m.Run(m.until); e.Kind != ExitHalted || m.Ready() != Never {
		t.Fatalf("%v, ready at %d", e, m.Ready())
	}
	m.HoldNMI(false)
	if c := m.caught(t, m.Run(m.until)); c.vector != uop.VectorNMI {
		t.Errorf("%+v", c)
	}
}
