package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A processor that has no randomness says so: the destination is 0, and so is CF (SDM vol. 2, RDRAND, RDSEED).
func TestNoRandom(t *testing.T) {
	ends := func(dry bool) func(t *testing.T, m *scene, e Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			m.caught(t, e)
			if carry := m.R[uop.RBX]&1 != 0; carry == dry || (m.R[uop.RAX] == 0) != dry {
				t.Errorf("without randomness %v: RAX %#x, CF %v", dry, m.R[uop.RAX], carry)
			}
		}
	}
	for name, code := range map[string]string{"RDRAND": "48 0F C7 F0", "RDSEED": "48 0F C7 F8"} {
		code += " 0F 92 C3 CD 40" // setc bl
		set := func(dry bool) func(*scene) {
			return func(m *scene) {
				m.CPU.random.dry = dry
				m.from.GPR[uop.RAX], m.from.GPR[uop.RBX] = 5, 0
			}
		}
		prove(t,
			program{name: name, code: asm(code), setup: set(false), want: ends(false)},
			program{name: name + " without randomness", code: asm(code), setup: set(true), want: ends(true)},
		)
	}
}
