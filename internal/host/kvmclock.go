package host

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/tacit-vm/tacit/internal/x86"
)

// KVM's clock: structures in shared memory that tell a guest what time it was at some value of its TSC, and how fast
// that counts (Linux, Documentation/virt/kvm/x86/msr.rst, MSR_KVM_SYSTEM_TIME_NEW and MSR_KVM_WALL_CLOCK_NEW). The TSC
// counts virtual time, so that what was written once stays right.
const (
	clockSize     = 32
	wallClockSize = 12

	// clockStable: the clocks of all processors agree (PVCLOCK_TSC_STABLE_BIT).
	clockStable = 1 << 0
)

// showClock writes a processor's clock (struct pvclock_vcpu_time_info).
func (h *SNP) showClock(c *x86.CPU) {
	at := h.clock[c.ID()]
	if at&clockWantsClock == 0 {
		return
	}
	tsc, _ := c.MSR(msrTSC)
	multiplier, shift := clockScale(h.snp.TSCHz)
	b := make([]byte, clockSize)
	le := binary.LittleEndian
	le.PutUint32(b, 2) // version; odd while it is being written
	le.PutUint64(b[8:], tsc)
	le.PutUint64(b[16:], uint64(c.Now()))
	le.PutUint32(b[24:], multiplier)
	b[28] = byte(shift)
	b[29] = clockStable
	h.show(c, at&^clockWantsClock, b)
}

// showWallClock writes what time it was at virtual time 0 (struct pvclock_wall_clock).
func (h *SNP) showWallClock(c *x86.CPU, at uint64) {
	b := make([]byte, wallClockSize)
	le := binary.LittleEndian
	le.PutUint32(b, 2)
	le.PutUint32(b[4:], uint32(h.snp.WallClock))
	h.show(c, at, b)
}

// show writes to the guest's shared memory. KVM would write where the guest does not look; a guest without its clock
// hangs, so it is told why it ends.
func (h *SNP) show(c *x86.CPU, at uint64, b []byte) {
	if err := c.WritePhysical(at, b); err != nil {
		h.GiveUp(c, fmt.Errorf("the guest wants KVM's clock where the host cannot write: %w", err))
	}
}

// clockScale returns what turns ticks of a clock into nanoseconds: (ticks << shift) * multiplier >> 32, and a right
// shift where shift is negative.
func clockScale(hz uint64) (multiplier uint32, shift int8) {
	const ns = 1_000_000_000
	num, den := uint64(ns), hz
	for num >= den { // the multiplier is below 1
		den <<= 1
		shift++
	}
	for num<<1 < den {
		num <<= 1
		shift--
	}
	q, _ := bits.Div64(num, 0, den) // num < den
	q >>= 32
	return uint32(q), shift
}
