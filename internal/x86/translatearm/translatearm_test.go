package translatearm

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"testing"

	"golang.org/x/arch/arm64/arm64asm"

	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/hostcode/hostcodetest"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// testLayout is one with everything somewhere else, some of it farther away than an instruction reaches.
var testLayout = hostcode.Layout{
	R: 0, X: 0x100, Left: 0x300, Spill: 0x310, Mode: 0x2D1B1,
	Read: 0, Write: 8, Page: 16, Where: 24, DataBits: 10, Unbacked: 61,
	Fetch: 0x348, FetchBits: 8, FetchTag: 0, FetchFrame: 16,
	Jumps: 0x1CCD0, JumpBits: 12, JumpRIP: 0, JumpBlock: 8,
	KernelGSBase: 0x3E0,
	Rest:         0x350, CPL: 0x358, Selectors: 0x360, Shadow: 0x2CE58, ShadowSS: 0x2CE60, End: 0x3D0, Waiting: 0x3D8,
	BlockFrame: 0x40, BlockMode: 0x4C, BlockCode: 0x68,
}

// foreign are registers that are not the code's: the system's, g, the frame pointer and the stack's. The link register is
// apart: returning is all that may be done with it.
var foreign = regexp.MustCompile(`\b([XW](18|28|29|30)|W?SP)\b`)

// listing reads all of some code, and wants it to be instructions that leave alone what is not the code's, jumps to lead to
// such, and entries to be such.
func listing(c *hostcode.Code) (map[int]arm64asm.Inst, error) {
	insts := map[int]arm64asm.Inst{}
	var targets []int
	for at := 0; at < len(c.Bytes); at += 4 {
		i, err := arm64asm.Decode(c.Bytes[at:])
		if err != nil {
			return nil, fmt.Errorf("at %#x: % x: %w", at, c.Bytes[at:at+4], err)
		}
		if i.Op != arm64asm.RET && foreign.MatchString(i.String()) {
			return nil, fmt.Errorf("at %#x: %v is not for code to do", at, i)
		}
		insts[at] = i
		for _, a := range i.Args {
			if rel, ok := a.(arm64asm.PCRel); ok && i.Op != arm64asm.ADRP {
				targets = append(targets, at+int(rel))
			}
		}
	}
	for _, to := range slices.Concat(targets, c.Resume, c.Links) {
		if _, ok := insts[to]; !ok {
			return nil, fmt.Errorf("%#x is reached, and is no instruction", to)
		}
	}
	return insts, nil
}

// waysOut are how code says with what it leaves: a constant in X16, and RET.
var waysOut = func() map[string]hostcode.Exit {
	var a arm64.Assembler
	all := map[string]hostcode.Exit{}
	for _, r := range []hostcode.Reason{hostcode.AtHead, hostcode.AtUop, hostcode.AtLink} {
		for k := range 3 {
			for _, id := range []uint32{7, 0x12345} {
				e := hostcode.NewExit(r, k, id)
				a.Reset()
				a.MovImm(16, uint64(e))
				a.Ret()
				all[string(a.Bytes)] = e
			}
		}
	}
	return all
}()

// exits returns the exits of some code, by where they are.
func exits(c *hostcode.Code) map[int]hostcode.Exit {
	all := map[int]hostcode.Exit{}
	for after := 8; after <= len(c.Bytes); after += 4 {
		for _, n := range []int{8, 12} {
			if e, ok := waysOut[string(c.Bytes[max(after-n, 0):after])]; ok {
				all[after-n] = e
			}
		}
	}
	return all
}

var end = hostcodetest.End

var place = hostcode.Place{Code: 0x7F00_0001_0000, Links: 0x7F00_0000_4000}

// Whatever a micro-operation is, the code is instructions; where it is left in front of one, it can be entered after it.
func TestEveryOperation(t *testing.T) {
	g := New(testLayout)
	hostcodetest.EveryOperation(t,
		func(b *hostcode.Block) hostcode.Code { return g.Translate(b, place) },
		func(b *hostcode.Block) hostcode.Code { return New(testLayout).Translate(b, place) },
		func(c *hostcode.Code) ([]hostcode.Exit, error) {
			_, err := listing(c)
			return slices.Collect(maps.Values(exits(c))), err
		})
}

// What another micro-operation counts on is so: those that make all flags, or have nothing to do with flags, are translated, and
// do not leave.
func TestFactsAboutFlags(t *testing.T) {
	g := New(testLayout)
	for op := uop.Op(0); op < uop.OpCount; op++ {
		u := uop.Uop{Op: op, Dst: uop.RAX, Src: uop.RCX, Base: uop.RDX, Index: uop.Zero, Seg: uop.Zero, Scale: 8, Aux: uop.BMISHLX}
		if !hostcode.MakesFlags(&u) && !hostcode.IgnoresFlags(&u) && !movesVectors(&u) && !plainBMI(&u) {
			continue
		}
		c := g.Translate(&hostcode.Block{Uops: []uop.Uop{u, end}, Instructions: 2, Links: 2, ID: 7}, place)
		for _, e := range exits(&c) {
			if e.Reason() == hostcode.AtUop {
				t.Errorf("operation %#x leaves", op)
			}
		}
	}
}

// A block is left at its head, by a link that leads nowhere yet, and in front of what is not translated.
func TestWaysOut(t *testing.T) {
	b := &hostcode.Block{ID: 7, Instructions: 2, Links: 1, Uops: []uop.Uop{{Op: uop.Cpuid}, end}}
	c := New(testLayout).Translate(b, place)
	insts, err := listing(&c)
	if err != nil {
		t.Fatal(err)
	}
	for at, want := range []string{"LDR X16, [X19,#768]", "SUBS X16, X16, #0x2", "STR X16, [X19,#768]"} {
		if got := insts[4*at].String(); got != want {
			t.Errorf("a block of two instructions begins with %s, want %s", got, want)
		}
	}
	all := exits(&c)
	head, ok := insts[12].Args[1].(arm64asm.PCRel)
	if e := all[12+int(head)]; !ok || e.Reason() != hostcode.AtHead || e.Block() != 7 {
		t.Errorf("it goes on with %v to exit %#x", insts[12], e)
	}
	if e, ok := all[16]; !ok || e.Reason() != hostcode.AtUop || e.Uop() != 0 || e.Block() != 7 {
		t.Errorf("in front of CPUID it leaves with %#x", e)
	}
	if e := all[c.Links[0]]; e.Reason() != hostcode.AtLink || e.Uop() != 0 || e.Block() != 7 {
		t.Errorf("its link leaves with %#x", e)
	}
	if c.Resume[0] != 16 || c.Resume[1] == 0 {
		t.Errorf("it can be entered at %v", c.Resume)
	}
}

// The longest block there is fits, and its jumps reach their targets.
func TestLongestBlock(t *testing.T) {
	uops := make([]uop.Uop, hostcode.MaxUops)
	for i := range uops {
		uops[i] = uop.Uop{Op: uop.Pushf, Aux: 8, Base: uop.Zero, Index: uop.Zero, Seg: uop.Zero}
	}
	uops[0] = uop.Uop{Op: uop.Jo, Imm: 1 << 40, Aux: uop.NoLink}
	uops[len(uops)-1] = end
	c := New(testLayout).Translate(&hostcode.Block{Uops: uops, Instructions: 127, Links: 2, ID: 7}, place)
	if _, err := listing(&c); err != nil {
		t.Error(err)
	}
}
