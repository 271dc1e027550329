package code

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strings"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// locate is what follows once RCX points to a GUID: a call of LocateProtocol that stores the interface in [rsp+0x30],
// and one of the interface's first member.
func locate(a *assembler) {
	for _, part := range []func(*assembler){
		raw(0x31, 0xd2), // xor edx, edx
		leaStack(r8, 0x30), bootServicesToRAX, service(uefi.BSLocateProtocol),
		raw(0x48, 0x85, 0xc0), // test rax, rax
		to("failed", 0x0f, 0x85),
		load(rcx, 0x30), raw(0x48, 0x89, 0xc8), callRAX, // mov rax, rcx
		label("failed"), ret, systemTable,
	} {
		part(a)
	}
}

// The ways in which compilers give a GUID to a call.
func TestGUIDs(t *testing.T) {
	dwords := func(a *assembler) {
		for i := range 4 {
			// mov dword [rsp+0x10+4i], imm32
			raw(append([]byte{0xc7, 0x44, 0x24, byte(0x10 + 4*i)}, wanted[4*i:][:4]...)...)(a)
		}
	}
	for name, parts := range map[string][]func(*assembler){
		"GCC, two immediates through one register": {
			frame, movabs(rax, low), store(rax, 0x10), movabs(rax, high), store(rax, 0x18), leaStack(rcx, 0x10), locate,
		},
		"GCC, two immediates through two registers": {
			frame, movabs(rdi, low), movabs(rsi, high), store(rdi, 0x10), store(rsi, 0x18), leaStack(rcx, 0x10), locate,
		},
		"clang, the second half first": {
			frame, movabs(r9, high), store(r9, 0x18), movabs(r10, low), store(r10, 0x10), leaStack(rcx, 0x10), locate,
		},
		"the address of read-only data": {
			frame, leaTo(rcx, "guid"), locate, label("guid"), raw(wanted[:]...),
		},
		"the address of data before the code": {
			jumpTo("start"), label("guid"), raw(wanted[:]...), label("start"), frame, leaTo(rcx, "guid"), locate,
		},
		"a copy of read-only data": {
			frame, loadFrom(rax, "guid"), loadFrom(rdx, "guid + 8"), store(rdx, 0x18), store(rax, 0x10),
			leaStack(rcx, 0x10), locate,
			label("guid"), raw(wanted[:8]...), label("guid + 8"), raw(wanted[8:]...),
		},
		"a string copy of read-only data": {
			frame, leaTo(rsi, "guid"), leaStack(rdi, 0x10), raw(0x48, 0xa5, 0x48, 0xa5), // movsq twice
			leaStack(rcx, 0x10), locate,
			label("guid"), raw(wanted[:]...),
		},
		"a repeated string copy": {
			frame, leaTo(rsi, "guid"), leaStack(rdi, 0x10), raw(0xb9, 4, 0, 0, 0, 0xf3, 0xa5), // mov ecx, 4; rep movsd
			leaStack(rcx, 0x10), locate,
			label("guid"), raw(wanted[:]...),
		},
		"immediates of four bytes": {frame, dwords, leaStack(rcx, 0x10), locate},
		"pushed": {
			frame, movabs(rax, high), raw(0x50), movabs(rax, low), raw(0x50, 0x48, 0x89, 0xe1), locate, // push rax; mov rcx, rsp
		},
		"the address kept in another register, and on the stack": {
			frame, leaStack(14, 0x10), movabs(rax, low), store(rax, 0x10), callTo("other"), movabs(rax, high), store(rax, 0x18),
			store(14, 0x20), load(rcx, 0x20), locate, label("other"), ret,
		},
		"in a function that is called": {
			callTo("stub"), ret, label("stub"), frame, movabs(rax, low), store(rax, 0x10), movabs(rax, high), store(rax, 0x18),
			leaStack(rcx, 0x10), locate,
		},
		"after a jump table": {
			// cmp edi, 1; ja; lea rdx, table
			raw(0x83, 0xff, 1), jaTo("end"), leaTo(rdx, "table"), switchOn,
			label("end"), ret,
			label("table"), func(a *assembler) {
				a.b = binary.LittleEndian.AppendUint32(a.b, uint32(a.labels["end"]-a.labels["table"]))
				a.b = binary.LittleEndian.AppendUint32(a.b, 8)
			},
			frame, movabs(rax, low), store(rax, 0x10), movabs(rax, high), store(rax, 0x18), leaStack(rcx, 0x10), locate,
		},
	} {
		facts := Read(assemble(parts...))
		if len(facts.Gaps) > 0 || len(facts.Services) != 1 {
			t.Errorf("%s: %+v", name, facts)
			continue
		}
		s := facts.Services[0]
		if s.Service != uefi.BSLocateProtocol || s.GUID == nil || *s.GUID != wanted {
			t.Errorf("%s: %v(%v)", name, s.Service, s.GUID)
		}
		if len(s.Methods) != 1 || s.Methods[0].Member != 0 {
			t.Errorf("%s: methods %+v", name, s.Methods)
		}
	}
}

