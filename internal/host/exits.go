package host

import "github.com/tacit-vm/tacit/internal/x86"

// In answers port I/O by the bus.
func (h *Host) In(_ *x86.CPU, port uint16, size int) uint32 { return h.cfg.Bus.In(port, size) }

// Out answers port I/O by the bus.
func (h *Host) Out(_ *x86.CPU, port uint16, size int, value uint32) {
	h.cfg.Bus.Out(port, size, value)
}

// Load answers memory-mapped I/O by the bus.
func (h *Host) Load(_ *x86.CPU, gpa uint64, size int) uint64 { return h.cfg.Bus.Read(gpa, size) }

// Store answers memory-mapped I/O by the bus.
func (h *Host) Store(_ *x86.CPU, gpa uint64, size int, value uint64) {
	h.cfg.Bus.Write(gpa, size, value)
}

// Halt makes the processor wait for an interrupt. KVM wakes it up for any that is pending, since it cannot see IF,
// unless the guest says that it has interrupts disabled (tdx_protected_apic_has_interrupt).
func (h *Host) Halt(c *x86.CPU, blocked bool) {
	c.PutAside()
	if blocked {
		c.Halt()
		return
	}
	c.Wait()
}

// enosys is -KVM_ENOSYS, what KVM answers to a hypercall that it does not have (include/uapi/linux/kvm_para.h).
const enosys = ^uint64(1000) + 1

// Hypercall answers the hypervisor's own calls. CPUID announces none.
func (h *Host) Hypercall(*x86.CPU, uint64, [4]uint64) uint64 { return enosys }

// GiveUp ends the machine of a guest that cannot go on.
func (h *Host) GiveUp(c *x86.CPU, why error) { c.Stop(why) }

// CPUID leaves of KVM (Documentation/virt/kvm/x86/cpuid.rst).
const (
	leafKVMSignature = 0x4000_0000
	leafKVMFeatures  = 0x4000_0001
)

// CPUID answers the hypervisor's own leaves, and those about the topology, which the TDX module leaves to it. Linux keeps x2APIC when it sees KVM's signature; no feature of KVM is
// offered.
func (h *Host) CPUID(c *x86.CPU, leaf, subleaf uint32) [4]uint32 {
	switch leaf {
	case 0xB, 0x1F:
		v := h.cfg.Topology.Level(subleaf)
		h.cfg.Topology.Place(&v, leaf, c.ID())
		return v
	case leafKVMSignature:
		return [4]uint32{leafKVMFeatures, 0x4B4D_564B, 0x564B_4D56, 0x4D} // "KVMKVMKVM"
	}
	return [4]uint32{}
}
