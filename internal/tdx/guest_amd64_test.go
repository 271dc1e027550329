package tdx_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/accept"
	guest "github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
)

// assembly returns the machine code of the function in assembly language that the Go function at pc calls.
func assembly(t *testing.T, pc uintptr, name string) []byte {
	t.Helper()
	code := text(pc)
	for at := 0; at < len(code)-16; {
		in, err := x86asm.Decode(code[at:], 64)
		if err != nil {
			t.Fatalf("%d bytes into the function: %v", at, err)
		}
		at += in.Len
		if rel, ok := in.Args[0].(x86asm.Rel); ok && in.Op == x86asm.CALL {
			target := pc + uintptr(at) + uintptr(rel)
			if f := runtime.FuncForPC(target); f != nil && strings.HasSuffix(f.Name(), name) {
				return text(target)
			}
		}
	}
	t.Fatalf("no call of %s", name)
	return nil
}

// text returns enough of this program's text from pc on to hold a small function.
func text(pc uintptr) []byte { return unsafe.Slice(*(**byte)(unsafe.Pointer(&pc)), 256) }

// An assembled processor executes TDCALL by the driver's own assembly, in the test machine, which is the only processor
// here that knows the instruction.
type assembled struct {
	*machine
	code []byte
}

func (p assembled) TDCALL(r *guest.Registers) {
	p.t.Helper()
	const functionAt, registersAt = codeAt + 0x1000, dataAt
	if err := p.mem.Write(physical.Private, functionAt, p.code); err != nil {
		p.t.Fatal(err)
	}
	b, err := binary.Append(nil, binary.LittleEndian, r)
	if err != nil {
		p.t.Fatal(err)
	}
	if err := p.mem.Write(physical.Private, registersAt, b); err != nil {
		p.t.Fatal(err)
	}
	// The argument is on the stack, as in ABI0. All registers hold something else.
	in := regs{}
	for i := range 16 {
		in[i] = 0x0101_0101_0101_0101 * uint64(0xF0+i)
	}
	in[x86.RAX] = registersAt
	call := []byte{0x50, 0xE8, 0, 0, 0, 0} // push rax; call
	binary.LittleEndian.PutUint32(call[2:], functionAt-codeAt-6)
	if o := p.run(in, call...); o.vector != done || o.err != nil {
		panic(end{o})
	}
	if p.cpu.R[x86.RBP] != in[x86.RBP] || p.cpu.R[x86.RSP] != stackAt-8 {
		p.t.Errorf("RBP is %#x and RSP %#x after the call", p.cpu.R[x86.RBP], p.cpu.R[x86.RSP])
	}
	const flagDF = 1 << 10
	if p.cpu.Flags()&flagDF != 0 {
		p.t.Error("DF is set after the call")
	}
	if err := p.mem.Read(physical.Private, registersAt, b); err != nil {
		p.t.Fatal(err)
	}
	if _, err := binary.Decode(b, binary.LittleEndian, r); err != nil {
		p.t.Fatal(err)
	}
}

// What guest.Processor executes is TDCALL, with all registers in their places.
func TestGuestAssembly(t *testing.T) {
	m := newMachine(t)
	p := assembled{m, assembly(t, reflect.ValueOf(guest.Processor.TDCALL).Pointer(), ".tdcall")}

	// Every register goes through: the leaf does not exist, so that the module changes RAX only.
	in := guest.Registers{
		RAX: 0x7777, RCX: 2, RDX: 3, RBX: 4, RSI: 5, RDI: 6, R8: 7, R9: 8, R10: 9, R11: 10, R12: 11, R13: 12, R14: 13, R15: 14,
	}
	r := in
	p.TDCALL(&r)
	if in.RAX = uint64(operandRAX); r != in {
		t.Errorf("%+v, want %+v", r, in)
	}

	// And back: TDCALL is replaced by instructions that count in one of them.
	values := reflect.ValueOf(&in).Elem()
	for i, reg := range []int{
		x86.RAX, x86.RCX, x86.RDX, x86.RBX, x86.RSI, x86.RDI, x86.R8, x86.R9, x86.R10, x86.R11, x86.R12, x86.R13, x86.R14, x86.R15,
	} {
		count := []byte{0x48 | byte(reg>>3), 0xFF, 0xC0 | byte(reg&7), 0x90} // inc; nop
		counting := assembled{m, bytes.Replace(p.code, []byte{0x66, 0x0F, 0x01, 0xCC}, count, 1)}
		r, want := in, in
		w := reflect.ValueOf(&want).Elem().Field(i)
		w.SetUint(w.Uint() + 1)
		if counting.TDCALL(&r); r != want {
			t.Errorf("%s: %+v, want %+v", values.Type().Field(i).Name, r, want)
		}
	}

	// What the module returns.
	r = guest.Registers{RAX: 1}
	p.TDCALL(&r)
	if want := (guest.Registers{RCX: 48, RDX: 1 << 28, R8: 1<<32 | 1, R10: 1}); r != want {
		t.Errorf("TDG.VP.INFO: %+v, want %+v", r, want)
	}

	d := guest.Driver{Instructions: p, SharedBit: m.SharedBit()}
	page := accept.Range{Start: unit - 0x1000, End: unit + size2M}
	if err := d.Accept(page); err != nil || !m.allIn(page, "accepted") {
		t.Error(err)
	}
	var e *guest.Error
	if err := d.Accept(page); !errors.As(err, &e) || !e.AlreadyAccepted() {
		t.Error(err)
	}
	if err := d.MakeShared(page); err != nil || !m.allIn(page, "shared") {
		t.Error(err)
	}
}
