// Package tdx accepts memory from inside an Intel TDX guest (a TD): [Driver] is an [accept.Driver] that a kernel on bare
// metal hands to [accept.Bitmap.Accept] or [accept.Tracker.Accept].
//
//	driver := &tdx.Driver{Instructions: tdx.Processor{}}
//	err := bitmap.Accept(accept.Guard(need), driver)
//
// There is one instruction, TDCALL, behind an interface ([Instructions]), so that the rules can be tested anywhere.
// [Processor] is the real one, on amd64. The same instruction reaches the host, for port I/O and the like: [VMCall].
// What TDCALL takes and returns is in [github.com/tacit-vm/tacit/tdx/abi].
//
// # Rules
//
// A page is accepted in the largest size that alignment and the module allow. What the module answers decides:
//
//	TDX_SUCCESS                      the page is the guest's, and all zeros
//	TDX_PAGE_SIZE_MISMATCH           the host has mapped smaller pages there: this page is accepted in the next smaller size
//	TDX_OPERAND_INVALID at 1 GiB     the module cannot accept such pages: it is not asked for any again
//	TDX_OPERAND_BUSY, _HOST_PRIORITY the host is at work on the page: asked again, a thousand times at most
//	TDX_PAGE_ALREADY_ACCEPTED        an error: who accepts a page twice may have lost its contents to the host in between
//	anything else                    an error
//
// Where the host has not added a page yet the module exits to it, and the guest executes TDCALL again without knowing.
//
// # Page-fault handlers
//
// Nothing here allocates, and nothing stores a pointer but what the kernel itself stores in a Driver: an [Error] is part
// of the Driver it comes from and good until its next call. So a Driver can be used where the Go runtime cannot, with a
// stack of a few hundred bytes. It belongs to one processor, and is not used again before a call has returned.
//
// The package imports accept and tdx/abi, and neither of those imports anything.
package tdx
