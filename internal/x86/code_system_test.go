package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// SDM vol. 3, 9.1.3: a store to code is seen by the next instruction, on the same processor, through whatever address
// it was made.
func TestSelfModifyingCode(t *testing.T) {
	const alias = progFree + 0x3000 // a second mapping of the code's page
	aliased := func(m *scene) { m.write(pte(alias), progCode|pteP|pteW|pteA|pteD) }
	patch := func(base, offset uint64) string { return "C6 04 25" + le(base+offset, 4) } // mov byte [base+offset], imm8 follows: eight bytes
	prove(t,
		program{name: "the next instruction", code: asm(patch(progCode, 8+1), "07", "B0 01", "F4"), want: halts(reg{uop.RAX, 7})}, // mov al, 1 becomes mov al, 7
		program{name: "the next instruction through another mapping", code: asm(patch(alias, 8+1), "07", "B0 01", "F4"), setup: aliased, want: halts(reg{uop.RAX, 7})},
		program{name: "further on in the block", code: asm(patch(progCode, 8+3+1), "07", "90 90 90", "B0 01", "F4"), want: halts(reg{uop.RAX, 7})},
		program{name: "the storing instruction itself", code: asm("B9 02 00 00 00", "FE 04 25", le(progCode+8, 4), "FF C9 75 F5", movFrom(progCode+5), "F4"), // mov ecx, 2; 1: inc byte [its own address]; dec ecx; jnz 1b
			want: halts(reg{uop.RAX, 0xFF_00_01_01_09_25_04_FE})},
		program{name: "after a backward jump to a block that is known", code: asm("31 DB B9 03 00 00 00", "83 C3 01", patch(progCode, 7+2), "10", "FF C9 75 F1", "F4"), // xor ebx, ebx; mov ecx, 3; 1: add ebx, 1; mov byte [1b+2], 16; dec ecx; jnz 1b
			want: halts(reg{uop.RBX, 1 + 16 + 16})},
		program{name: "a routine in another page", code: asm(movImm(uop.RBX, progFree), "FF D3", "C6 04 25", le(progFree+1, 4), "05", "FF D3", "F4"), setup: func(m *scene) {
			m.put(progFree, []byte{0xB0, 1, 0x00, 0xC1, 0xC3}) // mov al, 1; add cl, al; ret
		}, want: halts(reg{uop.RCX, 6})},
		program{name: "by REP STOSB over the running block", code: asm("BF", le(progCode+17, 4), "B9 02 00 00 00", "B8 90 90 90 90", "F3 AA", "F4 F4", "B3 09", "F4"), // mov edi, …; mov ecx, 2; mov eax, NOPs; rep stosb; hlt; hlt; mov bl, 9
			want: halts(reg{uop.RBX, 9})},
		program{name: "by PUSH", code: asm(movImm(uop.RSP, progCode+10+10+1+8), movImm(uop.RAX, 0x9090_90F4_09B3_9090), "50", "F4 F4 F4 F4 F4 F4 F4 F4"), // the push replaces eight HLTs: nop; nop; mov bl, 9; hlt
			want: halts(reg{uop.RBX, 9})},
		program{name: "by CALL, which returns into what it wrote over", code: asm(movImm(uop.RSP, progCode+0x108), movImm(uop.RBX, progCode+0x100), "90 90 90", "FF D3", "F4"), setup: func(m *scene) {
			m.from.GPR[uop.RAX] = progData
			m.write(progCode+0x100, 0xF4F4_F4F4_F4F4_F4F4, 0xF4F4_F4F4_F4F4_F4F4) // the first becomes 19 00 01 00 …: sbb [rax], eax; add [rax], eax; …
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts()(t, m, e)
			if m.word(progCode+0x100) != progCode+25 || m.RIP() != progCode+0x109 {
				t.Errorf("the return address on the code's page is %#x", m.word(progCode+0x100))
			}
		}},
		program{name: "by an interrupt's frame", code: asm(movImm(uop.RSP, progCode+0x100+0x30), "CD 41", "F4"), setup: func(m *scene) {
			// The handler lies where the frame goes: its first bytes become RIP, progCode+0xC: 0C 00 01 00 …: or al, 0;
			// add [rax], eax.
			m.gate(0x41, progCode+0x100+0x30-40, 0x8E00)
			m.from.GPR[uop.RAX] = progData
			for i := range uint64(6) {
				m.write(progCode+0x100+8*i, 0xF4F4_F4F4_F4F4_F4F4)
			}
			m.until = 3
		}, want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitDeadline || m.RIP() != progCode+0x108+2 {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "an instruction of two pages, its second half", code: asm(movImm(uop.RBX, progFree+0xFFF), "FF D3", "C6 04 25", le(progFree+0x1000, 4), "05", "FF D3", "F4"), setup: func(m *scene) {
			m.put(progFree+0xFFF, []byte{0xB0, 1, 0x00, 0xC1, 0xC3}) // mov al, 1; add cl, al; ret
		}, want: halts(reg{uop.RCX, 6})},
		program{name: "through an entry of the TLB that let stores through before there was code", code: asm( // mov al, 5; ret, called; then mov al, 7
			"C7 04 25", le(progFree, 4), "B0 05 C3 90", "BB", le(progFree, 4), "FF D3", "C6 04 25", le(progFree+1, 4), "07", "FF D3", "F4"),
			want: halts(reg{uop.RAX, 7})},
		program{name: "the same of the second page of an instruction", code: asm(
			"C7 04 25", le(progFree+0x1000, 4), "05 C3 90 90", "BB", le(progFree+0xFFF, 4), "FF D3", "C6 04 25", le(progFree+0x1000, 4), "07", "FF D3", "F4"),
			setup: func(m *scene) { m.put(progFree+0xFFF, []byte{0xB0}) }, want: halts(reg{uop.RAX, 7})},
		program{name: "by the page walk, which sets bits in an entry that is executed itself", code: asm(
			"BA 04 00 00 00 BB", le(pte(progFree), 4), "B8 01 00 00 00 FF D3 89 C6", // mov edx, 4; mov ebx, entry; mov eax, 1; call rbx; mov esi, eax
			"8A 0C 25", le(progFree, 4), "B8 01 00 00 00 FF D3 89 C7", // mov cl, [..], which sets A; mov eax, 1; call rbx; mov edi, eax
			"88 0C 25", le(progFree, 4), "B8 01 00 00 00 FF D3 F4"), // mov [..], cl, which sets D; mov eax, 1; call rbx
			setup: func(m *scene) {
				// add eax, edx; add eax, 0; ret. With A set the first is and eax, edx; with D, too, movsxd eax, edx.
				m.write(pte(progFree), 0xC300_0000_0005_C203)
			}, want: halts(reg{uop.RSI, 5}, reg{uop.RDI, 0}, reg{uop.RAX, 4})},
		program{name: "by the page walk, which sets a bit in a table that lies among the code", code: asm("EB 0E", le(0, 6), le(progData|pteP|pteW, 8), movFrom(2*progBig+0x1000), "83 C3 01", "F4"), setup: func(m *scene) { // jmp; …; mov rax, [..]; add ebx, 1
			m.write(progPD+8*2, progCode|pteP|pteW|pteA)
			m.write(progData, 55)
		}, want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RAX, 55}, reg{uop.RBX, 1})(t, m, e)
			if v := m.word(progCode + 8); v != progData|pteP|pteW|pteA {
				t.Errorf("the entry is %#x", v)
			}
		}},
	)
}

