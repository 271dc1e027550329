//go:build linux && amd64

package kernel

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/accept/tdx"
	snpabi "github.com/tacit-vm/tacit/snp/abi"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
	"github.com/tacit-vm/tacit/uefi"
)

// What the kernel runs on: a platform without memory encryption, a TD, or an SEV-SNP guest at VMPL0.
const (
	onPlain = iota
	onTDX
	onSNP
)

// drivers are a processor's own, of which the platform has use for one.
type drivers struct {
	tdx   tdx.Driver
	regs  tdx.Registers // of the TDCALL under way
	snp   snp.Driver
	plain plainDriver
}

// prepareLike gives another processor the drivers that the first one has.
func (d *drivers) prepareLike(first *drivers) {
	d.tdx.Instructions, d.tdx.No1G, d.tdx.SharedBit = first.tdx.Instructions, first.tdx.No1G, first.tdx.SharedBit
	d.snp.Instructions, d.snp.DirectMap, d.snp.EvictCaches = first.snp.Instructions, first.snp.DirectMap, first.snp.EvictCaches
}

// driver returns the one that accepts memory.
func (p *processor) driver() accept.Driver {
	switch k.kind {
	case onTDX:
		return &p.drivers.tdx
	case onSNP:
		return &p.drivers.snp
	}
	return &p.drivers.plain
}

// A plainDriver is for a platform where nothing can be accepted.
type plainDriver struct{ _ byte }

func (*plainDriver) Accept(accept.Range) error { return errNoPlatform }

// identify finds out what the kernel runs on, while firmware still serves what a confidential guest cannot do by itself.
func (k *kernel) identify() {
	most, _, _, _ := cpuid(0, 0)
	mostExtended, _, _, _ := cpuid(0x8000_0000, 0)
	_, _, ecx, _ := cpuid(1, 0)
	k.hasRDRAND = ecx>>30&1 != 0
	width := uint64(36)
	if mostExtended >= 0x8000_0008 {
		_, _, _, edx := cpuid(0x8000_0001, 0)
		k.bigPages = edx>>26&1 != 0
		eax, _, _, _ := cpuid(0x8000_0008, 0)
		width = min(uint64(eax&0xFF), 52)
	}
	const msrEFER, nxe = 0xC000_0080, 1 << 11
	if rdmsr(msrEFER)&nxe != 0 {
		k.noExecute = 1 << 63
	}
	k.limit = 1 << width
	if most >= tdxabi.CPUIDLeaf {
		if _, ebx, ecx, edx := cpuid(tdxabi.CPUIDLeaf, 0); tdxabi.IsTD(ebx, ecx, edx) {
			k.meetTD()
			return
		}
	}
	if mostExtended >= snpabi.CPUIDLeaf {
		if eax, ebx, _, _ := cpuid(snpabi.CPUIDLeaf, 0); eax&snpabi.CPUIDSEV != 0 && rdmsr(snpabi.MSRSEVStatus)&snpabi.StatusSEVSNP != 0 {
			k.meetSNP(ebx)
		}
	}
}

// in and out are port I/O by the means of the platform. A device that does not answer reads as ones. A host whose answer is
// none ends the guest without a word, since it is through ports that the guest speaks.
func (k *kernel) in(port uint16) uint8 {
	switch k.kind {
	case onTDX:
		return inTD(port)
	case onSNP:
		d := &processorHere().drivers.snp
		v, reply := d.GHCB.In(d.Instructions, port, 1)
		if !reply.OK() {
			k.fail()
		}
		return uint8(v)
	}
	return inb(port)
}

func (k *kernel) out(port uint16, v uint8) {
	switch k.kind {
	case onTDX:
		outTD(port, v)
	case onSNP:
		d := &processorHere().drivers.snp
		if !d.GHCB.Out(d.Instructions, port, 1, uint32(v)).OK() {
			k.fail()
		}
	default:
		outb(port, v)
	}
}

// fail ends the guest since something is wrong, and tells the host. What goes wrong while it does, as where firmware's map
// leaves out the runtime services that switch the machine off, it does not do again.
func (k *kernel) fail() {
	k.alone()
	for k.failing {
		hlt()
	}
	k.failing = true
	switch k.kind {
	case onTDX:
		tdx.VMCall(tdx.Processor{}, tdxabi.VMCallReportFatalError, registers(tdx.Registers{}))
	case onSNP:
		snp.Terminate(snp.Processor{}, snpabi.TerminateGHCB, snpabi.TerminateGeneral)
	}
	k.reset(uefi.Aborted)
}

// isMemory says whether a descriptor of the map is of memory, as opposed to devices and holes.
func isMemory(d uefi.MemoryDescriptor) bool {
	switch d.Type {
	case uefi.ReservedMemoryType, uefi.UnusableMemory, uefi.MemoryMappedIO, uefi.MemoryMappedIOPortSpace, uefi.PersistentMemory:
		return false
	}
	return d.Type <= uefi.UnacceptedMemory
}
