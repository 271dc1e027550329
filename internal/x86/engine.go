package x86

// An engine executes decoded code. The interpreter is one; what makes machine code of the same blocks is another.
//
// Engines have the processor's state in common, in CPU, and what stands around it: they look for a block with
// [CPU.lookup], go from one to the next with [CPU.follow], and leave to [CPU.cut] what does not fit before the limit.
// What they are to notice comes to them as blocks and as entries of the TLB, and no engine asks for it:
//
//   - A breakpoint, a trace and a watched instruction are a micro-operation of a block (uop.Stop). Where they change, the
//     blocks that they concern are retired, as they are where code has been stored to.
//   - At a fence, lookup gives blocks of one instruction.
//   - Watched data, frames with code and frames without backing are entries of the TLB whose tags do not match.
//
// So an engine asks two things where it enters a block: whether it is valid, if it comes from another one by a link, and
// whether it ends before the limit.
type engine interface {
	// run executes from RIP until as many instructions have completed as c.limit says, or until one does not complete,
	// and says why it came back. A stretch of whole blocks lets it go on to the end of the block (CPU.wholly). Others may lower the limit meanwhile, from other goroutines too; 0 means that the run loop
	// has to look up soon. With c.finish it has to after the instruction under way, exactly. Registers, RIP and the count
	// of instructions are those at a boundary between two instructions when run returns, and they do not depend on where
	// blocks begin and end.
	run(c *CPU) stop
}

// A stop is why an engine came back.
type stop uint8

const (
	stopLimit     stop = iota // the limit is reached, or has been lowered: it is for the run loop to say what is due
	stopException             // an exception is pending: the instruction at RIP raised it, or where it is a trap, the one before
	stopExit                  // Run is to return: CPU.exit says why
)

// stopped returns why an engine comes back now.
func (c *CPU) stopped() stop {
	switch {
	case c.exiting:
		return stopExit
	case c.raised:
		return stopException
	}
	return stopLimit
}

// A finish says after what an engine is to come back before it enters the next block. It is looked at after each
// micro-operation that may have set it: one that has gone beyond the TLB, or that a function of the table has served.
type finish uint8

const (
	finishNot         finish = iota
	finishInstruction        // after the instruction under way: the run loop has to look up
	finishUop                // after the micro-operation: the interpreter has been called for it alone
)
