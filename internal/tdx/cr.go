package tdx

import (
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// Bits that a TD may not have as it likes (module, td_vmcs_init.c, the guest/host masks; helpers.c, write_guest_cr0
// and write_guest_cr4).
const (
	cr4VMXE  = 1 << 13
	cr4SMXE  = 1 << 14
	cr4KL    = 1 << 19
	cr4PKE   = 1 << 22
	cr4CET   = 1 << 23
	cr4PKS   = 1 << 24
	cr4UINTR = 1 << 25
)

// WriteCR implements [x86.Platform]: values that hardware has but a TD must not take raise #VE, the others are the
// processor's own to check.
//
// The exit qualification has the number of the register, and lacks that of the general-purpose register, which the
// processor does not pass on; no known handler looks at either.
func (m *Module) WriteCR(c *x86.CPU, which int, value uint64) x86.Action {
	const length = 3 // MOV to CR0 or CR4 without REX.R
	switch which {
	case 0:
		switch {
		case value>>32 != 0, value&x86.CR0NE == 0, value&x86.CR0PE == 0 && value&x86.CR0PG != 0:
			return m.raiseGP(c) // not legal in VMX operation (IA32_VMX_CR0_FIXED0 and FIXED1)
		case value&x86.CR0PE == 0, value&(x86.CR0CD|x86.CR0NW) != 0:
			return m.raiseVE(c, abi.ReasonCR, 0, length)
		}
	case 4:
		switch {
		case value&x86.CR4LA57 != 0 && !m.la57, value&(cr4KL|cr4PKE|cr4CET|cr4PKS|cr4UINTR) != 0, value>>26 != 0, value&(1<<15) != 0:
			return m.raiseGP(c) // neither in XFAM nor in ATTRIBUTES, or reserved
		case value&x86.CR4MCE == 0, value&(cr4VMXE|cr4SMXE) != 0:
			return m.raiseVE(c, abi.ReasonCR, 4, length)
		}
	}
	return x86.Native // EFER is guarded as an MSR, in wrmsr
}
