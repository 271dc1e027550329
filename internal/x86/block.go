package x86

import (
	"unsafe"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/decode"
	"github.com/tacit-vm/tacit/internal/x86/uop"
)

// A block is a run of instructions within one page, decoded. It may run at any virtual address that leads to its frame.
//
// What a block does never changes. Where its bytes change, or where a debugger wants to stop in it, it is retired: no
// one enters it any more, and another block is decoded in its place.
type block struct {
	uops  []uop.Uop
	n     uint64   // instructions
	link  []*block // where it goes on, per exit, as far as known
	valid bool     // false once it is retired

	frame  mem.Frame
	offset uint16 // of the first byte in the frame
	size   uint16 // bytes
	mode   decode.Mode
	second mem.Frame // where the only instruction goes on in another page, that page's frame
	cross  bool

	sibling *block // the next block that starts in the same granule

	made  machineCode
	quiet int8 // what quietStart has found; 0 where it has not looked, -1 for none
}

// maxBlock bounds a block's instructions, so that Ord fits and invalidating is cheap.
const maxBlock = 48

// bytes is how much of the host's memory b takes.
func (b *block) bytes() int {
	return int(unsafe.Sizeof(*b)) + cap(b.uops)*int(uop.Size) + len(b.link)*int(unsafe.Sizeof(b))
}

// retire makes b a block that is not entered any more. What it holds is let go: a pointer to it that is still kept
// somewhere costs little, and leads to no other block.
func (b *block) retire() {
	b.valid, b.uops, b.link, b.mode, b.made = false, nil, nil, noMode, machineCode{}
}

// noMode is the mode of a block that is retired: no processor is in it, so machine code need not ask for more.
const noMode decode.Mode = 0xFF

// A decoding is what decoding depends on that is the same for all processors of a machine.
type decoding struct {
	intercepts uop.InstructionSet
	traps      Traps // may be nil
	locks      bool  // hints are wanted after instructions that lock memory
	busLocks   bool  // some processor wants to know what they lock
	points     points
}

// trapped says whether gpa is an entry point of [Traps].
func (g *decoding) trapped(gpa uint64) bool { return g.traps != nil && g.traps.Trap(gpa) }

// fill makes b of at most limit instructions. It returns false where not even the first ends within the bytes.
func (g *decoding) fill(b *block, bytes []byte, limit int) bool {
	r := decode.Request{
		Bytes: bytes, Offset: b.offset, Limit: limit, Mode: b.mode, Intercepts: g.intercepts, Locks: g.locks, BusLocks: g.busLocks,
		Stop: g.points.stopsIn(b),
	}
	if g.traps != nil {
		r.EndsBefore = func(offset int) bool { return g.traps.Trap(b.frame.GPA() + uint64(b.offset) + uint64(offset)) }
	}
	d, ok := decode.Instructions(&r)
	b.uops, b.n, b.size = d.Uops, uint64(d.Instructions), uint16(d.Size)
	b.link = make([]*block, d.Links)
	return ok
}

// rest returns a page's bytes from offset on, and join those and the beginning of another page, as much as an
// instruction may take.
func rest(page unsafe.Pointer, offset uint16) []byte {
	return unsafe.Slice((*byte)(unsafe.Add(page, offset)), mem.PageSize-int(offset))
}

func join(here []byte, next unsafe.Pointer) []byte {
	return append(append(make([]byte, 0, 2*decode.MaxInstruction), here...), unsafe.Slice((*byte)(next), decode.MaxInstruction)...)
}
