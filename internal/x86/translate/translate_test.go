package translate

import (
	"fmt"
	"testing"

	"golang.org/x/arch/x86/x86asm"

	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/hostcode/hostcodetest"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// testLayout is one with everything somewhere else.
var testLayout = hostcode.Layout{
	R: 0, X: 0x100, Flags: 0x308, Left: 0x300, Spill: 0x310, Mode: 0x330,
	Data: 0x340, DataBits: 10, Read: 0, Write: 8, Page: 16, Where: 24, Unbacked: 61,
	Fetch: 0x348, FetchBits: 8, FetchTag: 0, FetchFrame: 16,
	Jumps: 0x1000, JumpBits: 12, JumpRIP: 0, JumpBlock: 8,
	KernelGSBase: 0x3E0,
	Rest:         0x350, CPL: 0x358, Selectors: 0x360, Shadow: 0x3C0, ShadowSS: 0x3C8, End: 0x3D0, Waiting: 0x3D8,
	BlockFrame: 0x38, BlockMode: 0x44, BlockCode: 0x60,
}

// listing reads all of some code, and wants it to be instructions, jumps to lead to such, and entries to be such.
func listing(c *hostcode.Code) (insts map[int]x86asm.Inst, err error) {
	insts = map[int]x86asm.Inst{}
	var targets []int
	for at := 0; at < len(c.Bytes); {
		i, err := x86asm.Decode(c.Bytes[at:], 64)
		if err != nil {
			return nil, fmt.Errorf("at %#x: % x: %w", at, c.Bytes[at:min(at+15, len(c.Bytes))], err)
		}
		insts[at] = i
		at += i.Len
		if rel, ok := i.Args[0].(x86asm.Rel); ok {
			targets = append(targets, at+int(rel))
		}
	}
	for _, to := range append(append(targets, c.Resume...), c.Links...) {
		if _, ok := insts[to]; !ok {
			return nil, fmt.Errorf("%#x is reached, and is no instruction", to)
		}
	}
	return insts, nil
}

// exitAt returns the exit that the code at an offset leaves with: MOV R14D, exit; RET.
func exitAt(t *testing.T, insts map[int]x86asm.Inst, at int) hostcode.Exit {
	t.Helper()
	i, ret := insts[at], insts[at+insts[at].Len]
	imm, ok := i.Args[1].(x86asm.Imm)
	if i.Op != x86asm.MOV || i.Args[0] != x86asm.R14L || !ok || ret.Op != x86asm.RET {
		t.Fatalf("at %#x stand %v and %v, which is no way out", at, i, ret)
	}
	return hostcode.Exit(imm)
}

var end = hostcodetest.End

// Whatever a micro-operation is, the code is instructions; where it is left in front of one, it can be entered after it.
func TestEveryOperation(t *testing.T) {
	host := Host{SSSE3: true, SSE41: true, SSE42: true, AES: true, PCLMUL: true, POPCNT: true, BMI1: true}
	g, place := New(testLayout, host), hostcode.Place{Code: 0x10000, Links: 0x4000}
	hostcodetest.EveryOperation(t,
		func(b *hostcode.Block) hostcode.Code { return g.Translate(b, place) },
		func(b *hostcode.Block) hostcode.Code { return New(testLayout, host).Translate(b, place) },
		func(c *hostcode.Code) (exits []hostcode.Exit, err error) {
			insts, err := listing(c)
			for at, i := range insts {
				if imm, ok := i.Args[1].(x86asm.Imm); ok && i.Op == x86asm.MOV && i.Args[0] == x86asm.R14L && insts[at+i.Len].Op == x86asm.RET {
					exits = append(exits, hostcode.Exit(imm))
				}
			}
			return exits, err
		})
}

// A block is left at its head, by a link that leads nowhere yet, and in front of what is not translated.
func TestWaysOut(t *testing.T) {
	g := New(testLayout, Host{})
	b := &hostcode.Block{ID: 7, Instructions: 2, Links: 1, Uops: []uop.Uop{{Op: uop.Cpuid}, end}}
	c := g.Translate(b, hostcode.Place{Code: 0x10000, Links: 0x4000})
	insts, err := listing(&c)
	if err != nil {
		t.Fatal(err)
	}
	sub := insts[0]
	if sub.Op != x86asm.SUB || sub.Args[1] != x86asm.Imm(2) {
		t.Errorf("a block of two instructions begins with %v", sub)
	}
	jump := insts[sub.Len]
	head := exitAt(t, insts, sub.Len+jump.Len+int(jump.Args[0].(x86asm.Rel)))
	if jump.Op != x86asm.JL || head.Reason() != hostcode.AtHead || head.Block() != 7 {
		t.Errorf("it goes on with %v to exit %#x", jump, head)
	}
	if e := exitAt(t, insts, sub.Len+jump.Len); e.Reason() != hostcode.AtUop || e.Uop() != 0 || e.Block() != 7 {
		t.Errorf("in front of CPUID it leaves with %#x", e)
	}
	if e := exitAt(t, insts, c.Links[0]); e.Reason() != hostcode.AtLink || e.Uop() != 0 || e.Block() != 7 {
		t.Errorf("its link leaves with %#x", e)
	}
	if c.Resume[0] != sub.Len+jump.Len || c.Resume[1] == 0 {
		t.Errorf("it can be entered at %v", c.Resume)
	}
}
