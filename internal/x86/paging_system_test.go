package x86

import (
	"testing"

	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// dataPage and userPage give a page of supervisor data, and of user data, these flags.
func dataPage(flags uint64) func(*scene) {
	return func(m *scene) { m.protect(progData, flags) }
}

func userPage(flags uint64) func(*scene) {
	return func(m *scene) { m.protect(progUser+0x1000, flags) }
}

// SDM vol. 3, 4.7: the error code says what the access was and whether the page was there; CR2 holds the address to the
// byte.
func TestPageFaultErrorCodes(t *testing.T) {
	const (
		d = progData + 0x123
		u = progUser + 0x1123
	)
	jump := func(to uint64) string { return asm(movImm(uop.RAX, to), "FF E0") } // jmp rax
	prove(t,
		program{name: "supervisor read, absent", code: asm("|", movFrom(d)), setup: dataPage(0), want: raisesPF(0, d)},
		program{name: "supervisor write, absent", code: asm("|", movTo(d)), setup: dataPage(pteW), want: raisesPF(faultW, d)},
		program{name: "supervisor fetch, absent", code: jump(d), setup: dataPage(0), want: raisesFetchPF(faultI, d)},
		program{name: "supervisor write, read-only, WP", code: asm("|", movTo(d)), setup: dataPage(pteP), want: raisesPF(faultP|faultW, d)},
		program{name: "supervisor fetch, NX", code: jump(d), setup: dataPage(pteP | pteNX), want: raisesFetchPF(faultP|faultI, d)},
		program{name: "user read, absent", user: true, code: asm("|", movFrom(u)), setup: userPage(pteU), want: raisesPF(faultU, u)},
		program{name: "user write, absent", user: true, code: asm("|", movTo(u)), setup: userPage(pteU), want: raisesPF(faultU|faultW, u)},
		program{name: "user fetch, absent", user: true, code: jump(u), setup: userPage(pteU), want: raisesFetchPF(faultU|faultI, u)},
		program{name: "user read of a supervisor page", user: true, code: asm("|", movFrom(d)), want: raisesPF(faultP|faultU, d)},
		program{name: "user write to a supervisor page", user: true, code: asm("|", movTo(d)), want: raisesPF(faultP|faultU|faultW, d)},
		program{name: "user fetch of a supervisor page", user: true, code: jump(d), want: raisesFetchPF(faultP|faultU|faultI, d)},
		program{name: "user write, read-only", user: true, code: asm("|", movTo(u)), setup: userPage(pteP | pteU), want: raisesPF(faultP|faultU|faultW, u)},
		program{name: "user fetch, NX", user: true, code: jump(u), setup: userPage(pteP | pteU | pteNX), want: raisesFetchPF(faultP|faultU|faultI, u)},
		// The tables of the first 2 MiB, reached by a second entry of each level, which is NX: the page's own entry is
		// not.
		program{name: "NX of the entry in the PML4", code: jump(1<<39 | d), setup: func(m *scene) {
			m.write(progPML4+8, progPDPT|pteP|pteW|pteNX)
		}, want: raisesFetchPF(faultP|faultI, 1<<39|d)},
		program{name: "NX of the entry in the PDPT", code: jump(1<<30 | d), setup: func(m *scene) {
			m.write(progPDPT+8, progPD|pteP|pteW|pteNX)
		}, want: raisesFetchPF(faultP|faultI, 1<<30|d)},
		program{name: "NX of the entry in the directory", code: jump(3*progBig | d), setup: func(m *scene) {
			m.write(progPD+3*8, progPT|pteP|pteW|pteNX)
		}, want: raisesFetchPF(faultP|faultI, 3*progBig|d)},
		program{name: "a directory that is supervisor's keeps users out", user: true, code: asm("|", movFrom(u)),
			setup: func(m *scene) {
				m.write(progPD, progPT|pteP|pteW) // the code's page, too: it faults first
			}, want: raisesFetchPF(faultP|faultU|faultI, progUser)},
		program{name: "a directory that is read-only", code: asm("|", movTo(d)),
			setup: func(m *scene) {
				m.write(progPD, progPT|pteP|pteU)
				m.gate(uop.VectorPF, progGate+uop.VectorPF*16, 0x8E01) // even the stack is read-only: the frame goes to one in another directory entry
				m.poke(progTSS+0x24, progBig+0x1000)
			}, want: raisesPF(faultP|faultW, d)},
	)
}

// raisesFetchPF is raisesPF for the fetch of an instruction at address cr2.
func raisesFetchPF(code, cr2 uint64) func(*testing.T, *scene, Exit) {
	return func(t *testing.T, m *scene, e Exit) {
		t.Helper()
		m.mark = cr2
		raisesPF(code, cr2)(t, m, e)
	}
}

// SDM vol. 3, 4.6.1: CR0.WP makes read-only pages read-only for supervisors; users cannot write to them either way.
func TestWriteProtect(t *testing.T) {
	noWP := func(flags uint64) func(*scene) {
		return func(m *scene) {
			m.from.CR0 &^= CR0WP
			m.protect(progData, flags)
			m.protect(progUser+0x1000, flags|pteU)
		}
	}
	prove(t,
		program{name: "without WP a supervisor writes", code: asm(movImm(uop.RAX, 77), movTo(progData), movFrom(progData), "F4"), setup: noWP(pteP), want: func(t *testing.T, m *scene, e Exit) {
			halts(reg{uop.RAX, 77})(t, m, e)
			if v := m.word(pte(progData)); v&(pteA|pteD) != pteA|pteD {
				t.Errorf("the entry is %#x, want accessed and dirty", v)
			}
		}},
		program{name: "without WP a user does not", user: true, code: asm("|", movTo(progUser+0x1000)), setup: noWP(pteP), want: raisesPF(faultP|faultU|faultW, progUser+0x1000)},
		program{name: "setting WP takes effect at once", code: asm(
			movImm(uop.RAX, 5), movTo(progData), // by which the translation enters the TLB
			"0F 20 C0",       // mov rax, cr0
			"48 0F BA E8 10", // bts rax, 16
			"0F 22 C0",       // mov cr0, rax
			"|", movTo(progData),
		), setup: noWP(pteP), want: raisesPF(faultP|faultW, progData)},
	)
}

// SDM vol. 3, 4.6: SMEP keeps supervisors from executing user pages, SMAP from touching them unless AC is set.
func TestSupervisorPrevention(t *testing.T) {
	const u = progUser + 0x1000
	with := func(bits uint64) func(*scene) {
		return func(m *scene) {
			m.from.CR4 |= bits
			m.put(u, []byte{0xF4})
		}
	}
	jump := asm(movImm(uop.RAX, u), "FF E0") // jmp rax
	prove(t,
		program{name: "SMEP", code: jump, setup: with(CR4SMEP), want: raisesFetchPF(faultP|faultI, u)},
		program{name: "without SMEP", code: jump, setup: with(CR4SMAP), want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitHalted || m.RIP() != u+1 {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		}},
		program{name: "SMEP without NXE still says that it was a fetch", code: jump, setup: func(m *scene) {
			with(CR4SMEP)(m)
			m.from.EFER &^= EFERNXE
		}, want: raisesFetchPF(faultP|faultI, u)},
		program{name: "a fetch without NXE and SMEP does not say so", code: jump, setup: func(m *scene) {
			m.from.EFER &^= EFERNXE
			m.protect(u, 0)
		}, want: raisesFetchPF(0, u)},
		program{name: "SMAP read", code: asm("|", movFrom(u)), setup: with(CR4SMAP), want: raisesPF(faultP, u)},
		program{name: "SMAP write", code: asm("|", movTo(u)), setup: with(CR4SMAP), want: raisesPF(faultP|faultW, u)},
		program{name: "SMAP, STAC, CLAC", code: asm(
			"0F 01 CB",                                    // stac
			movImm(uop.RAX, 9), movTo(u), movFrom(u+0x10), // both are served
			"0F 01 CA", // clac
			"|", movFrom(u),
		), setup: with(CR4SMAP), want: raisesPF(faultP, u)},
		program{name: "SMAP keeps what AC opened from what comes after", code: asm(
			"0F 01 CB", // stac
			movFrom(u),
			"0F 01 CA",                  // clac
			"|66 0F 6F 04 25", le(u, 4), // movdqa xmm0, [u]
		), setup: with(CR4SMAP), want: raisesPF(faultP, u)},
		program{name: "SMAP, implicit access: a descriptor in a user page, AC set", code: asm(
			"0F 01 CB",           // stac
			movImm(uop.RAX, 0xC), // index 1 of the LDT
			"|8E E0",             // mov fs, eax
		), setup: func(m *scene) {
			with(CR4SMAP)(m)
			m.from.LDTR = Segment{Selector: selLDT, Attr: segPresent | typeLDT, Limit: 0x17, Base: u}
			m.write(u, 0, progDescriptors[selData/8])
		}, want: raisesPF(faultP, u+8)},
		program{name: "an implicit access of a user program is the supervisor's", user: true, code: asm(
			movImm(uop.RAX, selUData|3),
			"8E E0",                // mov fs, eax: the GDT is a supervisor page
			"B8 00 00 00 00 CD 40", // mov eax, 0; int 0x40
		), setup: with(CR4SMAP | CR4SMEP), want: func(t *testing.T, m *scene, e Exit) {
			if c := m.caught(t, e); c.vector != 0x40 {
				t.Errorf("got %+v", c)
			}
		}},
		program{name: "an implicit access of a user program faults as the supervisor's", user: true, code: asm(
			movImm(uop.RAX, 0xF), // index 1 of the LDT
			"|8E E0",             // mov fs, eax
		), setup: func(m *scene) {
			m.from.LDTR = Segment{Selector: selLDT, Attr: segPresent | typeLDT, Limit: 0x17, Base: progData}
			m.protect(progData, 0)
		}, want: raisesPF(0, progData+8)},
	)
}

// SDM vol. 3, 4.5.4 and table 4-15 and those after it: bits that must be zero.
func TestReservedPageTableBits(t *testing.T) {
	read := asm("|", movFrom(progData))
	far := asm(movImm(uop.RBX, 1<<30), "|48 8B 03") // mov rax, [rbx]
	prove(t,
		program{name: "NX without NXE", code: read, setup: func(m *scene) {
			m.from.EFER &^= EFERNXE
			m.protect(progData, pteP|pteNX)
		}, want: raisesPF(faultP|faultRSVD, progData)},
		program{name: "page size in a PML4 entry", code: asm(movImm(uop.RBX, 1<<39), "|48 8B 03"), setup: func(m *scene) {
			m.write(progPML4+8, progPDPT|pteP|pteW|ptePS)
		}, want: raisesPF(faultP|faultRSVD, 1<<39)},
		program{name: "address bits below 1 GiB", code: far, setup: func(m *scene) {
			m.write(progPDPT+8, 1<<29|pteP|pteW|ptePS)
		}, want: raisesPF(faultP|faultRSVD, 1<<30)},
		program{name: "address bits below 2 MiB", code: asm("|", movFrom(progBig)), setup: func(m *scene) {
			m.write(progPD+8, progBig|1<<13|pteP|pteW|ptePS)
		}, want: raisesPF(faultP|faultRSVD, progBig)},
		program{name: "the PAT bit of a large page is not reserved", code: asm(movFrom(progBig), "F4"), setup: func(m *scene) {
			m.write(progPD+8, progBig|1<<12|pteP|pteW|ptePS)
			m.write(progBig, 4711)
		}, want: halts(reg{uop.RAX, 4711})},
		program{name: "address bits beyond the processor's", code: asm("|", movTo(progData)), setup: func(m *scene) {
			m.cfg.Platform = narrow{m.cfg.Platform}
			m.CPU = New(m.cfg)
			m.protect(progData, pteP|pteW|1<<51)
		}, want: raisesPF(faultP|faultW|faultRSVD, progData)},
		program{name: "of an absent entry nothing is reserved", code: asm("|", movFrom(progData)), setup: func(m *scene) {
			m.write(pte(progData), ^uint64(0)&^pteP)
		}, want: raisesPF(0, progData)},
	)
}

// narrow is a platform whose physical addresses have 51 bits.
type narrow struct{ Platform }

func (narrow) ReservedBits() uint64 { return 1 << 51 }

// SDM vol. 3, 4.8: which accesses set the accessed and dirty bits, and which must not.
func TestAccessedAndDirty(t *testing.T) {
	const virgin = pteP | pteW
	tables := func(m *scene) {
		m.write(progPML4, progPDPT|virgin)
		m.write(progPDPT, progPD|virgin)
		m.write(progPD, progPT|virgin)
		m.write(progPD+8, progBig|virgin|ptePS)
		m.protect(progData, virgin)
	}
	bits := func(want uint64, gpas ...uint64) func(*testing.T, *scene, Exit) {
		return func(t *testing.T, m *scene, e Exit) {
			t.Helper()
			halts()(t, m, e)
			for _, gpa := range gpas {
				if got := m.word(gpa) & (pteA | pteD); got != want {
					t.Errorf("the entry at %#x has accessed and dirty bits %#x, want %#x", gpa, got, want)
				}
			}
		}
	}
	leaf := uint64(pte(progData))
	m32 := "04 25" + le(progData, 4) // ModRM, SIB and displacement: register 0, [progData]
	prove(t,
		program{name: "a read sets accessed at every level", code: asm(movFrom(progData), "F4"), setup: tables, want: bits(pteA, progPML4, progPDPT, progPD, leaf)},
		program{name: "a write sets dirty in the last level alone", code: asm(movTo(progData), "F4"), setup: tables, want: bits(pteA|pteD, leaf)},
		program{name: "a write leaves the other levels clean", code: asm(movTo(progData), "F4"), setup: tables, want: bits(pteA, progPML4, progPDPT, progPD)},
		program{name: "a write after a read sets dirty", code: asm(movFrom(progData), movTo(progData), "F4"), setup: tables, want: bits(pteA|pteD, leaf)},
		program{name: "a large page's bits are in the directory", code: asm(movTo(progBig+0x5000), "F4"), setup: tables, want: bits(pteA|pteD, progPD+8)},
		program{name: "an address that is not used sets nothing", code: asm("48 8D", m32, "0F 18 0C 25", le(progData, 4), "F4"), // lea rax; prefetcht0
			setup: tables, want: bits(0, leaf)},
		program{name: "TEST only reads", code: asm("48 85", m32, "F4"), setup: tables, want: bits(pteA, leaf)},
		program{name: "CMPXCHG writes although it fails", code: asm(movImm(uop.RAX, 1), "48 0F B1 0C 25", le(progData, 4), "F4"), setup: tables, want: bits(pteA|pteD, leaf)},
		program{name: "a jump into a page sets accessed", code: asm(movImm(uop.RAX, progData), "FF E0"), setup: func(m *scene) {
			tables(m)
			m.put(progData, []byte{0xF4})
		}, want: bits(pteA, leaf)},
		program{name: "a refused write sets nothing", code: asm("|", movTo(progData)), setup: func(m *scene) {
			tables(m)
			m.protect(progData, pteP)
		}, want: func(t *testing.T, m *scene, e Exit) {
			raisesPF(faultP|faultW, progData)(t, m, e)
			if v := m.word(leaf); v&pteD != 0 {
				t.Errorf("the entry %#x is dirty", v)
			}
		}},
	)
}

// SDM vol. 3, 4.10.4: what has to be forgotten when. The program reads through one mapping, changes the tables,
// invalidates and reads again.
func TestInvalidation(t *testing.T) {
	const other = progFree + 0x1000 // the frame to which progData leads later
	remap := asm(movImm(uop.RAX, other|pteP|pteW|pteA|pteD), movTo(pte(progData)))
	reread := asm(movFrom(progData), "F4")
	setup := func(flags uint64) func(*scene) {
		return func(m *scene) {
			m.write(progData, 1)
			m.write(other, 2)
			m.protect(progData, pteP|pteW|pteA|pteD|flags)
		}
	}
	reloadCR3 := "0F 20 D8 0F 22 D8" // mov rax, cr3; mov cr3, rax
	toggle := func(bit uint8) string {
		flip := "48 0F BA F8" + le(uint64(bit), 1) + "0F 22 E0" // btc rax, bit; mov cr4, rax
		return asm("0F 20 E0", flip, flip)                      // mov rax, cr4
	}
	descriptor := func(m *scene, words ...uint64) { m.write(progData+0x1000, words...) }
	invpcid := func(kind uint64) string {
		return asm(movImm(uop.RBX, kind), "66 0F 38 82 1C 25", le(progData+0x1000, 4))
	} // invpcid rbx, [..]
	prove(t,
		program{name: "INVLPG", code: asm(movFrom(progData), remap, "0F 01 3C 25", le(progData, 4), reread), setup: setup(0), want: halts(reg{uop.RAX, 2})},
		program{name: "INVLPG of any byte of the page", code: asm(movFrom(progData), remap, "0F 01 3C 25", le(progData+0xFFF, 4), reread), setup: setup(0), want: halts(reg{uop.RAX, 2})},
		program{name: "INVLPG takes global pages", code: asm(movFrom(progData), remap, "0F 01 3C 25", le(progData, 4), reread), setup: setup(pteG), want: halts(reg{uop.RAX, 2})},
		program{name: "INVLPG of a non-canonical address does nothing", code: asm(movImm(uop.RBX, 1<<63), "0F 01 3B", "F4"), want: halts()},
		program{name: "loading CR3", code: asm(movFrom(progData), remap, reloadCR3, reread), setup: setup(0), want: halts(reg{uop.RAX, 2})},
		program{name: "loading CR3 keeps global pages", code: asm(movFrom(progData), remap, reloadCR3, reread), setup: setup(pteG), want: halts(reg{uop.RAX, 1})},
		program{name: "loading CR3 without PGE keeps nothing", code: asm(movFrom(progData), remap, reloadCR3, reread), setup: func(m *scene) {
			setup(pteG)(m)
			m.from.CR4 &^= CR4PGE
		}, want: halts(reg{uop.RAX, 2})},
		program{name: "changing PGE takes global pages", code: asm(movFrom(progData), remap, toggle(7), reread), setup: setup(pteG), want: halts(reg{uop.RAX, 2})},
		program{name: "setting SMEP", code: asm(movFrom(progData), remap, toggle(20), reread), setup: setup(pteG), want: halts(reg{uop.RAX, 2})},
		program{name: "an entry that was absent is not remembered", code: asm(
			"|", movFrom(progData), // faults once; the handler maps the page and returns
			"F4",
		), setup: func(m *scene) {
			setup(0)(m)
			m.protect(progData, 0)
			m.handler(uop.VectorPF, progFree, asm(remap, "48 83 C4 08", "48 CF")) // add rsp, 8; iretq
		}, want: halts(reg{uop.RAX, 2})},
		program{name: "more rights are not forgotten to be looked at", code: asm(
			movFrom(progData), movImm(uop.RAX, 3), movTo(progData), movFrom(progData), "F4", // the store faults once
		), setup: func(m *scene) {
			setup(0)(m)
			m.protect(progData, pteP)
			m.handler(uop.VectorPF, progFree, asm("50", movImm(uop.RAX, progData|pteP|pteW), movTo(pte(progData)), "58", "48 83 C4 08", "48 CF")) // push rax; …; pop rax
		}, want: halts(reg{uop.RAX, 3})},
		program{name: "INVPCID, one address", code: asm(movFrom(progData), remap, invpcid(0), reread), setup: func(m *scene) {
			setup(0)(m)
			descriptor(m, 0, progData)
		}, want: halts(reg{uop.RAX, 2})},
		program{name: "INVPCID, one context", code: asm(movFrom(progData), remap, invpcid(1), reread), setup: setup(0), want: halts(reg{uop.RAX, 2})},
		program{name: "INVPCID, all with globals", code: asm(movFrom(progData), remap, invpcid(2), reread), setup: setup(pteG), want: halts(reg{uop.RAX, 2})},
		program{name: "INVPCID, all", code: asm(movFrom(progData), remap, invpcid(3), reread), setup: setup(0), want: halts(reg{uop.RAX, 2})},
	)
}

// SDM vol. 3, 4.10.4.1: INVLPG of any address in a large page takes the whole page.
func TestInvalidationOfLargePages(t *testing.T) {
	const a, b = progBig + 0x3000, progBig + 0x1F_F000
	code := func(invalidate string) string {
		return asm(movFrom(a), movFrom(b),
			movImm(uop.RAX, 2*progBig|pteP|pteW|pteA|pteD|ptePS), movTo(progPD+8),
			invalidate,
			movFrom(a), "48 89 C3", // mov rbx, rax
			movFrom(b), "F4")
	}
	setup := func(m *scene) {
		m.write(a, 1)
		m.write(b, 2)
		m.write(a+progBig, 3)
		m.write(b+progBig, 4)
	}
	prove(t,
		program{name: "INVLPG of the first byte", code: code("0F 01 3C 25" + le(progBig, 4)), setup: setup, want: halts(reg{uop.RBX, 3}, reg{uop.RAX, 4})},
		program{name: "INVLPG of the last byte", code: code("0F 01 3C 25" + le(2*progBig-1, 4)), setup: setup, want: halts(reg{uop.RBX, 3}, reg{uop.RAX, 4})},
		program{name: "code in a large page", code: asm(movImm(uop.RAX, progBig), "FF D0", // call rax
			movImm(uop.RCX, 2*progBig|pteP|pteA|ptePS), "48 89 0C 25", le(progPD+8, 4), // mov [PD+8], rcx
			"0F 01 3C 25", le(progBig+0x1000, 4), // invlpg
			"FF D0", "F4",
		), setup: func(m *scene) {
			m.put(progBig, []byte{0x83, 0xC3, 0x01, 0xC3})   // add ebx, 1; ret
			m.put(2*progBig, []byte{0x83, 0xC3, 0x10, 0xC3}) // add ebx, 16; ret
		}, want: halts(reg{uop.RBX, 17})},
		program{name: "1 GiB page", code: asm(movImm(uop.RBX, 1<<30|progData), "48 8B 03", "F4"), setup: func(m *scene) { // mov rax, [rbx]
			m.write(progPDPT+8, pteP|ptePS)
			m.write(progData, 99)
		}, want: halts(reg{uop.RAX, 99})},
	)
}

// SDM vol. 3, 2.5 and 4.10.1; vol. 2, INVPCID.
func TestPCID(t *testing.T) {
	on := func(m *scene) { m.from.CR4 |= CR4PCIDE }
	invpcid := func(kind, lo, hi uint64) (string, func(*scene)) {
		return asm(movImm(uop.RBX, kind), "|66 0F 38 82 1C 25", le(progData, 4), "F4"), func(m *scene) { m.write(progData, lo, hi) } // invpcid rbx, [progData]
	}
	bad := func(name string, kind, lo, hi uint64) program {
		code, setup := invpcid(kind, lo, hi)
		return program{name: name, code: code, setup: setup, want: raises(uop.VectorGP, 0)}
	}
	good, setGood := invpcid(0, 5, progData)
	prove(t,
		program{name: "PCIDE with a PCID in CR3 already", code: asm("0F 20 E0", "48 0F BA E8 11", "|0F 22 E0"), // mov rax, cr4; bts rax, 17; mov cr4, rax
			setup: func(m *scene) { m.from.CR3 |= 0x18 }, want: raises(uop.VectorGP, 0)},
		program{name: "PCIDE", code: asm("0F 20 E0", "48 0F BA E8 11", "0F 22 E0", "0F 20 E3", "F4"), // …; mov rbx, cr4
			want: halts(reg{uop.RBX, CR4PAE | CR4OSFXSR | CR4OSXMMEXCPT | CR4PGE | CR4FSGSBASE | CR4PCIDE})},
		program{name: "bit 63 of CR3 asks and is not kept", code: asm(movImm(uop.RAX, 1<<63|progPML4|5), "0F 22 D8", "0F 20 DB", "F4"), // mov cr3, rax; mov rbx, cr3
			setup: on, want: halts(reg{uop.RBX, progPML4 | 5})},
		program{name: "bit 63 of CR3 without PCIDE", code: asm(movImm(uop.RAX, 1<<63|progPML4), "|0F 22 D8"), want: raises(uop.VectorGP, 0)},
		program{name: "address bits of CR3 beyond the architecture", code: asm(movImm(uop.RAX, 1<<52|progPML4), "|0F 22 D8"), want: raises(uop.VectorGP, 0)},
		bad("INVPCID of type 4", 4, 0, 0),
		bad("INVPCID with reserved bits", 2, 1<<12, 0),
		bad("INVPCID of a non-canonical address", 0, 0, 1<<63),
		bad("INVPCID of a PCID without PCIDE", 1, 5, 0),
		program{name: "INVPCID of a PCID", code: good, setup: func(m *scene) {
			on(m)
			setGood(m)
		}, want: halts()},
		program{name: "INVPCID of a user program", user: true, code: asm("|66 0F 38 82 1C 25", le(progUser, 4)), want: raises(uop.VectorGP, 0)},
	)
}

// A table may be a level of its own: the tables seen through themselves.
func TestRecursiveTables(t *testing.T) {
	const slot = 256
	const self = 0xFFFF_8000_0000_0000 | slot<<30 | slot<<21 | slot<<12                            // PML4 through entry 256 at every level
	prove(t, program{name: "PML4 maps itself", code: asm(movImm(uop.RBX, self), "48 8B 03", "F4"), // mov rax, [rbx]
		setup: func(m *scene) { m.write(progPML4+8*slot, progPML4|pteP|pteW|pteA) },
		want:  halts(reg{uop.RAX, progPDPT | pteP | pteW | pteU | pteA}),
	})
}

// A paging structure where there is no memory is nothing that an architecture answers: the run ends and says so.
func TestTableOutsideMemory(t *testing.T) {
	prove(t, program{name: "page table beyond memory", code: asm(movImm(uop.RBX, 1<<21), "48 8B 03"), // mov rax, [rbx]
		setup: func(m *scene) { m.write(progPD+8, 1<<40|pteP|pteW) },
		want: func(t *testing.T, m *scene, e Exit) {
			if e.Kind != ExitStopped || e.Err == nil || m.RIP() != m.start+10 {
				t.Errorf("exit %v at %#x", e, m.RIP())
			}
		},
	})
}
