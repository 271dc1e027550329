package snp_test

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// Where no page-table entry can have a C-bit, all accesses are private (APM 15.34.5): with paging off, and with entries of 32
// bits, whose tables are private, too.
func TestUnpagedAccessesArePrivate(t *testing.T) {
	const at, directory = low - 0x1000, low - 0x2000
	for name, paging := range map[string]uint64{"paging off": 0, "32-bit paging": x86.CR0PG} {
		m := newMachine(t)
		m.write(directory, 0x83) // 4 MiB, present, writable
		m.write(at, 0x1122_3344)
		s := m.cpu.State()
		s.CR0, s.CR3, s.CR4, s.EFER = x86.CR0PE|x86.CR0NE|x86.CR0ET|paging, directory, x86.CR4PSE, 0
		for i := range s.Seg {
			s.Seg[i].Attr = 0xC093
		}
		s.Seg[1].Attr = 0xC09B
		m.cpu.SetState(&s)
		o := m.run(regs{x86.RAX: at}, 0x8B, 0x18, 0x89, 0x58, 0x08) // mov ebx, [eax]; mov [eax+8], ebx
		if o.vector != done || o.err != nil || m.cpu.R[x86.RBX] != 0x1122_3344 || uint32(m.word(physical.Private, at+8)) != 0x1122_3344 {
			t.Errorf("%s: %+v, EBX %#x, memory %#x", name, o, m.cpu.R[x86.RBX], m.word(physical.Private, at+8))
		}
	}
}
