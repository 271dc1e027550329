package code

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/uefi"
)

// assembler makes small programs for tests, which start at address 0. Registers are numbered as in value.go.
type assembler struct {
	b      []byte
	labels map[string]int
	fixups map[int]string // where a displacement of 32 bits to a label goes
}

func assemble(parts ...func(*assembler)) Program {
	a := &assembler{labels: map[string]int{}, fixups: map[int]string{}}
	for _, part := range parts {
		part(a)
	}
	for at, label := range a.fixups {
		to, ok := a.labels[label]
		if !ok {
			panic(fmt.Sprintf("no label %q", label))
		}
		binary.LittleEndian.PutUint32(a.b[at:], uint32(to-at-4))
	}
	return Program{File: a.b, Segments: []Segment{{0, 0, len(a.b)}}, Entries: []uint64{0}}
}

func raw(b ...byte) func(*assembler) { return func(a *assembler) { a.b = append(a.b, b...) } }

func text(s string) func(*assembler) { return raw([]byte(s)...) }

func label(name string) func(*assembler) { return func(a *assembler) { a.labels[name] = len(a.b) } }

// to is an instruction that ends in a displacement to a label.
func to(name string, opcode ...byte) func(*assembler) {
	return func(a *assembler) {
		a.b = append(a.b, opcode...)
		a.fixups[len(a.b)] = name
		a.b = append(a.b, 0, 0, 0, 0)
	}
}

func rex(reg, base int) byte { return byte(0x48 | reg>>3<<2 | base>>3) }

// movabs loads eight bytes.
func movabs(reg int, value uint64) func(*assembler) {
	return raw(binary.LittleEndian.AppendUint64([]byte{rex(0, reg), byte(0xb8 | reg&7)}, value)...)
}

// onStack is an instruction with a register and [rsp+offset].
func onStack(opcode byte, reg, offset int) func(*assembler) {
	return raw(rex(reg, rsp), opcode, byte(0x44|reg&7<<3), 0x24, byte(offset))
}

func store(reg, offset int) func(*assembler)    { return onStack(0x89, reg, offset) }
func load(reg, offset int) func(*assembler)     { return onStack(0x8b, reg, offset) }
func leaStack(reg, offset int) func(*assembler) { return onStack(0x8d, reg, offset) }

// leaTo and loadFrom take the address of a label, and what lies there.
func leaTo(reg int, name string) func(*assembler) {
	return to(name, rex(reg, 0), 0x8d, byte(0x05|reg&7<<3))
}
func loadFrom(reg int, name string) func(*assembler) {
	return to(name, rex(reg, 0), 0x8b, byte(0x05|reg&7<<3))
}

func callTo(name string) func(*assembler) { return to(name, 0xe8) }
func jumpTo(name string) func(*assembler) { return to(name, 0xe9) }
func jeTo(name string) func(*assembler)   { return to(name, 0x0f, 0x84) }
func jaTo(name string) func(*assembler)   { return to(name, 0x0f, 0x87) }

var (
	ret   = raw(0xc3)
	frame = raw(0x48, 0x83, 0xec, 0x68) // sub rsp, 0x68
	// bootServices loads the pointer to the table: mov rax, [rip+x]; mov rax, [rax+0x60].
	bootServicesToRAX = func(a *assembler) {
		loadFrom(rax, "system table")(a)
		raw(0x48, 0x8b, 0x40, 0x60)(a)
	}
	systemTable = func(a *assembler) {
		label("system table")(a)
		raw(make([]byte, 8)...)(a)
	}
	callRAX  = raw(0xff, 0x10)                                           // call [rax]
	switchOn = raw(0x48, 0x63, 0x04, 0xba, 0x48, 0x01, 0xd0, 0xff, 0xe0) // movsxd rax, [rdx+rdi*4]; add rax, rdx; jmp rax
)

// service calls a boot service through the table that RAX points to.
func service(s uefi.BootService) func(*assembler) {
	return raw(binary.LittleEndian.AppendUint32([]byte{0xff, 0x90}, uint32(s))...)
}

var (
	wanted = uefi.MemoryAcceptanceProtocolGUID
	low    = binary.LittleEndian.Uint64(wanted[:8])
	high   = binary.LittleEndian.Uint64(wanted[8:])
)
