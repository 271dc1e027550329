// Package abi is the vocabulary that a guest of AMD SEV-SNP, the processor and a host share: numbers and names of
// instructions' results, registers, exits and requests, and the layout of what they exchange in memory. It has no
// behaviour beyond putting them together, taking them apart and printing them. A guest speaks it from inside
// ([github.com/tacit-vm/tacit/accept/snp]), a platform that is software answers in it
// ([github.com/tacit-vm/tacit/snp]).
//
// A guest recognises SEV-SNP by [CPUIDLeaf] and [MSRSEVStatus]. Its own memory it manages with [PVALIDATE] and
// [RMPADJUST], instructions that return a [Result]. For all else it asks the host with VMGEXIT, in one of two ways:
//
//   - in the GHCB MSR ([MSRGHCB]): the low 12 bits are a [Code], the rest its operand, and the host leaves the answer in
//     the register. This is for a guest that has no GHCB yet;
//   - in a GHCB, a shared page whose address is in the MSR: SW_EXITCODE is an [ExitCode], SW_EXITINFO1, SW_EXITINFO2 and
//     registers are operands, each marked in a bitmap as valid ([GHCBValidBitmap]). The host leaves a [Response] in
//     SW_EXITINFO1, and marks the registers that it returns.
//
// What the guest may not do by itself raises #VC, whose error code is an ExitCode, for the guest to ask for in a GHCB.
// Which pages are private and which shared it asks for with [CodePSCRequest], one page at a time, or with [EventPSC],
// for which the [PSCHeader] and [PSCEntry] values are in the GHCB's shared buffer.
//
// APM is the AMD64 Architecture Programmer's Manual, volume 2 (24593) for sections and volume 3 (24594) for
// instructions; GHCB the SEV-ES Guest-Hypervisor Communication Block Standardization (56421); firmware ABI the SEV Secure
// Nested Paging Firmware ABI Specification (56860). Names are theirs, in Go's capitals.
//
// The package imports nothing, needs no initialisation, and allocates nothing but text, so that kernels on bare metal
// can use it.
package abi
