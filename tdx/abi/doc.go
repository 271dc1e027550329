// Package abi is the vocabulary that a guest of Intel TDX (a TD), the TDX module and a host share: numbers and names of
// calls, registers and status codes, with what each call takes and returns. It has no behaviour beyond putting them
// together, taking them apart and printing them. A guest speaks it from inside
// ([github.com/tacit-vm/tacit/accept/tdx]), a module that is software answers in it ([github.com/tacit-vm/tacit/tdx]).
//
// A guest recognises a TD by [CPUIDLeaf] and [IsTD]. It then has one instruction, TDCALL: RAX is a [Leaf], other
// registers its operands, and RAX becomes a [Status]. Most leaves ask the module; [LeafVPVMCall] passes registers to the
// host, and R11 says what for: a [VMCall], whose answer in R10 is a [VMCallStatus]. What the guest may not do by itself
// raises #VE, and [LeafVPVEInfoGet] tells why: [VEInfo].
//
//	RAX  leaf              operands                                outputs
//	0    VP.VMCALL         RCX mask, R10 to R15, …                 R10 status, R11, …
//	1    VP.INFO           -                                       RCX, RDX, R8, R9, R10
//	2    MR.RTMR.EXTEND    RCX address of 48 bytes, RDX register   -
//	3    VP.VEINFO.GET     -                                       RCX, RDX, R8, R9, R10
//	4    MR.REPORT         RCX and RDX addresses, R8 subtype       -
//	5    VP.CPUIDVE.SET    RCX flags                               -
//	6    MEM.PAGE.ACCEPT   RCX page and level                      -
//	7    VM.RD             RCX 0, RDX field                        R8 value
//	8    VM.WR             RCX 0, RDX field, R8 value, R9 mask     R8 previous value
//
// ABI means the Intel TDX Module ABI specification, GHCI the Guest-Hypervisor Communication Interface, module the sources
// of module 1.5.01 (github.com/intel/tdx-module, branch tdx_1.5), SDM the Intel 64 and IA-32 Architectures Software
// Developer's Manual. Names are theirs, in Go's capitals.
//
// The package imports nothing, needs no initialisation, and allocates nothing but text, so that kernels on bare metal
// can use it.
package abi
