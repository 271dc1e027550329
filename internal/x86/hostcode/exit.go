package hostcode

// An Exit is what code says where it has left.
type Exit uint32

// A Reason is why code has left.
type Reason uint8

// Reasons.
const (
	AtHead Reason = iota // at the head of the block: the allowance is used up
	AtUop                // in front of micro-operation Uop of the block
	AtLink               // after the block, by link Uop, which leads nowhere yet
	AtRIP                // after some block, at RIP, where there is no code yet, or none that can be entered
)

const (
	idBits  = 20
	uopBits = 10

	// MaxBlocks and MaxUops bound what an Exit can name.
	MaxBlocks = 1 << idBits
	MaxUops   = 1 << uopBits
)

// NewExit returns the exit of a block for a reason; k is a micro-operation or a link.
func NewExit(r Reason, k int, id uint32) Exit {
	return Exit(r)<<(idBits+uopBits) | Exit(k)<<idBits | Exit(id)
}

// Reason, Uop and Block take an Exit apart.
func (e Exit) Reason() Reason { return Reason(e >> (idBits + uopBits)) }

// Uop returns the number of a micro-operation, or of a link.
func (e Exit) Uop() int { return int(e >> idBits % MaxUops) }

// Block returns the number that the block was given.
func (e Exit) Block() uint32 { return uint32(e % MaxBlocks) }
