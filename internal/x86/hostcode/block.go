package hostcode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// A Block is what is to be translated.
type Block struct {
	Uops         []uop.Uop
	Instructions int
	Links        int
	ID           uint32 // names the block in an [Exit]

	Wide bool // it is of 64-bit mode

	// Crosses says that the block, of one instruction, goes on in another page than that in which it begins. Code looks first
	// whether that page is in the frame Second, and leaves AtRIP where the TLB for fetches does not say so.
	Crosses bool
	Second  uint64
}

// Linked says whether the exit of u, one of the block's, is a link.
func (b *Block) Linked(u *uop.Uop) bool { return u.Aux < uint32(b.Links) }

// Again says whether u goes to its own block's beginning, and takes all of its instructions. There is no link to be made.
func (b *Block) Again(u *uop.Uop) bool {
	return b.Linked(u) && u.Imm == 0 && int(u.Ord) == b.Instructions-1
}

// A Place is where the code will be.
type Place struct {
	Code  uint64 // the address at which its first byte is executed
	Links uint64 // the address of the first of the block's links: 8 bytes each, the address to go on at
}

// A Code is a translated block. It is valid until its generator makes the next.
type Code struct {
	Bytes  []byte // the block is entered at the first
	Resume []int  // offset at which it can be entered in front of each micro-operation, after the block's head; 0 where it cannot
	Leaves int    // micro-operations that it always leaves in front of, but for those after a conditional jump
	Links  []int  // offset of what each link is to lead to as long as there is nothing better; 0 where nothing goes there
}
