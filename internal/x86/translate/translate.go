package translate

import (
	"github.com/tacit-vm/tacit/internal/x86/amd64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A Generator makes code. It is not safe for concurrent use.
type Generator struct {
	amd64.Assembler
	layout hostcode.Layout
	host   Host

	block  *hostcode.Block
	place  hostcode.Place
	code   hostcode.Code
	flags  flags
	stubs  []stub
	leaves []amd64.Label // by micro-operation
	links  []amd64.Label
	top    amd64.Label // the block's head
	near   near
	copies copies
}

// New returns a generator for a host and a processor's layout.
func New(l hostcode.Layout, h Host) *Generator { return &Generator{layout: l, host: h} }

// NoCode returns the code that blocks without code of their own have.
func (g *Generator) NoCode() []byte {
	g.Reset(0)
	g.MovImm(tmpA, uint64(hostcode.NewExit(hostcode.AtRIP, 0, 0)))
	g.Ret()
	return g.Bytes
}

// Translate makes the code of a block of at most [hostcode.MaxUops] micro-operations and 127 instructions.
func (g *Generator) Translate(b *hostcode.Block, p hostcode.Place) hostcode.Code {
	g.Reset(p.Code)
	g.block, g.place, g.stubs = b, p, g.stubs[:0]
	g.leaves, g.links = unknown(g.leaves, len(b.Uops)), unknown(g.links, b.Links)
	g.code = hostcode.Code{Resume: make([]int, len(b.Uops)), Links: make([]int, b.Links)}
	g.inAX()
	g.near, g.copies = nowhere, copies{}
	g.top = g.Label()
	g.Bind(g.top)
	g.head()
	g.code.Resume[0] = len(g.Bytes)
	branched := false
	for k := range b.Uops {
		bytes, stubs, flags := len(g.Bytes), len(g.stubs), g.flags
		switch g.uop(k, &b.Uops[k]) {
		case ends:
			k = len(b.Uops)
		case leaves:
			g.Truncate(bytes)
			g.stubs, g.flags, g.near, g.copies = g.stubs[:stubs], flags, nowhere, copies{}
			g.save()
			g.inAX()
			if !branched {
				g.code.Leaves++
			}
			g.leave(hostcode.AtUop, k)
			if k+1 < len(b.Uops) && b.Uops[k+1].Op != uop.Goto {
				g.code.Resume[k+1] = len(g.Bytes)
			}
		default:
			if g.leaves[k] >= 0 {
				g.resumeAfter(k)
			}
		}
		if k == len(b.Uops) {
			break
		}
		branched = branched || b.Uops[k].Op >= uop.Jo && b.Uops[k].Op <= uop.Jg
	}
	for i := 0; i < len(g.stubs); i++ {
		g.Bind(g.stubs[i].label)
		g.stubs[i].emit()
	}
	g.Finish()
	g.code.Bytes = g.Bytes
	return g.code
}

// resumeAfter makes the place after micro-operation k one where the code can be entered, if the flags are in AX there. Where
// registers have copies of XMM slots, it is entered by way of a stub that makes them.
func (g *Generator) resumeAfter(k int) {
	if k+1 == len(g.block.Uops) || !g.flags.inAX {
		return
	}
	c := g.copies
	if c.has == [xmmRegs]bool{} {
		g.code.Resume[k+1] = len(g.Bytes)
		return
	}
	here := g.Label()
	g.Bind(here)
	g.later(func() {
		g.code.Resume[k+1] = len(g.Bytes)
		g.copyAgain(&c)
		g.Jmp(here)
	})
}

// unknown returns n labels that are none.
func unknown(l []amd64.Label, n int) []amd64.Label {
	l = append(l[:0], make([]amd64.Label, n)...)
	for i := range l {
		l[i] = -1
	}
	return l
}

// What has come of a micro-operation.
type result uint8

const (
	goesOn result = iota
	ends          // and so does the block
	leaves        // it is not translated: what has been emitted is taken back, and code leaves in front of it
)

// uop emits micro-operation k.
func (g *Generator) uop(k int, u *uop.Uop) result {
	for _, f := range [...]func(*Generator, int, *uop.Uop) (result, bool){
		(*Generator).move, (*Generator).memory, (*Generator).arithmetic, (*Generator).branch, (*Generator).shift, (*Generator).bit, (*Generator).multiply, (*Generator).vector, (*Generator).system,
		(*Generator).exchange, (*Generator).strings,
	} {
		if r, ok := f(g, k, u); ok {
			return r
		}
	}
	return leaves
}
