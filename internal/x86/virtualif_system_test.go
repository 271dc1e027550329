package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SDM vol. 3, 21.4, and vol. 2, CLI and STI: with CR4.PVI they are about VIF at CPL 3 where IOPL forbids IF, and STI raises #GP
// while VIP is set. Nothing else is changed by it.
func TestProtectedModeVirtualInterrupts(t *testing.T) {
	const all = FlagIF | FlagVIF | FlagVIP
	begin := func(cr4, flags uint64) func(*scene) {
		return func(m *scene) {
			m.from.CR4 |= cr4
			m.from.RFLAGS = m.from.RFLAGS&^(all|iopl) | flags
		}
	}
	left := func(want uint64) func(*testing.T, *scene, Exit) { // the program ended with INT 0x40 and these flags
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			if c := m.caught(t, e); c.vector != 0x40 || c.flags&all != want {
				t.Errorf("vector %d at %#x with flags %#x, want %#x of them", c.vector, c.rip, c.flags, want)
			}
		}
	}
	prove(t,
		program{name: "CLI clears VIF", user: true, code: asm("FA CD 40"), setup: begin(CR4PVI, FlagIF|FlagVIF), want: left(FlagIF)},
		program{name: "… and does not mind VIP", user: true, code: asm("FA CD 40"), setup: begin(CR4PVI, FlagVIF|FlagVIP), want: left(FlagVIP)},
		program{name: "STI sets VIF", user: true, code: asm("FB CD 40"), setup: begin(CR4PVI, 0), want: left(FlagVIF)},
		program{name: "STI while VIP is set", user: true, code: asm("|FB CD 40"), setup: begin(CR4PVI, FlagVIP), want: raises(uop.VectorGP, 0)},
		program{name: "CLI without PVI", user: true, code: asm("|FA CD 40"), setup: begin(CR4VME, FlagIF), want: raises(uop.VectorGP, 0)},
		program{name: "STI without PVI", user: true, code: asm("|FB CD 40"), setup: begin(0, FlagIF), want: raises(uop.VectorGP, 0)},
		program{name: "CLI with IOPL 3 is about IF", user: true, code: asm("FA CD 40"), setup: begin(CR4PVI, FlagIF|FlagVIF|iopl), want: left(FlagVIF)},
		program{name: "STI with IOPL 3 is, too", user: true, code: asm("FB CD 40"), setup: begin(CR4PVI, FlagVIP|iopl), want: left(FlagIF | FlagVIP)},
		program{name: "POPF changes neither", user: true, code: asm("9C 81 34 24 00 02 18 00 9D CD 40"), setup: begin(CR4PVI, FlagIF|FlagVIF), want: left(FlagIF | FlagVIF)}, // pushfq; xor dword [rsp], IF|VIF|VIP; popfq
		program{name: "PUSHF shows both as they are", user: true, code: asm("9C 58 CD 40"), setup: begin(CR4PVI, FlagVIF), want: func(t *testing.T, m *scene, e Exit) { // pushfq; pop rax
			left(FlagVIF)(t, m, e)
			if m.R[uop.RAX]&all != FlagVIF {
				t.Errorf("it pushes %#x", m.R[uop.RAX])
			}
		}},
		program{name: "at CPL 0 they are about IF", code: asm("FB FA FB CD 40"), setup: begin(CR4PVI, FlagVIF), want: left(FlagIF | FlagVIF)},
		program{name: "IRET at CPL 0 sets VIF and VIP", code: asm(pushIRET(selUData|3, progUSP, 2|FlagVIF|FlagVIP, selUCode|3, progUser), "48 CF"), setup: func(m *scene) {
			begin(CR4PVI, 0)(m)
			userInt(m)
		}, want: left(FlagVIF | FlagVIP)},
		program{name: "IRET at CPL 3 sets neither", user: true, code: asm(pushIRET(selUData|3, progUSP, 2|FlagVIF|FlagVIP, selUCode|3, progUser+0x800), "48 CF"), setup: func(m *scene) {
			begin(CR4PVI, 0)(m)
			m.put(progUser+0x800, []byte{0xCD, 0x40})
		}, want: left(0)},
	)
}
