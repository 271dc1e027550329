package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// ServeVC does what firmware's own #VC handler does while firmware's interrupt table is in force, which is until the
// kernel has one: the EFI stub relies on it. code is the error code of the exception; the processor's registers are the
// interrupted program's, except RIP and RSP. It returns how long the instruction is that it did, and false for what it
// does not do: on hardware, too, firmware gives up there (EDK2, OvmfPkg/Library/CcExitLib/CcExitVcHandler.c).
func (p *Platform) ServeVC(c *x86.CPU, code uint64) (length uint64, ok bool) {
	if abi.ExitCode(code) != abi.ExitCPUID {
		return 0, false
	}
	// From the CPUID page, as the hypervisor has no say in it; the request for what the page does not know costs an
	// exit.
	c.Charge(cost.Exit, 1)
	p.call(c, record.HostExit, abi.ExitCPUID.String(), "")
	v := p.CPUID(c, uint32(c.R[x86.RAX]), uint32(c.R[x86.RCX]))
	if uint32(c.R[x86.RAX]) == 1 && c.State().CR4&x86.CR4OSXSAVE != 0 {
		v[2] |= 1 << 27
	}
	for i, r := range [...]int{x86.RAX, x86.RBX, x86.RCX, x86.RDX} {
		c.R[r] = uint64(v[i])
	}
	const cpuidLength = 2 // 0F A2
	return cpuidLength, true
}
