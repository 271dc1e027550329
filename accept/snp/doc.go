// Package snp accepts memory from inside an AMD SEV-SNP guest: [Driver] is an [accept.Driver] that a kernel on bare metal
// hands to [accept.Bitmap.Accept] or [accept.Tracker.Accept].
//
//	driver := &snp.Driver{Instructions: snp.Processor{}, DirectMap: directMap}
//	err := bitmap.Accept(accept.Guard(need), driver)
//
// There are few instructions, behind an interface ([Instructions]), so that the rules can be tested anywhere. [Processor]
// is the real one, on amd64. The same instructions reach the host for everything else: [Request] by the GHCB MSR, [GHCB]
// by a shared page, for port I/O and the like. What they take and return is in
// [github.com/tacit-vm/tacit/snp/abi].
//
// # Rules
//
// A page is accepted in two steps: the host makes it private, by a page state change, and the guest validates it, by
// PVALIDATE. It is shared by the same steps back: the guest rescinds its validation, and the host makes it shared
// ([Driver.MakeShared]).
//
// Before there is a GHCB the host is asked in the GHCB MSR, for 4 KiB at a time. With one ([Driver.RegisterGHCB]) it is
// asked for up to 253 pages at a time, of 2 MiB where they are aligned. It may answer before it is done, and is asked
// again as long as it gets on. What it writes into the shared page is read once, and has to make sense: it does not move
// back, nor change where the request ends, nor touch what is reserved.
//
// What PVALIDATE answers decides:
//
//	SUCCESS                     the page is the guest's; it holds junk
//	SUCCESS, CF                 an error: the page has been as asked before. Who validates a page twice may have been given
//	                            another page for it by the host in between
//	FAIL_SIZEMISMATCH at 2 MiB  the host has mapped 4 KiB there: the page is validated in 512 of those
//	anything else               an error
//
// # Page-fault handlers
//
// Nothing here allocates, and nothing stores a pointer but what the kernel itself stores in a Driver: an [Error] is part
// of the Driver it comes from and good until its next call. So a Driver can be used where the Go runtime cannot, with a
// stack of a few hundred bytes. It belongs to one processor, and is not used again before a call has returned.
//
// Nothing else may use the GHCB or its MSR during a call. Interrupts are off, and an exception handler that cannot be
// kept off, as that for NMI, leaves both as it found them.
//
// The package imports accept and snp/abi, and neither of those imports anything.
package snp
