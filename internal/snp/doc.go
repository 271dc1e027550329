// Package snp is AMD SEV-SNP as one guest at VMPL0 meets it: the reverse map table, the instructions that work on it,
// the exceptions that ask the guest for help, and the protocols by which guest and VMM speak. It implements
// [x86.Platform].
//
// Numbers and names that the guest has to know, too, are in package abi.
//
// APM is the AMD64 Architecture Programmer's Manual, volume 2 (24593) for sections and volume 3 (24594) for
// instructions; GHCB the SEV-ES Guest-Hypervisor Communication Block Standardization (56421); KVM Linux's
// arch/x86/kvm/svm/sev.c and svm.c; Linux its arch/x86/coco/sev.
//
//	an access  ──resolve.go──▶ which plane, which RMP entry ──▶ memory, #VC, a nested page fault to the [Host],
//	                                                              or the end ([confidential.Violation]); vmpl.go: what
//	                                                              a privilege level may do with a page
//	an instruction ──intercept.go──▶ #VC (vc.go), or done by the processor
//	                              ├▶ pvalidate.go, rmpadjust.go: RMP entries
//	                              ├▶ msr.go: which registers a guest reaches without its host
//	                              └▶ vmgexit.go ──▶ msrprotocol.go: requests in the GHCB MSR
//	                                            └▶ ghcb.go: requests in the GHCB; events.go, io.go, psc.go
//	firmware, which works for the guest ──▶ accept.go: pages; firmwarevc.go: its #VC handler
//	the host's calls ──rmpupdate.go──▶ assign pages to the guest, take them back, split them; map shared ones
//	before the first instruction ──launch.go, cpuid.go──▶ what the guest finds: secrets, CPUID table, a blob
//
// # Pages
//
// A guest-physical page belongs to the hypervisor, which may map it for the guest as shared memory, or it is assigned
// to the guest, which has validated it or not (rmp.go). It is private or shared, never both: the nested page tables
// lead to one page. "Unaccepted" are the bytes of RAM that are neither validated nor shared ([Platform.Unaccepted]).
//
// A page whose owner has changed holds junk, the same for the same seed: what the host wrote, read with the guest's
// key, or the reverse (junk.go). PVALIDATE clears nothing.
//
// # The host is not trusted
//
// The Host decides when pages are assigned, taken back or split, and what it answers to VMGEXIT. It acts on memory
// through the same calls as a real VMM, so whatever it does, contents never reach the guest as private memory that it
// has not validated anew.
package snp
