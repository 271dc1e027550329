// Package decode turns the bytes of instructions into micro-operations. It knows encodings and no processor: what depends
// on the processor's state is in a [Mode].
//
// The names of opcode maps and operands are those of the Intel SDM, volume 2, appendix A.
package decode

import "github.com/tacit-vm/tacit/internal/x86/uop"

// A Request says what is to be decoded.
type Request struct {
	Bytes      []byte // from the first instruction on, as far as its page goes at least
	Offset     uint16 // of the first byte in its page
	Limit      int    // instructions at most
	Mode       Mode
	Intercepts uop.InstructionSet
	Locks      bool // put uop.Locked at the end of instructions that lock memory
	BusLocks   bool // put uop.LockedAt in front of what they lock

	// EndsBefore says that the block ends in front of the instruction at an offset from the first byte. It is not asked
	// about the first. Stop says what is put in front of an instruction of n bytes at an offset, first or not. Either may
	// be nil.
	EndsBefore func(offset int) bool
	Stop       func(offset, n int) (u uop.Uop, put bool)
}

// A Block is what a run of instructions is decoded to.
type Block struct {
	Uops         []uop.Uop // of which the last does not go on
	Instructions int
	Size         int // bytes
	Links        int // exits that lead to another block in the page
}

// Instructions decodes from the first byte on, up to what ends a block or does not end within the bytes. ok is false where
// not even the first instruction does.
func Instructions(r *Request) (b Block, ok bool) {
	d := decoder{bytes: r.Bytes, offset: int64(r.Offset), intercepts: r.Intercepts, mode: r.Mode, stop: r.Stop, locks: r.Locks, busLocks: r.BusLocks, uops: make([]uop.Uop, 0, 16)}
	for int(d.ord) < r.Limit && !d.end {
		pos := d.pos
		if pos > 0 && r.EndsBefore != nil && r.EndsBefore(pos) {
			break
		}
		if d.decodeOne(); d.short {
			d.pos, d.end = pos, false
			break
		}
	}
	if d.ord == 0 {
		return b, false
	}
	if !d.end {
		d.ord-- // the last instruction's
		d.emit(uop.Uop{Op: uop.End, Ord: d.ord, Aux: d.linkTo(int64(d.pos)), Imm: int64(d.pos)})
		d.ord++
	}
	return Block{Uops: d.uops, Instructions: int(d.ord), Size: d.pos, Links: int(d.link)}, true
}