// A frame that is mapped twice in a row runs on into itself; elsewhere it runs on into what is mapped after it there.
func TestLinksDoNotOutliveTheMapping(t *testing.T) {
	const (
		twice = progFree + 0x1000 // and the page after: the frame progData
		once  = progFree + 0x4000 // the frame progData, and after it progData+0x1000
	)
	setup := func(tail ...byte) func(*scene) {
		return func(m *scene) {
			m.put(progData, []byte{0x83, 0xC3, 0x01, 0xC3}) // add ebx, 1; ret
			m.put(progData+0x1000-uint64(len(tail)), tail)
			m.put(progData+0x1000, []byte{0x83, 0xC3, 0x10, 0xC3}) // add ebx, 16; ret
			for _, v := range []uint64{twice, twice + 0x1000, once} {
				m.write(pte(v), progData|pteP|pteA)
			}
			m.write(pte(once+0x1000), (progData+0x1000)|pteP|pteA)
		}
	}
	code := func(offset uint64) string {
		return asm(movImm(uop.RAX, twice+0x1000-offset), "FF D0", "FF D0", movImm(uop.RAX, once+0x1000-offset), "FF D0", "F4") // call rax, twice; call rax
	}
	prove(t,
		program{name: "running on", code: code(1), setup: setup(0x90), want: halts(reg{uop.RBX, 18})},
		program{name: "a jump", code: code(2), setup: setup(0xEB, 0x00), want: halts(reg{uop.RBX, 18})},
		program{name: "a conditional jump", code: code(4), setup: setup(0x38, 0xC0, 0x74, 0x00), want: halts(reg{uop.RBX, 18})}, // cmp al, al; jz
		program{name: "a call", code: code(5), setup: setup(0xE8, 0, 0, 0, 0), want: halts(reg{uop.RBX, 36})},                   // which returns to where it went
	)
}

