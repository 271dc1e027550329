package code

import (
	"bytes"
	"encoding/binary"
	"slices"
	"testing"

	"github.com/tacit-vm/tacit/uefi"
)

// firmware reads a module of code, which begins at address 0, with data after it at dataAt.
const dataAt = 0x200

func firmware(code string, data ...[]byte) Facts {
	b := append([]byte(code), make([]byte, dataAt-len(code))...)
	b = append(b, bytes.Join(data, nil)...)
	return Read(Program{File: b, Segments: []Segment{{Size: len(b)}}, Entries: []uint64{0}, Firmware: true})
}

// Where descriptors are compared with unaccepted memory, or made so, and the address in between.
func TestBounds(t *testing.T) {
	const (
		check   = "\x83\x79\x18\x07"                         // cmp dword ptr [rcx+0x18], 7
		loaded  = "\x8b\x51\x18\x83\xfa\x07"                 // mov edx, [rcx+0x18]; cmp edx, 7
		other   = "\x83\x79\x18\x06"                         // cmp dword ptr [rcx+0x18], 6
		je, jne = "\x74\x40", "\x75\x40"                     // to what ends
		four    = "\x49\xba\x00\x00\x00\x00\x01\x00\x00\x00" // mov r10, 1<<32
		below   = "\xb8\xff\xff\xff\xff\x48\x39\xf8"         // mov eax, 1<<32-1; cmp rax, rdi
		compare = "\x49\x39\xc2"                             // cmp r10, rax
		shift   = "\x48\xc1\xe8\x20"                         // shr rax, 32
		mark    = "\xc7\x41\x18\x07\x00\x00\x00"             // mov dword ptr [rcx+0x18], 7
		ret     = "\xc3"
	)
	for name, c := range map[string]struct {
		code          string
		checks, marks []uint64
	}{
		"a check":                       {check + jne + ret, []uint64{0}, nil},
		"and an address":                {check + jne + four + compare + ret, []uint64{1 << 32}, nil},
		"of what was loaded":            {loaded + jne + below + ret, []uint64{1 << 32}, nil},
		"an address where it is not so": {check + je + four + compare + ret, []uint64{0}, nil},
		"of another type":               {other + jne + four + compare + ret, nil, nil},
		"a mark":                        {mark + ret, nil, []uint64{0}},
		"a mark above an address":       {below + jne + mark + ret, nil, []uint64{1 << 32}},
		"a mark above a shift":          {shift + je + mark + ret, nil, []uint64{1 << 32}},
		"a small number":                {"\x48\x83\xf8\x40" + jne + mark + ret, nil, []uint64{0}},
	} {
		for len(c.code) < dataAt {
			c.code += ret
		}
		f := firmware(c.code)
		limits := func(all []Bound) (limits []uint64) {
			for _, b := range all {
				limits = append(limits, b.Limit)
			}
			return limits
		}
		if !slices.Equal(limits(f.Checks), c.checks) || !slices.Equal(limits(f.Marks), c.marks) {
			t.Errorf("%s: checks %v, marks %v", name, f.Checks, f.Marks)
		}
	}
}

// Boot services that are kept in a variable are known where it is used, whatever is read first; protocols are the pairs of
// a call; and the functions of an interface are read.
func TestInstalls(t *testing.T) {
	rip := func(opcode string, at, to int) string { // with a displacement of 32 bits at the end
		return opcode + string(binary.LittleEndian.AppendUint32(nil, uint32(to-at-len(opcode)-4)))
	}
	const variable, guids, members, handler = dataAt, dataAt + 16, dataAt + 48, 0x100
	code := "\x48\x8b\x42\x60" // mov rax, [rdx+0x60]
	add := func(opcode string, to int) { code += rip(opcode, len(code), to) }
	add("\x48\x89\x05", variable)                                            // mov [variable], rax
	add("\x48\x8d\x15", guids)                                               // lea rdx, the first GUID
	add("\x4c\x8d\x05", members)                                             // lea r8, its interface
	add("\x4c\x8d\x0d", guids+16)                                            // lea r9, the second GUID
	code += "\x31\xc0\x48\x89\x44\x24\x28"                                   // xor eax, eax; mov [rsp+0x28], rax
	add("\x48\x8b\x05", variable)                                            // mov rax, [variable]
	code += "\xff\x90\x48\x01\x00\x00" + "\xc3"                              // call [rax+0x148], InstallMultipleProtocolInterfaces
	code += string(make([]byte, handler-len(code))) + "\xf2\x0f\x01\xff\xc3" // pvalidate
	first, second := uefi.MemoryAcceptanceProtocolGUID, uefi.EDKIIMemoryAcceptProtocolGUID
	f := firmware(code, make([]byte, 16), first[:], second[:], binary.LittleEndian.AppendUint64(nil, handler), make([]byte, 64))
	if len(f.Services) != 1 || f.Services[0].Service != uefi.BSInstallMultipleProtocolInterfaces ||
		!slices.Equal(f.Services[0].Installs, []uefi.GUID{first, second}) {
		t.Errorf("%+v", f.Services)
	}
	if len(f.Special) != 1 || f.Special[0].Name != PVALIDATE {
		t.Errorf("%+v", f.Special)
	}
}
