package abi_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/snp/abi"
)

// A page is to be private: how a guest asks for it before it has a GHCB, and with one.
func Example() {
	request := abi.PSCRequest(0x4000_0000, abi.PSCPrivate)
	fmt.Printf("GHCB MSR: %#x, %v\n", request, abi.Code(request&abi.CodeMask))

	header := abi.PSCHeaderOf(0, 0) // from entry 0 to entry 0
	entry := abi.PSCEntryOf(0x4000_0000, abi.Size2M, abi.PSCPrivate)
	fmt.Printf("SW_EXITCODE %#x, %v: header %#x, entry %#x\n", uint64(abi.EventPSC), abi.EventPSC, uint64(header), uint64(entry))
	// Output:
	// GHCB MSR: 0x10000040000014, MSR: SNP Page State Change
	// SW_EXITCODE 0x80000010, SNP Page State Change: header 0x0, entry 0x110000040000000
}
