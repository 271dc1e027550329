// Package translate makes host machine code of a block of micro-operations. It knows micro-operations, an assembler, and
// by a [hostcode.Layout] where the processor's state is; it knows no processor.
//
// # What the code may count on, and what it keeps
//
// While code runs, R15 is the address of the processor's state, ten of its slots are in registers ([pinned]), and AX holds
// the arithmetic flags: AH as LAHF has them, bit 0 of AL is OF. R10 is the address of an entry of the TLB for data, most
// likely the stack's. R13 and R14 are free; R13 is the address of an entry, too, where code is entered. The code does not
// use the stack, and leaves by RET alone, with what is to be done in R14 ([hostcode.Exit]).
//
// A block's head takes its instructions off the processor's allowance, or leaves. Code leaves in front of a
// micro-operation for whatever is not to be done fast: a TLB miss, a fault, an operation of the table. Everything before
// it has been done and nothing of it. The interpreter does it, or all that follows; the code can be entered again after it
// ([hostcode.Code.Resume]).
package translate
