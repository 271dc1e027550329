//go:build linux && amd64

package kernel

import (
	"github.com/tacit-vm/tacit/accept/tdx"
	tdxabi "github.com/tacit-vm/tacit/tdx/abi"
)

// The local APIC's timer takes the processor from a thread that does not give it back (SDM vol. 3, chapter 12). In a
// confidential guest its registers are model-specific ones, some of which the host has to be asked for.

// Registers of the local APIC (SDM vol. 3, table 12-1), as x2APIC numbers them.
const (
	apicTaskPriority = 0x08
	apicEOI          = 0x0B
	apicSpurious     = 0x0F
	apicTimer        = 0x32
	apicCommand      = 0x30
	apicInitial      = 0x38
	apicCurrent      = 0x39
	apicDivide       = 0x3E

	msrAPICBase = 0x1B
	msrX2APIC   = 0x800

	vectorTimer    = 0x40
	vectorCall     = 0x41 // from another processor: something is to be done
	vectorLook     = 0x42 // page tables have changed
	vectorSpurious = 0xFF
	firstInterrupt = 32

	// How long a thread runs while others wait.
	slice = 4_000_000 // nanoseconds
	// The longest rest of a processor that looks when threads wake, after which it looks again, and that of others.
	longRest = 10_000_000
	deepRest = 1_000_000_000
	// A shorter one is not worth asking the host for.
	shortRest = 50_000
)

// A timer is how the kernel reaches the local APIC.
type timer struct {
	perMS uint64 // counts in a millisecond; 0 where there is no timer
	page  uint64 // where the registers are mapped; 0 where they are model-specific
}

// openTimer finds the local APIC's timer, and has threads be interrupted. Without one, threads run until they make a system
// call.
func (k *kernel) openTimer() {
	const pic1, pic2 = 0x21, 0xA1
	k.out(pic1, 0xFF) // no interrupts of the 8259s, whose vectors may be anything
	k.out(pic2, 0xFF)
	if !k.openAPIC() {
		return
	}
	const all = 0xFFFF_FFFF
	k.setAPIC(apicInitial, all)
	for start := rdtsc(); rdtsc()-start < k.tscHz/1000; {
		pause()
	}
	left := k.readAPIC(apicCurrent)
	if left == 0 || left >= all {
		return
	}
	k.timer.perMS = all - left
	k.startTicks()
	const interrupts = 1 << 9
	k.interruptFlag = interrupts
}

// openAPIC prepares this processor's local APIC. It reports false where there is no memory to map its registers with.
func (k *kernel) openAPIC() bool {
	if k.kind == onPlain {
		_, _, ecx, _ := cpuid(1, 0)
		const enabled, extended, hasX2APIC = 1 << 11, 1 << 10, 1 << 21
		base := rdmsr(msrAPICBase)
		switch {
		case base&extended != 0:
		case ecx&hasX2APIC != 0:
			wrmsr(msrAPICBase, base|enabled)
			wrmsr(msrAPICBase, base|enabled|extended)
		default:
			const noCache = 1 << 4
			wrmsr(msrAPICBase, base|enabled)
			va := uint64(sharedPages + maxProcessors*pageSize)
			if k.timer.page == 0 && !k.tables.mapRange(va, base&addressMask, pageSize, size4K, writable|noCache|k.noExecute) {
				return false
			}
			k.timer.page = va
		}
	}
	const software, by16, masked = 1 << 8, 3, 1 << 16
	k.setAPIC(apicTaskPriority, 0)
	k.setAPIC(apicSpurious, software|vectorSpurious)
	k.setAPIC(apicDivide, by16)
	k.setAPIC(apicTimer, masked|vectorTimer)
	return true
}

// startTicks has this processor's timer take it from threads.
func (k *kernel) startTicks() {
	const periodic = 1 << 17
	k.setAPIC(apicTimer, periodic|vectorTimer)
	k.tick(slice)
}

// tick has the timer fire every so many nanoseconds.
func (k *kernel) tick(ns uint64) {
	k.setAPIC(apicInitial, min(max(ns*k.timer.perMS/1_000_000, 1), 1<<31))
}

func (k *kernel) setAPIC(register uint32, v uint64) {
	native := register == apicEOI || register == apicTaskPriority
	switch {
	case k.timer.page != 0:
		*(*uint32)(pointer(k.timer.page + uint64(register)<<4)) = uint32(v)
	case k.kind == onTDX && !native:
		r := registers(tdx.Registers{R12: uint64(msrX2APIC + register), R13: v})
		tdx.VMCall(tdx.Processor{}, tdxabi.VMCallWRMSR, r)
	case k.kind == onSNP:
		d := &processorHere().drivers.snp
		d.GHCB.WRMSR(d.Instructions, msrX2APIC+register, v) // where it fails no timer is found, or it stops
	default:
		wrmsr(msrX2APIC+register, v)
	}
}

func (k *kernel) readAPIC(register uint32) uint64 {
	switch {
	case k.timer.page != 0:
		return uint64(*(*uint32)(pointer(k.timer.page + uint64(register)<<4)))
	case k.kind == onTDX:
		r := registers(tdx.Registers{R12: uint64(msrX2APIC + register)})
		if tdx.VMCall(tdx.Processor{}, tdxabi.VMCallRDMSR, r) != tdxabi.VMCallSuccess {
			return 0
		}
		return r.R11 & 0xFFFF_FFFF
	case k.kind == onSNP:
		d := &processorHere().drivers.snp
		v, reply := d.GHCB.RDMSR(d.Instructions, msrX2APIC+register)
		if !reply.OK() {
			return 0
		}
		return v & 0xFFFF_FFFF
	}
	return rdmsr(msrX2APIC+register) & 0xFFFF_FFFF
}

// interrupted serves an interrupt: the timer's, or one that has strayed here.
func (k *kernel) interrupted(vector uint64) {
	if vector != vectorSpurious {
		k.setAPIC(apicEOI, 0)
	}
}

// interrupt sends an interrupt command to a local APIC: a vector, and how it is to be delivered (SDM vol. 3, section 11.6.1).
func (k *kernel) interrupt(id uint32, command uint32) {
	if k.timer.page != 0 {
		const high, at = 0x310, 24
		*(*uint32)(pointer(k.timer.page + high)) = id << at
	}
	k.setAPIC(apicCommand, uint64(id)<<32|uint64(command))
}

// rest has the processor wait, at most so many nanoseconds. It comes back from a call that came before, too.
func (k *kernel) rest(ns uint64) {
	if k.timer.perMS == 0 || ns < shortRest {
		pause()
		return
	}
	k.tick(ns)
	if k.kind == onTDX {
		// The host looks whether an interrupt is pending, which it can only see while this processor takes none.
		tdx.VMCall(tdx.Processor{}, tdxabi.VMCallHLT, registers(tdx.Registers{}))
		sti()
		pause() // one instruction on, they come
		cli()
	} else {
		wait()
	}
	k.tick(slice)
}
