// Package tdx is the Intel TDX module as a guest (a TD) and its VMM meet it: which pages are whose, what each access
// and each instruction leads to, and the calls of both sides. It implements [x86.Platform].
//
// Numbers and names that the guest has to know, too, are in package abi.
//
// It follows module 1.5.01 (github.com/intel/tdx-module, branch tdx_1.5); comments name the file there, as "module,
// td_cpuid.c". ABI means the Intel TDX Module ABI specification, GHCI the Guest-Hypervisor Communication Interface,
// KVM Linux's arch/x86/kvm/vmx/tdx.c.
//
//	an access  ──resolve.go──▶ which plane, which state ──▶ memory, #VE, TD exit to the [Host], or the end ([confidential.Violation])
//	an instruction ──intercept.go──▶ tdcall.go  TDG.* leaves: accept.go, metadata.go, measurement.go, vmcall.go
//	                              └▶ cpuid.go, msr.go, cr.go: answered by the module, natively, or by #VE (ve.go)
//	the host's calls ──seamcall.go──▶ add, remove, split, join private pages; map shared ones
//
// # Pages
//
// A page of guest-physical address space is seen through the shared bit in one of two ways (physical.Plane), which have
// nothing to do with each other: its private page is absent, pending or accepted; its shared page is mapped by the
// host or not (pages.go). "Unaccepted" are the bytes of RAM that are neither accepted nor shared: it does not matter
// whether the host has added the page yet ([Module.Unaccepted]).
//
// # The host is not trusted
//
// The Host decides when pages are added, removed, split or joined, and what it answers to TDG.VP.VMCALL. It acts on
// memory through the same calls as a real VMM, so whatever it does, contents never reach the guest as private memory
// that it has not accepted anew.
package tdx