// SDM vol. 3, 4.10.2.3: an address that leads elsewhere after INVLPG or a load of CR3 executes what is there.
func TestCodeFollowsTheMapping(t *testing.T) {
	const va, other = progFree + 0x1000, progData
	setup := func(flags uint64) func(*scene) {
		return func(m *scene) {
			m.put(va, []byte{0x83, 0xC3, 0x01, 0xC3})    // add ebx, 1; ret
			m.put(other, []byte{0x83, 0xC3, 0x10, 0xC3}) // add ebx, 16; ret
			m.write(pte(va), va|pteP|pteA|flags)
		}
	}
	call := asm(movImm(uop.RAX, va), "FF D0")
	remap := func(flags uint64) string { return asm(movImm(uop.RAX, other|pteP|pteA|flags), movTo(pte(va))) }
	prove(t,
		program{name: "INVLPG", code: asm(call, remap(0), "0F 01 3C 25", le(va, 4), call, "F4"), setup: setup(0), want: halts(reg{uop.RBX, 17})},
		program{name: "loading CR3", code: asm(call, remap(0), "0F 20 D8 0F 22 D8", call, "F4"), setup: setup(0), want: halts(reg{uop.RBX, 17})},
		program{name: "loading CR3, global", code: asm(call, remap(pteG), "0F 20 D8 0F 22 D8", call, "F4"), setup: setup(pteG), want: halts(reg{uop.RBX, 2})},
		program{name: "rights that are taken away", code: asm(call, remap(pteNX), "0F 01 3C 25", le(va, 4), call, "F4"), setup: setup(0), want: raisesFetchPF(faultP|faultI, va)},
		program{name: "the second page of an instruction", code: asm(movImm(uop.RAX, va+0xFFF), "FF D0", movImm(uop.RBX, 0), // 83 at the end of the page, C3 01 C3 in the next
			movImm(uop.RAX, other|pteP|pteA), movTo(pte(va+0x1000)), "0F 01 3C 25", le(va+0x1000, 4), movImm(uop.RAX, va+0xFFF), "FF D0", "F4"), setup: func(m *scene) {
			m.put(va+0xFFF, []byte{0x83, 0xC3, 0x01, 0xC3})
			m.put(other, []byte{0xC3, 0x10, 0xC3})
		}, want: halts(reg{uop.RBX, 16})},
		program{name: "a loop whose last jump goes on in another page, which becomes another one meanwhile", code: asm(
			"B9 64 00 00 00 BA", le(va+0xFFB, 4), "FF D2", // mov ecx, 100; mov edx, loop; call rdx
			movImm(uop.RAX, other|pteP|pteA), movTo(pte(va+0x1000)), "0F 01 3C 25", le(va+0x1000, 4), "B9 03 00 00 00 FF D2", // mov ecx, 3; call rdx
			"F4"), setup: func(m *scene) {
			m.put(va+0xFFB, []byte{0xFF, 0xC3, 0xFF, 0xC9, 0x75, 0xFA, 0xC3}) // 1: inc ebx; dec ecx; jnz 1b, of which FA lies in the next page; ret
			m.put(other, []byte{0xFC, 0xC3})                                  // there: jnz to dec ecx; ret
		}, want: halts(reg{uop.RBX, 101})},
		program{name: "a loop whose last jump goes on in another page, of which other bytes change, and then these", code: asm(
			"B9 64 00 00 00 BA", le(va+0xFFB, 4), "FF D2", // mov ecx, 100; mov edx, loop; call rdx
			"C6 04 25", le(va+0x1001, 4), "90 B9 64 00 00 00 FF D2", // mov byte [the first ret], nop; mov ecx, 100; call rdx
			"C6 04 25", le(va+0x1000, 4), "FC B9 64 00 00 00 FF D2 F4"), setup: func(m *scene) { // mov byte [..], FC: jnz to dec ecx; mov ecx, 100; call rdx
			m.put(va+0xFFB, []byte{0xFF, 0xC3, 0xFF, 0xC9, 0x75, 0xFA, 0xC3, 0xC3})
		}, want: halts(reg{uop.RBX, 201})},
		program{name: "what is fetched when does not depend on blocks: more pages than the TLB has entries, one of them changed without INVLPG", code: asm(
			call, remap(0),
			"B9", le(fetchSize, 4), "48 C7 C2", le(progBig, 4), // mov ecx, …; mov rdx, …: a page of 2 MiB full of RETs
			"FF D2", "48 81 C2", le(0x1000, 4), "E2 F5", // 1: call rdx; add rdx, 0x1000; loop 1
			call, "F4"), setup: func(m *scene) {
			setup(0)(m)
			for p := uint64(progBig); p < progBig+fetchSize*0x1000; p += 0x1000 {
				m.put(p, []byte{0xC3})
			}
		}, want: halts(reg{uop.RBX, 17})},
	)
}

