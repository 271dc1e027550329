package snp_test

import (
	"fmt"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A pretended processor and host say what they are asked for. A guest on amd64 has snp.Processor{}.
type pretended struct {
	msr  uint64
	ghcb [abi.GHCBSize]byte
}

func (p *pretended) GHCBMSR() uint64     { return p.msr }
func (p *pretended) SetGHCBMSR(v uint64) { p.msr = v }
func (p *pretended) Evict(uint64)        {}

func (p *pretended) PVALIDATE(va uint64, size abi.PageSize, validate bool) (abi.Result, bool) {
	fmt.Printf("PVALIDATE %v at %#x: %v\n", size, va, validate)
	return abi.Success, false
}

func (p *pretended) VMGEXIT() {
	if code := abi.Code(p.msr & abi.CodeMask); code != 0 {
		fmt.Printf("%v: %#x\n", code, p.msr)
		if code == abi.CodePSCRequest {
			p.msr = uint64(abi.CodePSCRequest)
		}
		p.msr++ // the response
		return
	}
	g := snp.GHCB{Page: &p.ghcb}
	h := abi.PSCHeader(g.Get(abi.GHCBSharedBuffer))
	fmt.Printf("%v: %d entries\n", abi.ExitCode(g.Get(abi.GHCBSWExitCode)), h.Last()+1)
	p.ghcb[abi.GHCBSharedBuffer] = byte(h.Last() + 1) // done
}

// A kernel begins without a GHCB, makes a page of its own one, and then accepts memory as it needs it: the bitmap says
// what, the driver how.
func Example() {
	processor := &pretended{}
	const directMap, ghcb = 0xffff_8000_0000_0000, 0x5000

	driver := &snp.Driver{
		Instructions: processor,
		DirectMap:    directMap,
		GHCB:         snp.GHCB{Page: &processor.ghcb, GPA: ghcb},
	}
	if err := driver.MakeShared(accept.Range{Start: ghcb, End: ghcb + abi.GHCBSize}); err != nil {
		fmt.Println(err)
		return
	}
	// Here the kernel maps the page without C-bit.
	if err := driver.RegisterGHCB(); err != nil {
		fmt.Println(err)
		return
	}

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
	// PVALIDATE 4K at 0xffff800000005000: false
	// MSR: SNP Page State Change: 0x20000000005014
	// MSR: Register GHCB GPA: 0x5012
	// SNP Page State Change: 2 entries
	// PVALIDATE 2M at 0xffff800100000000: true
	// PVALIDATE 2M at 0xffff800100200000: true
	// 126 units left
}
