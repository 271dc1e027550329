// Package x86 is the processor: an interpreter of 64-bit x86 that computes what silicon computes and gives the same
// record whatever the host, the block length and the moment at which it is looked at.
//
// The way of an instruction:
//
//	bytes ──decode*.go──▶ micro-operations ([Uop], uop.go) in a block (code.go) ──exec.go──▶ effects
//	                                            │ hot ones: one switch
//	                                            └ the others: a table of functions, a file per subject (string.go, system.go, sse*.go …)
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
