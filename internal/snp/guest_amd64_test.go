package snp_test

import (
	"encoding/binary"
	"errors"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/accept"
	guest "github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/physical"
	"github.com/tacit-vm/tacit/snp/abi"
)

// assembly returns the machine code of the function in assembly language that the Go function f calls.
func assembly(t *testing.T, f any, name string) []byte {
	t.Helper()
	pc := reflect.ValueOf(f).Pointer()
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

// An assembled processor executes instructions by the driver's own assembly, in the test machine, which is the only
// processor here that knows them.
type assembled struct{ *machine }

// call calls a function with arguments on the stack, as in ABI0, and returns the eight bytes after them.
func (p assembled) call(code []byte, arguments ...uint64) uint64 {
	p.t.Helper()
	const functionAt, frame = codeAt + 0x1000, 64
	p.writeBytes(functionAt, code)
	p.write(stackAt-frame, append(arguments, 0xDEAD_DEAD_DEAD_DEAD)...)
	in := regs{}
	for i := range 16 { // all registers hold something else
		in[i] = 0x0101_0101_0101_0101 * uint64(0xF0+i)
	}
	around := []byte{0x48, 0x83, 0xEC, frame, 0xE8, 0, 0, 0, 0} // sub rsp, frame; call
	binary.LittleEndian.PutUint32(around[5:], functionAt-codeAt-9)
	if o := p.run(in, around...); o.vector != done || o.err != nil {
		panic(end{o})
	}
	const flagDF = 1 << 10
	if c := p.cpu; c.R[x86.RBP] != in[x86.RBP] || c.R[x86.RSP] != stackAt-frame || c.Flags()&flagDF != 0 {
		p.t.Errorf("RBP is %#x, RSP %#x, flags %#x after the call", c.R[x86.RBP], c.R[x86.RSP], c.Flags())
	}
	return p.word(physical.Private, stackAt-frame+8*uint64(len(arguments)))
}

func (p assembled) PVALIDATE(va uint64, size abi.PageSize, validate bool) (abi.Result, bool) {
	edx := uint64(0)
	if validate {
		edx = 1
	}
	v := p.call(assembly(p.t.(*testing.T), guest.Processor.PVALIDATE, ".pvalidate"), va, uint64(size), edx)
	return abi.Result(v), v>>32&1 != 0
}

func (p assembled) Evict(va uint64) {
	p.call(assembly(p.t.(*testing.T), guest.Processor.Evict, ".evict"), va)
}

func (p assembled) GHCBMSR() uint64 {
	return p.call(assembly(p.t.(*testing.T), guest.Processor.GHCBMSR, ".rdmsr"), abi.MSRGHCB)
}

func (p assembled) SetGHCBMSR(v uint64) {
	p.call(assembly(p.t.(*testing.T), guest.Processor.SetGHCBMSR, ".wrmsr"), abi.MSRGHCB, v)
}

func (p assembled) VMGEXIT() {
	p.call(assembly(p.t.(*testing.T), guest.Processor.VMGEXIT, ".vmgexit"))
}

// What guest.Processor executes are the instructions that it says, with operands and results in their places.
func TestGuestAssembly(t *testing.T) {
	m := newMachine(t)
	p := assembled{m}
	p.SetGHCBMSR(0x1234_5678_9ABC_D000)
	if v := p.GHCBMSR(); v != 0x1234_5678_9ABC_D000 {
		t.Errorf("the GHCB MSR is %#x", v)
	}
	if v := guest.Request(p, abi.CPUIDRequest(0, 1)); v != abi.CPUIDResponse(0x6874_7541, 1) || p.GHCBMSR() != 0x1234_5678_9ABC_D000 {
		t.Errorf("CPUID 0 EBX: %#x; the GHCB MSR is %#x", v, p.GHCBMSR())
	}
	if r, cf := p.PVALIDATE(guestUnit+4096, abi.Size2M, true); r != abi.FailInput || cf {
		t.Errorf("PVALIDATE of a page that is not aligned: %v, %v", r, cf)
	}

	d := m.driverWithGHCB()
	d.Instructions = p
	page := accept.Range{Start: guestUnit - 4096, End: guestUnit + 2<<20}
	if err := d.Accept(page); err != nil || !m.allIn(page, "validated") {
		t.Error(err)
	}
	var e *guest.Error
	if err := d.Accept(page); !errors.As(err, &e) || !e.AlreadyValidated() {
		t.Error(err)
	}
	if err := d.MakeShared(page); err != nil || !m.allIn(page, "shared") {
		t.Error(err)
	}
	// Evict touches the first and the last byte: where only one of them is not validated, that raises #VC.
	const alone = 2 * guestUnit
	if err := d.Accept(accept.Range{Start: alone, End: alone + 4096}); err != nil {
		t.Fatal(err)
	}
	for _, va := range []uint64{alone - 4095, alone + 1} {
		if o, _ := ends(func() error { p.Evict(va); return nil }); o.vector != vectorVC {
			t.Errorf("reading from %#x: %+v", va, o)
		}
	}
}
