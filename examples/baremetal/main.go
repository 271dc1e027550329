//go:build linux && amd64

// Command baremetal is all the software of a guest: an EFI application in Go that accepts memory when it needs some, and
// prints what it did. There is no operating system below it, and no Go runtime either: that is linked and never started.
// So the program allocates nothing and starts no goroutine; packages accept, accept/tdx and accept/snp need neither.
//
// README.md says how to build and boot it.
package main

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/accept/tdx"
	snpabi "github.com/tacit-vm/tacit/snp/abi"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
	"github.com/tacit-vm/tacit/uefi"
)

// Start is called by Entry, where firmware starts the program.
func Start(systemTable uint64) {
	f := firmware{systemTable}
	driver, name := platform()
	f.print("This is ", name, ".\n")

	// What has to be accepted before it is touched, and memory for a bitmap of it: a bit for 2 MiB.
	var span accept.Range
	for d := range f.memoryMap().All() {
		if d.Type == uefi.UnacceptedMemory {
			span = span.Union(accept.Range{Start: d.PhysicalStart, End: d.End()})
		}
	}
	if span.Empty() {
		f.print("Nothing is unaccepted.\n")
		f.powerOff(uefi.Success)
	}
	header := accept.HeaderFor(span)
	bitmap, err := header.Bitmap(f.allocate(header.Size))
	if err != nil || driver == nil {
		f.fail("There is unaccepted memory that cannot be accepted.\n")
	}

	// The map again, since firmware that has little memory may have accepted some to allocate the bitmap. From here on
	// nothing is allocated, so that unaccepted memory is the program's. A larger one would leave boot services now.
	for d := range f.memoryMap().All() {
		if d.Type != uefi.UnacceptedMemory {
			continue
		}
		head, tracked, tail := accept.Split(accept.Range{Start: d.PhysicalStart, End: d.End()}, bitmap.Span())
		if !head.Empty() && driver.Accept(head) != nil || !tail.Empty() && driver.Accept(tail) != nil {
			f.fail("Memory was not accepted.\n")
		}
		bitmap.Mark(tracked)
	}
	f.printAmount(left(bitmap), " are unaccepted.\n")

	// Memory is used a MiB at a time, and accepted where the next needs more of it.
	const most, pieceSize = 4 << 20, 1 << 20
	var memory accept.Range
	for run := range bitmap.Runs(bitmap.Span()) {
		memory = accept.Range{Start: run.Start, End: min(run.End, run.Start+most)}
		break
	}
	for address := memory.Start; address < memory.End; address += pieceSize {
		piece := accept.Range{Start: address, End: address + pieceSize}
		before := left(bitmap)
		if bitmap.Accept(accept.Guard(piece), driver) != nil {
			f.fail("Memory was not accepted.\n")
		}
		use(piece)
		f.printAmount(pieceSize, " used, ")
		f.printAmount(before-left(bitmap), " accepted for it.\n")
	}
	f.printAmount(left(bitmap), " are still unaccepted.\n")
	f.powerOff(uefi.Success)
}

// left returns how many bytes are unaccepted.
func left(b accept.Bitmap) uint64 { return b.Count(b.Span()) * accept.UnitSize }

// use writes to every page of r.
func use(r accept.Range) {
	for address := r.Start; address < r.End; address += accept.PageSize {
		*at[uint64](address) = address
	}
}

// The drivers are variables, since nothing can be allocated. A processor has one of its own; here is one processor.
var (
	td       = tdx.Driver{Instructions: tdx.Processor{}}
	snpGuest = snp.Driver{Instructions: snp.Processor{}} // firmware maps memory at its address: no DirectMap
)

// platform returns the driver for the platform that the program finds itself on, nil where there is none.
func platform() (d accept.Driver, name string) {
	if _, ebx, ecx, edx := cpuid(tdxabi.CPUIDLeaf, 0); tdxabi.IsTD(ebx, ecx, edx) {
		return &td, "a TDX guest"
	}
	if last, _, _, _ := cpuid(0x8000_0000, 0); last >= snpabi.CPUIDLeaf {
		eax, ebx, _, _ := cpuid(snpabi.CPUIDLeaf, 0)
		if eax&snpabi.CPUIDSEV != 0 && rdmsr(snpabi.MSRSEVStatus)&snpabi.StatusSEVSNP != 0 {
			snpGuest.EvictCaches = ebx&snpabi.CPUIDCoherencySFWNo == 0
			return &snpGuest, "an SEV-SNP guest"
		}
	}
	return nil, "no confidential guest"
}

// main is what the go command wants of a program. Firmware starts this one at Entry.
func main() { panic("an EFI application: see README.md") }