// Nothing that only looks like the call may count.
func TestGUIDsThatDoNotCount(t *testing.T) {
	table := func(a *assembler) { label("guid")(a); raw(wanted[:]...)(a) }
	other := uefi.RNGProtocolGUID
	halves := func(a *assembler) {
		movabs(rax, low)(a)
		store(rax, 0x10)(a)
		movabs(rax, high)(a)
		store(rax, 0x18)(a)
	}
	for name, parts := range map[string][]func(*assembler){
		"a table that nothing refers to": {ret, table, table},
		"a table whose address is taken": {frame, leaTo(rcx, "guid"), ret, table},
		"the immediates without a call":  {frame, halves, ret},
		"the immediates, and a call with another GUID": {
			frame, halves, leaTo(rcx, "other"), locate, label("other"), raw(other[:]...),
		},
		"code that nothing leads to": {
			ret, frame, halves, leaStack(rcx, 0x10), locate,
		},
		"another service": {
			frame, halves, leaStack(rcx, 0x10), bootServicesToRAX, service(uefi.BSInstallProtocolInterface), ret, systemTable,
		},
		"a table that is not that of boot services": {
			frame, halves, leaStack(rcx, 0x10), loadFrom(rax, "system table"), service(uefi.BSLocateProtocol), ret, systemTable,
		},
		"one half": {
			frame, movabs(rax, low), store(rax, 0x10), leaStack(rcx, 0x10), locate,
		},
		"halves exchanged": {
			frame, movabs(rax, high), store(rax, 0x10), movabs(rax, low), store(rax, 0x18), leaStack(rcx, 0x10), locate,
		},
		"overwritten before the call": {
			frame, halves, store(rdi, 0x10), leaStack(rcx, 0x10), locate,
		},
	} {
		for _, s := range Read(assemble(parts...)).Services {
			if s.Service == uefi.BSLocateProtocol && s.GUID != nil && *s.GUID == wanted {
				t.Errorf("%s: counted", name)
			}
		}
	}
}

// Compilers call through memory, or load the pointer first: GCC 15 does so when it has a register to spare.
func TestPointersInRegisters(t *testing.T) {
	facts := Read(assemble(
		frame, bootServicesToRAX,
		raw(0x48, 0x8b, 0x80, 0x40, 1, 0, 0), // mov rax, [rax+0x140]
		movabs(rbx, low), store(rbx, 0x10), movabs(rbx, high), store(rbx, 0x18), leaStack(rcx, 0x10), leaStack(r8, 0x30),
		raw(0xff, 0xd0),                        // call rax
		load(rcx, 0x30), raw(0x48, 0x8b, 0x01), // mov rax, [rcx]
		store(rax, 0x20), load(rdx, 0x20), raw(0xff, 0xd2), ret, // call rdx
		systemTable,
	))
	if len(facts.Services) != 1 || facts.Services[0].Service != uefi.BSLocateProtocol || *facts.Services[0].GUID != wanted ||
		len(facts.Services[0].Methods) != 1 || facts.Services[0].Methods[0].Member != 0 {
		t.Errorf("%+v", facts)
	}
}

// A kernel for 32-bit firmware too reaches the call of the interface by two ways, only one of which knows it.
func TestTwoWaysToTheMethod(t *testing.T) {
	for name, first := range map[string]func(*assembler){
		"jump first": jeTo("mixed"), "jump last": to("mixed", 0x0f, 0x85),
	} {
		facts := Read(assemble(
			frame, movabs(rax, low), store(rax, 0x10), movabs(rax, high), store(rax, 0x18),
			leaStack(rcx, 0x10), leaStack(r8, 0x30),
			raw(0x45, 0x84, 0xe4), first, // test r12b, r12b
			bootServicesToRAX, service(uefi.BSLocateProtocol), jumpTo("both"),
			label("mixed"), callTo("thunk"),
			label("both"), raw(0x48, 0x85, 0xc0), jeTo("call"), ret, // test rax, rax
			label("call"), load(rax, 0x30), callRAX, ret,
			label("thunk"), ret, systemTable,
		))
		if len(facts.Services) != 1 || len(facts.Services[0].Methods) != 1 {
			t.Errorf("%s: %+v", name, facts)
		}
	}
}

