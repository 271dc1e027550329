package attack

import (
	"encoding/binary"
	"fmt"

	"github.com/tacit-vm/tacit/internal/x86"
)

const (
	msrX2APIC      = 0x800
	msrX2APICEnd   = 0x900
	msrMTRRDefType = 0x2FF
	msrMTRRFirst   = 0x200
	msrMTRRLast    = 0x20F
	msrKVMClock    = 0x4B56_4D01
)

// anyCPUID answers CPUID with values from the seed. The guest is deceived where it asks its host at all for what the
// architecture tells it: of a TD that is all but the hypervisor's own leaves; of an SEV-SNP guest all that is in its CPUID
// table (Linux, snp_cpuid), but for the topology of processors.
func anyCPUID(td bool) func(*Host, *x86.CPU, uint32, uint32, [4]uint32) [4]uint32 {
	return func(h *Host, c *x86.CPU, leaf, subleaf uint32, v [4]uint32) [4]uint32 {
		if !h.from() {
			return v
		}
		h.step(c, "answered CPUID with other values", nil)
		hypervisors := leaf >= 0x4000_0000 && leaf <= 0x4FFF_FFFF
		topology := leaf == 1 || leaf == 0xB || leaf == 0x1F || leaf == 0x8000_001E
		if !hypervisors && (td || !topology) {
			h.deceived("the guest asked its host for CPUID leaf %#x", leaf)
		}
		for i := range v {
			v[i] = uint32(h.value())
		}
		return v
	}
}

// anyMSR answers RDMSR with values from the seed. The local APIC is left alone: the guest would lose its timer, and show
// nothing more.
func anyMSR(h *Host, c *x86.CPU, index uint32, v uint64, ok bool) (uint64, bool) {
	if index >= msrX2APIC && index < msrX2APICEnd || !h.from() {
		return v, ok
	}
	h.step(c, "answered RDMSR with other values", nil)
	return h.value(), true
}

// uncached says that no memory may be cached: a processor that believes it loses all of it
// (Linux, mtrr_trim_uncached_memory).
func uncached(h *Host, c *x86.CPU, index uint32, v uint64, ok bool) (uint64, bool) {
	const enabled = 3 << 10
	switch {
	case index == msrMTRRDefType:
		if h.from() {
			h.step(c, "said by the MTRRs that no memory may be cached", nil)
			return enabled, true // type 0: UC
		}
	case index >= msrMTRRFirst && index <= msrMTRRLast:
		return 0, true
	}
	return v, ok
}

// anyPort answers port I/O with values from the seed. The serial ports are left alone: through them the guest says what it
// makes of it.
func anyPort(h *Host, c *x86.CPU, port uint64, size int, v uint64) uint64 {
	if port&^7 == 0x3F8 || port&^7 == 0x2F8 || !h.from() {
		return v
	}
	h.step(c, "answered port I/O with other values", nil)
	return h.value() & (1<<(8*size) - 1)
}

// anyDevice answers memory-mapped I/O likewise.
func anyDevice(h *Host, c *x86.CPU, _ uint64, size int, v uint64) uint64 {
	if !h.from() {
		return v
	}
	h.step(c, "answered memory-mapped I/O with other values", nil)
	if size == 8 {
		return h.value()
	}
	return h.value() & (1<<(8*size) - 1)
}

// laterByPort has the real-time clock say another year: its registers come by the index in port 0x70 (MC146818).
func laterByPort(h *Host, c *x86.CPU, port uint64, _ int, v uint64) uint64 {
	const data, binaryMode = 0x71, 0x35
	if port != data || v != 0x26 || !h.from() { // the year, in BCD
		return v
	}
	h.step(c, "had the real-time clock say another year", nil)
	return binaryMode
}

// faster has KVM's clock go twice as fast (struct pvclock_vcpu_time_info: tsc_to_system_mul).
func faster(h *Host, c *x86.CPU, at uint64) {
	const scale = 24
	var b [4]byte
	err := c.ReadPhysical(at+scale, b[:])
	if err == nil {
		binary.LittleEndian.PutUint32(b[:], binary.LittleEndian.Uint32(b[:])/2)
		err = c.WritePhysical(at+scale, b[:])
	}
	h.step(c, fmt.Sprintf("had KVM's clock at %#x go half as fast", at), err)
}
