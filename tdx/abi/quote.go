package abi

// The buffer of [VMCallGetQuote], in memory that guest and host share: a head, and then what each has for the other (GHCI 1.5,
// section 3.3; Linux, drivers/virt/coco/tdx-guest/tdx-guest.c).
const (
	QuoteVersion  = 0  // 64 bits: QuoteFormat
	QuoteStatus   = 8  // 64 bits: 0, QuoteInFlight, or why there is none
	QuoteBytesIn  = 16 // 32 bits: of the TDREPORT
	QuoteBytesOut = 20 // 32 bits: of the quote
	QuoteBody     = 24

	QuoteFormat   = 1
	QuoteInFlight = ^uint64(0)      // the host has the buffer
	QuoteError    = uint64(1 << 63) // it failed
)