func TestSpecialInstructions(t *testing.T) {
	facts := Read(assemble(
		raw(0xbf, 6, 0, 0, 0), callTo("tdcall"), // mov edi, 6
		raw(0xf2, 0x0f, 0x01, 0xff), // PVALIDATE
		raw(0xf3, 0x0f, 0x01, 0xd9), // VMGEXIT
		ret,
		label("tdcall"), raw(0x48, 0x89, 0xf8, 0x66, 0x0f, 0x01, 0xcc), ret, // mov rax, rdi; tdcall
		raw(0x66, 0x0f, 0x01, 0xcc), // nothing leads here
	))
	var names []string
	for _, s := range facts.Special {
		names = append(names, s.Name)
	}
	if want := []string{PVALIDATE, VMGEXIT, TDCALL}; !slices.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
	if len(facts.Leaves) != 1 || facts.Leaves[0] != (Leaf{At: 5, TDCALL: 22, Number: 6}) {
		t.Errorf("leaves %+v", facts.Leaves)
	}
}

// A far return comes back to an address in a register; a jump to a sum goes to that sum from the base.
func TestIndirectWays(t *testing.T) {
	facts := Read(assemble(
		leaTo(rdi, "back"), raw(0x50, 0x48, 0xcb), // push rax; lretq
		label("back"), raw(0x48, 0x8d, 0x83, 40, 0, 0, 0, 0xff, 0xe0), // lea rax, [rbx+40]; jmp rax
		func(a *assembler) { a.b = append(a.b, make([]byte, 40-len(a.b))...) },
		raw(0x66, 0x0f, 0x01, 0xcc), ret,
	))
	if len(facts.Special) != 1 || facts.Special[0].At != 40 || len(facts.Gaps) > 0 {
		t.Errorf("%+v", facts)
	}
}

// Linux 4.12 comes to that jump with the least address that it may be at as a number.
func TestJumpFromMovedCode(t *testing.T) {
	facts := Read(assemble(
		raw(0x48, 0xc7, 0xc5, 0, 0, 0, 1, 0x48, 0x01, 0xeb), // mov rbp, 0x1000000; add rbx, rbp
		raw(0x48, 0x8d, 0x83, 40, 0, 0, 0, 0xff, 0xe0),      // lea rax, [rbx+40]; jmp rax
		func(a *assembler) { a.b = append(a.b, make([]byte, 40-len(a.b))...) },
		raw(0x66, 0x0f, 0x01, 0xcc), ret,
	))
	if len(facts.Special) != 1 || facts.Special[0].At != 40 {
		t.Errorf("%+v", facts)
	}
}

// A function whose address is stored or passed on may be called, and what is only text or a table is not read.
func TestTakenAddresses(t *testing.T) {
	tdcall := raw(0x66, 0x0f, 0x01, 0xcc)
	for name, parts := range map[string][]func(*assembler){
		"stored": {leaTo(rax, "f"), raw(0x48, 0x89, 0x07), ret, label("f"), tdcall, ret}, // mov [rdi], rax
		"passed": {leaTo(rdx, "f"), callTo("g"), ret, label("f"), tdcall, ret, label("g"), ret},
	} {
		if facts := Read(assemble(parts...)); len(facts.Special) != 1 || len(facts.Gaps) > 0 {
			t.Errorf("%s: %+v", name, facts)
		}
	}
	for name, parts := range map[string][]func(*assembler){
		"loaded only": {leaTo(rax, "f"), ret, label("f"), tdcall, ret},
		"text":        {leaTo(rdi, "f"), callTo("g"), label("g"), ret, label("f"), text("hello, world\n\x00f\x0f\x01\xcc\xc3")},
		"a table":     {leaTo(rdi, "f"), callTo("g"), label("g"), ret, label("f"), raw(0, 0, 0, 0), tdcall, ret},
	} {
		if facts := Read(assemble(parts...)); len(facts.Special) != 0 || len(facts.Gaps) > 0 {
			t.Errorf("%s: %+v", name, facts)
		}
	}
}

