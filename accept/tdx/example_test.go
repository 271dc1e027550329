package tdx_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// A pretended module says what it is asked for. A guest on amd64 has tdx.Processor{}.
type pretended struct{ small uint64 }

func (m pretended) TDCALL(r *tdx.Registers) {
	switch abi.Leaf(r.RAX) {
	case abi.LeafMemPageAccept:
		gpa, level := r.RCX&^abi.PageInfoLevel, abi.Level(r.RCX&abi.PageInfoLevel)
		r.RAX = uint64(abi.Success)
		if gpa == m.small && level == abi.Level2M {
			r.RAX = uint64(abi.PageSizeMismatch.With(uint64(level)))
		}
		if level > abi.Level4K {
			fmt.Printf("accept %v at %#x: %v\n", level, gpa, abi.Status(r.RAX).Name())
		}
	case abi.LeafVPVMCall:
		fmt.Printf("%v: R12 %d, R13 %d, R14 %#x, R15 %#x\n", abi.VMCall(r.R11), r.R12, r.R13, r.R14, r.R15)
		r.RAX, r.R10 = uint64(abi.Success), uint64(abi.VMCallSuccess)
	}
}

// A kernel accepts memory as it needs it: the bitmap says what, the driver how.
func Example() {
	var processor tdx.Instructions = pretended{small: 0x100200000}

	driver := &tdx.Driver{Instructions: processor, No1G: true}

	memory := accept.Range{Start: 0x100000000, End: 0x110000000}
	header := accept.HeaderFor(memory)
	bitmap, err := header.Bitmap(make([]byte, header.Size))
	if err != nil {
		fmt.Println(err)
		return
	}
	bitmap.Mark(memory)

	need := accept.Range{Start: 0x100000000, End: 0x100300000}
	if err := bitmap.Accept(accept.Guard(need), driver); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(bitmap.Count(memory), "units left")

	// Output:
	// accept 2M at 0x100000000: TDX_SUCCESS
	// accept 2M at 0x100200000: TDX_PAGE_SIZE_MISMATCH
	// 126 units left
}

// The same instruction reaches the host: a kernel writes a byte to the first serial port.
func ExampleVMCall() {
	var processor tdx.Instructions = pretended{}

	r := tdx.Registers{R12: 1, R13: abi.VMCallWrite, R14: 0x3F8, R15: 'A'}
	if answer := tdx.VMCall(processor, abi.VMCallIO, &r); answer != abi.VMCallSuccess {
		fmt.Println(answer)
	}

	// Output:
	// Instruction.IO: R12 1, R13 1, R14 0x3f8, R15 0x41
}
