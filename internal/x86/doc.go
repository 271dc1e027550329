// Package x86 is the processor: an interpreter of x86 that computes what silicon computes and gives the same
// record whatever the host, the block length and the moment at which it is looked at.
//
// The way of an instruction:
//
//	bytes ──decode──▶ micro-operations (package uop) in a block (block.go) ──an engine (engine.go)──▶ effects
//	                                            │ hot ones: the interpreter's one switch (interpreter.go)
//	                                            └ the others: a table of functions, a file per subject (string.go, system.go, sse*.go …)
//
// 64-bit code is what all this is made for. In the other modes an operand's segment is looked at by a micro-operation of
// its own (linear.go); near and far transfers, interrupts and page tables have files of their own (near.go, realmode.go,
// callgate.go, innerstack.go, interrupt_legacy.go, paging_legacy.go).
//
// Blocks are kept by the frames of memory that their bytes lie in (code.go), for all processors of the machine.
//
// Memory goes through a software TLB (tlb.go) that is filled by the page walk (paging.go) and by the [Platform], which
// decides at that moment whether the page may be touched at all. Nothing refused is remembered, so that accepting a
// page needs no flush; everything allowed is forgotten when the platform says so ([CPU.Forget]).
//
// Time is the count of instructions, plus what events cost ([CPU.Charge]). [CPU.Run] stops at an exact instruction,
// never at "the next block end".
//
// The program that drives the processor can have Run return at moments (watch.go), and at breakpoints, uses of memory and
// each instruction (debug.go); the guest does not notice.
package x86