// A place to stop at stops whatever leads there, also a run through the bytes in front of it.
func TestTrapsInTheMiddleOfABlock(t *testing.T) {
	prove(t, program{name: "run into", code: asm("90 90 90", "|90 90 F4"), setup: func(m *scene) {
		m.cfg.Traps = trapAt(progCode + 3)
		m.CPU = New(m.cfg)
	}, want: func(t *testing.T, m *scene, e Exit) {
		if e.Kind != ExitTrap || e.GPA != m.mark || m.RIP() != m.mark || m.Instructions() != 3 {
			t.Errorf("exit %v at %#x after %d instructions", e, m.RIP(), m.Instructions())
		}
	}})
}

type trapAt uint64

func (a trapAt) Trap(gpa uint64) bool { return gpa == uint64(a) }

// SDM vol. 3, 6.5: an instruction whose operand lies in two pages is done wholly or not at all.
func TestAccessesAcrossPages(t *testing.T) {
	const edge = progData + 0x1000
	absent := func(m *scene) {
		m.write(edge-8, 0x1111_1111_1111_1111)
		m.protect(edge, 0)
	}
	untouched := func(code uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			raisesPF(code, edge)(t, m, e)
			if v := m.word(edge - 8); v != 0x1111_1111_1111_1111 {
				t.Errorf("the first page was written to: %#x", v)
			}
			m.wantRegs(t, reg{uop.RAX, 0x2222})
		}
	}
	at := func(code string) string { return asm(movImm(uop.RAX, 0x2222), "|", code, le(edge-4, 4)) }
	prove(t,
		program{name: "store", code: at("48 89 04 25"), setup: absent, want: untouched(faultW)},
		program{name: "load", code: at("48 8B 04 25"), setup: absent, want: untouched(0)},
		program{name: "add to memory", code: at("48 01 04 25"), setup: absent, want: untouched(faultW)},
		program{name: "exchange", code: at("48 87 04 25"), setup: absent, want: untouched(faultW)},
		program{name: "compare and exchange", code: at("48 0F B1 04 25"), setup: absent, want: untouched(faultW)},
		program{name: "16 bytes", code: at("0F 11 04 25"), setup: absent, want: untouched(faultW)}, // movups [..], xmm0
		program{name: "CMPXCHG16B must be aligned", code: at("48 0F C7 0C 25"), setup: absent, want: raises(uop.VectorGP, 0)},
		program{name: "MOVAPS must be aligned", code: at("0F 29 04 25"), setup: absent, want: raises(uop.VectorGP, 0)},
		program{name: "the second page read-only", code: at("48 01 04 25"), setup: func(m *scene) {
			absent(m)
			m.protect(edge, pteP)
		}, want: untouched(faultP | faultW)},
		program{name: "both pages absent: the first is told of", code: at("48 01 04 25"), setup: func(m *scene) {
			m.protect(progData, 0)
			m.protect(edge, 0)
		}, want: raisesPF(faultW, edge-4)},
		program{name: "both there", code: asm(movImm(uop.RAX, 0x1234_5678_9ABC_DEF0), movTo(edge-4), "8B 1C 25", le(edge, 4), "F4"), want: halts(reg{uop.RBX, 0x1234_5678})}, // mov ebx, [edge]
		program{name: "push", code: asm(movImm(uop.RSP, edge+4), movImm(uop.RAX, 0x2222), "|50"), setup: func(m *scene) {
			absent(m)
			m.gate(uop.VectorPF, progGate+uop.VectorPF*16, 0x8E01)
		}, want: untouched(faultW)},
		program{name: "fetch: the address in CR2 is the second page's", code: asm(movImm(uop.RAX, edge-2), "FF E0"), setup: func(m *scene) {
			m.put(edge-2, []byte{0x48, 0xB8}) // mov rax, imm64
			m.protect(edge, pteP|pteNX)
			m.mark = edge - 2
		}, want: raisesPF(faultP|faultI, edge)},
	)
}