func TestReferences(t *testing.T) {
	p := assemble(leaTo(rsi, "payload"), ret, label("payload"), text("packed"))
	p.Watch = []uint64{8}
	if facts := Read(p); len(facts.References) != 1 || facts.References[0] != (Reference{0, 8}) {
		t.Errorf("%+v", facts.References)
	}
}

// A gap is told where code may be missing, and only there.
func TestGaps(t *testing.T) {
	for name, c := range map[string]struct {
		parts []func(*assembler)
		want  string
	}{
		"no instruction":     {[]func(*assembler){raw(0x06)}, "no instruction at byte 0x0"},
		"after the end":      {[]func(*assembler){raw(0x90)}, "after which no code is loaded at byte 0x0"},
		"unknown jump table": {[]func(*assembler){leaTo(rdx, "t"), switchOn, label("t"), raw(0, 0, 0, 0)}, "unknown length"},
		"after a function that returns": {
			[]func(*assembler){callTo("f"), raw(0x06), label("f"), ret}, "no instruction at byte 0x5",
		},
		"after one that does not": {
			[]func(*assembler){callTo("f"), raw(0x06), label("f"), raw(0xf4, 0xeb, 0xfd)}, "", // hlt; jmp back
		},
		"after one that calls one that does not": {
			[]func(*assembler){callTo("g"), raw(0x06), label("g"), callTo("f"), raw(0x06), label("f"), raw(0x0f, 0x0b)}, "", // ud2
		},
		"a jump to what was unpacked": {[]func(*assembler){raw(0xff, 0xe0)}, ""},
	} {
		gaps := Read(assemble(c.parts...)).Gaps
		switch {
		case c.want == "" && len(gaps) > 0:
			t.Errorf("%s: %v", name, gaps)
		case c.want != "" && (len(gaps) != 1 || !strings.Contains(gaps[0].String(), c.want)):
			t.Errorf("%s: %v, want one that says %q", name, gaps, c.want)
		}
	}
}

// What lies after a call of a function that does not return is not read: it may be a table of what looks like calls.
func TestBehindTheEnd(t *testing.T) {
	facts := Read(assemble(callTo("f"), raw(0xe8, 0, 0, 0, 0x40, 0x66, 0x0f, 0x01, 0xcc, 0xc3), label("f"), raw(0x0f, 0x0b)))
	if len(facts.Gaps) > 0 || len(facts.Special) > 0 || facts.Instructions != 2 {
		t.Errorf("%+v", facts)
	}
}

// Calls that are nested a million deep take no more stack than others.
func TestDeepCalls(t *testing.T) {
	const calls = 1 << 20
	p := Program{File: append(bytes.Repeat([]byte{0xe8, 0, 0, 0, 0}, calls), 0xc3), Entries: []uint64{0}}
	p.Segments = []Segment{{0, 0, len(p.File)}}
	if facts := Read(p); facts.Instructions != calls+1 || len(facts.Gaps) > 0 {
		t.Errorf("%d instructions, gaps %v", facts.Instructions, facts.Gaps)
	}
}

// Whatever bytes there are, reading them ends, and what it finds lies in them.
func FuzzRead(f *testing.F) {
	f.Add(assemble(frame, movabs(rax, low), store(rax, 0x10), movabs(rax, high), store(rax, 0x18),
		leaStack(rcx, 0x10), locate).File)
	f.Add(assemble(callTo("f"), ret, label("f"), jumpTo("f")).File)
	f.Add(assemble(leaTo(rdx, "t"), raw(0x24, 3), switchOn, label("t"), raw(make([]byte, 16)...)).File) // and al, 3
	f.Add([]byte{0xc3})
	f.Fuzz(func(t *testing.T, b []byte) {
		half := len(b) / 2
		p := Program{File: b, Firmware: len(b)%2 != 0, Base: 0x1000, Entries: []uint64{0x1000, 0x1000 + uint64(half)}, Watch: []uint64{0x1000},
			Segments: []Segment{{0x1000, 0, half}, {0x1000 + uint64(half), half, len(b) - half}}}
		facts := Read(p)
		inside := func(at int) {
			if at < 0 || at > len(b) {
				t.Errorf("offset %d of %d bytes", at, len(b))
			}
		}
		for _, s := range facts.Services {
			inside(s.At)
			for _, m := range s.Methods {
				inside(m.At)
			}
		}
		for _, s := range facts.Special {
			inside(s.At)
		}
		for _, g := range facts.Gaps {
			inside(g.At)
		}
		if facts.Instructions > len(b) {
			t.Errorf("%d instructions in %d bytes", facts.Instructions, len(b))
		}
	})
}
