package translatearm

import (
	"github.com/tacit-vm/tacit/internal/x86/arm64"
	"github.com/tacit-vm/tacit/internal/x86/hostcode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A Generator makes code. It is not safe for concurrent use.
type Generator struct {
	arm64.Assembler
	layout hostcode.Layout

	block  *hostcode.Block
	place  hostcode.Place
	code   hostcode.Code
	flags  flags
	stubs  []stub
	leaves []arm64.Label // by micro-operation: the way out in front of it, -1 for none yet
	links  []arm64.Label
	top    arm64.Label // the block's head
}

// New returns a generator for a processor's layout.
func New(l hostcode.Layout) *Generator { return &Generator{layout: l} }

// NoCode returns the code that blocks without code of their own have.
func (g *Generator) NoCode() []byte {
	g.Reset()
	g.MovImm(tmpA, uint64(hostcode.NewExit(hostcode.AtRIP, 0, 0)))
	g.Ret()
	return g.Bytes
}

// Translate makes the code of a block of at most [hostcode.MaxUops] micro-operations and 127 instructions.
func (g *Generator) Translate(b *hostcode.Block, p hostcode.Place) hostcode.Code {
	g.Reset()
	g.block, g.place, g.stubs = b, p, g.stubs[:0]
	g.leaves, g.links = unknown(g.leaves, len(b.Uops)), unknown(g.links, b.Links)
	g.code = hostcode.Code{Resume: make([]int, len(b.Uops)), Links: make([]int, b.Links)}
	g.flags = inRegisters
	g.top = g.Label()
	g.Bind(g.top)
	g.head()
	g.code.Resume[0] = len(g.Bytes)
	for k := 0; k < len(b.Uops); k++ {
		bytes, stubs := len(g.Bytes), len(g.stubs)
		switch g.uop(k, &b.Uops[k]) {
		case ends:
			k = len(b.Uops)
		case leaves:
			g.Truncate(bytes)
			g.stubs, g.flags = g.stubs[:stubs], inRegisters
			g.leave(hostcode.AtUop, k)
			if k+1 < len(b.Uops) && b.Uops[k+1].Op != uop.Goto {
				g.code.Resume[k+1] = len(g.Bytes)
			}
		default:
			if g.leaves[k] >= 0 && k+1 < len(b.Uops) {
				g.flags = inRegisters // all that is so where code is entered
				g.code.Resume[k+1] = len(g.Bytes)
			}
		}
	}
	for i := 0; i < len(g.stubs); i++ {
		g.Bind(g.stubs[i].label)
		g.stubs[i].emit()
	}
	if err := g.Finish(); err != nil {
		panic("BUG: " + err.Error()) // the longest block is a fraction of what a jump reaches
	}
	g.code.Bytes = g.Bytes
	return g.code
}

// unknown returns n labels that are none.
func unknown(l []arm64.Label, n int) []arm64.Label {
	l = append(l[:0], make([]arm64.Label, n)...)
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
		(*Generator).move, (*Generator).memory, (*Generator).arithmetic, (*Generator).branch, (*Generator).shift, (*Generator).bit,
		(*Generator).multiply, (*Generator).vector, (*Generator).system, (*Generator).exchange,
	} {
		if r, ok := f(g, k, u); ok {
			return r
		}
	}
	return leaves
}
