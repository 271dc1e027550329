package x86

import (
	"fmt"

	"github.com/tacit-vm/tacit/internal/mem"
	"github.com/tacit-vm/tacit/internal/x86/uop"
	"github.com/tacit-vm/tacit/physical"
)

// Plain is the platform of a machine without confidential computing: all memory is there, nothing is intercepted. To a
// guest it is a virtual machine of the KVM kind, with a hypervisor that offers nothing: Linux keeps x2APIC only where
// it knows the hypervisor.
type Plain struct {
	Memory *mem.Memory
	Bus    Bus
	RAM    func(gpa uint64) bool // says whether a page of guest-physical address space is RAM
	ROM    func(gpa uint64) bool // … or memory that stores do not reach; nil where there is none
	TSCHz  uint64                // 0 means 1 GHz
}

// OutsideError ends the run at an access that needs memory, to an address where there is none.
type OutsideError struct {
	GPA uint64
	Access
	Device bool // there is a device
}

func (e *OutsideError) Error() string {
	there := "neither memory nor a device"
	if e.Device {
		there = "a device and no memory"
	}
	return fmt.Sprintf("%v at guest-physical address %#x, where there is %s", e.Kind, e.GPA, there)
}

// ReservedBits implements [Platform].
func (p *Plain) ReservedBits() uint64 { return 0 }

// Unpaged implements [Platform].
func (p *Plain) Unpaged() uint64 { return 0 }

// Resolve implements [Platform]. Addresses that are not RAM are the bus's: what no device claims reads as ones. So are
// stores to ROM, which no device there takes.
func (p *Plain) Resolve(_ *CPU, gpa uint64, a Access) (Translation, *Refusal) {
	if p.Memory.Contains(gpa, mem.PageSize) && p.RAM(gpa) {
		f := mem.FrameOf(physical.Private, gpa)
		return Translation{Host: p.Memory.Page(f), Frame: f, GPA: gpa}, nil
	}
	if p.ROM != nil && !a.Kind.Writes() && p.ROM(gpa) {
		f := mem.FrameOf(physical.Private, gpa)
		return Translation{Host: p.Memory.Page(f), Frame: f, GPA: gpa, ReadOnly: true}, nil
	}
	if a.Kind == Fetch || a.Kind == Walk || a.Kind == WalkWrite {
		return Translation{}, &Refusal{Stop: p.outside(gpa, a)}
	}
	return Translation{MMIO: true, GPA: gpa}, nil
}

func (p *Plain) outside(gpa uint64, a Access) error {
	return &OutsideError{gpa, a, p.Bus != nil && p.Bus.Claims(gpa)}
}

// ResolveDevice implements [Platform]: a device reaches all of RAM, and no other device.
func (p *Plain) ResolveDevice(gpa uint64, write bool) (Translation, error) {
	page := gpa &^ pageMask
	if !p.Memory.Contains(page, mem.PageSize) || !p.RAM(page) {
		kind := ExternalRead
		if write {
			kind = ExternalWrite
		}
		return Translation{}, p.outside(page, Access{Kind: kind})
	}
	f := mem.FrameOf(physical.Private, page)
	return Translation{Host: p.Memory.Page(f), Frame: f, GPA: page}, nil
}

// Intercepts implements [Platform].
func (p *Plain) Intercepts() uop.InstructionSet { return Instructions(InsnVMCALL, InsnVMMCALL) }

// Intercept implements [Platform]: it is a hypercall, and KVM, which CPUID says is there, takes either instruction on any
// processor. None is offered (Linux: arch/x86/kvm/x86.c, kvm_emulate_hypercall).
func (p *Plain) Intercept(c *CPU, _ *Instruction) Action {
	const eperm, enosys = ^uint64(0), ^uint64(999) // -1 and -1000 (Linux: include/uapi/linux/kvm_para.h)
	if c.R[RAX] = enosys; c.CPL() != 0 {
		c.R[RAX] = eperm
	}
	return Done
}

// WriteCR implements [Platform].
func (p *Plain) WriteCR(*CPU, int, uint64) Action { return Native }

// CPUID implements [Platform].
func (p *Plain) CPUID(c *CPU, leaf, subleaf uint32) [4]uint32 {
	features := c.topology.Features
	if c.la57 {
		features = LA57(features)
	}
	v := features(leaf, subleaf)
	c.topology.Place(&v, leaf, c.id)
	switch leaf {
	case 1:
		v[2] |= LeafDeadline
		if c.APIC.mode == 0 {
			v[3] &^= 1 << 9 // there is no local APIC
		}
		if c.cr4&CR4OSXSAVE != 0 {
			v[2] |= 1 << 27
		}
	case 6:
		v[0] = 1 << 2 // ARAT: the local APIC's timer always runs
	case 0x15: // the TSC is the crystal's clock times EBX/EAX
		return [4]uint32{1, uint32(c.tscHz / c.APIC.timerHz), uint32(c.APIC.timerHz)}
	case 0x16:
		mhz := uint32(c.tscHz / 1_000_000)
		return [4]uint32{mhz, mhz, 100}
	case 0x4000_0000: // "KVMKVMKVM", with no features
		return [4]uint32{0x4000_0001, 0x4B4D_564B, 0x564B_4D56, 0x4D}
	}
	return v
}

// ReadMSR implements [Platform].
func (p *Plain) ReadMSR(_ *CPU, index uint32) (uint64, Action) {
	switch index {
	case MSRArchCaps:
		return ArchCapabilities, Done
	case MSRMiscEnable:
		return 1, Done // fast strings: without them the kernel drops ERMS
	case MSRBiosSign, 0x17, 0xCE, 0x140: // platform id and information, features: nothing to tell
		return 0, Done
	}
	return 0, Native
}

// WriteMSR implements [Platform].
func (p *Plain) WriteMSR(_ *CPU, index uint32, _ uint64) Action {
	switch index {
	case MSRBiosSign, MSRMiscEnable, 0x140:
		return Done // ignored, as KVM ignores them
	}
	return Native
}
