package abi_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/tdx/abi"
)

// What is in the registers of the TDCALL that accepts a page of 2 MiB, and what an answer says.
func Example() {
	rax, rcx := abi.LeafMemPageAccept, abi.PageInfo(0x4000_0000, abi.Level2M)
	fmt.Printf("RAX %d TDG.%v, RCX %#x\n", uint64(rax), rax, rcx)

	answer := abi.Status(0xC000_0B0B_0000_0000)
	fmt.Println(answer)
	if answer.Code() == abi.PageSizeMismatch {
		fmt.Println("in pages of", abi.Level4K, "then")
	}
	// Output:
	// RAX 6 TDG.MEM.PAGE.ACCEPT, RCX 0x40000001
	// TDX_PAGE_SIZE_MISMATCH (0xc0000b0b00000000)
	// in pages of 4K then
}