// The same bytes at the same address are another instruction when control registers have changed what it does.
func TestCodeFollowsControlRegisters(t *testing.T) {
	const (
		routine = progCode + 0x200
		clear   = "0F 06"                         // clts
		set     = "0F 20 C0 48 83 C8 08 0F 22 C0" // mov rax, cr0; or rax, TS; mov cr0, rax
		call    = "FF D3"                         // call rbx
	)
	put := func(m *scene) {
		m.from.GPR[uop.RBX] = routine
		m.put(routine, []byte{0x0F, 0x57, 0xC0, 0x48, 0xFF, 0xC1, 0xC3}) // xorps xmm0, xmm0; inc rcx; ret
	}
	prove(t,
		program{name: "TS is set", code: asm(call, call, set, call, "F4"), setup: put, want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != uop.VectorNM || c.rip != routine {
				t.Errorf("got %+v", c)
			}
			m.wantRegs(t, reg{uop.RCX, 2})
		}},
		program{name: "the handler of #NM clears TS", code: asm(call, set, call, call, set, call, "F4"), setup: func(m *scene) {
			put(m)
			m.handler(uop.VectorNM, progFree, asm(clear, "48 FF C2", "48 CF")) // inc rdx; iretq
		}, want: halts(reg{uop.RCX, 4}, reg{uop.RDX, 2})},
	)
}
