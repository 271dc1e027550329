// Package translatearm makes A64 machine code of a block of micro-operations, as package translate does for amd64 hosts: it
// knows micro-operations, an assembler, and by a [hostcode.Layout] where the processor's state is.
//
// # What the code may count on, and what it keeps
//
// While code runs, X19 is the address of the processor's state. X0 to X15 are the guest's general-purpose registers, by
// their numbers; X22 and X23 are two more of its slots ([pinned]). X26 is the address of the TLB for data. The arithmetic flags
// are in X20 and X21, in the form in which the interpreter has them, which is a result and a vector of carries
// ([Generator.flags]); X24 is the mask of that vector. X16, X17, X25 and X27 are free ([tmpA]). X18 and X28 to X29 are the
// system's and Go's, and are not touched; X30 is where the code returns to, with what is to be done in X16
// ([hostcode.Exit]). The code does not use the stack.
//
// A block's head takes its instructions off the processor's allowance, or leaves. Code leaves in front of a
// micro-operation for whatever is not to be done fast: a TLB miss, a fault, an operation that is not translated.
// Everything before it has been done and nothing of it. The interpreter does it, or all that follows; the code can be entered
// again after it ([hostcode.Code.Resume]).
package translatearm
