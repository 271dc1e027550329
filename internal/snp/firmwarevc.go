package snp

import (
	"github.com/tacit-vm/tacit/cost"
	"github.com/tacit-vm/tacit/internal/confidential"
	"github.com/tacit-vm/tacit/internal/x86"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/snp/abi"
)

// ServeVC does what firmware's own #VC handler does while firmware's interrupt table is in force, which is until the
// kernel has one: the EFI stub relies on it. code is the error code of the exception, and rip where it was raised; the processor's
// registers are the interrupted program's, except RIP and RSP. It returns how long the instruction is that it did, 0 where
// it has to be executed again, and false for what it does not do: on hardware, too, firmware gives up there (EDK2,
// OvmfPkg/Library/CcExitLib/CcExitVcHandler.c).
func (p *Platform) ServeVC(c *x86.CPU, code, rip uint64) (length uint64, ok bool) {
	exit := abi.ExitCode(code)
	if exit == abi.ExitCPUID {
		return p.serveCPUID(c), true
	}
	if exit == abi.ExitNPF {
		return p.serveMMIO(c, rip)
	}
	e, ok := confidential.DecodeExit(c, rip)
	if !ok {
		return 0, false
	}
	if exit == abi.ExitDR7Read || exit == abi.ExitDR7Write {
		return p.serveDR7(c, exit, e)
	}
	p.exit(c, abi.ExitVMGEXIT.String())
	p.call(c, record.GHCB, exit.String(), "")
	length = uint64(e.Length)
	switch {
	case exit == abi.ExitIOIO && e.Kind == confidential.IOExit:
		return confidential.ServeIO(c, p.host, e)
	case exit == abi.ExitMSR && (e.Kind == confidential.ReadMSRExit || e.Kind == confidential.WriteMSRExit):
		return confidential.ServeMSR(c, p.host, e)
	case exit == abi.ExitVMMCALL && e.Kind == confidential.HypercallExit:
		c.R[x86.RAX] = p.host.Hypercall(c, c.R[x86.RAX], [4]uint64{c.R[x86.RBX], c.R[x86.RCX], c.R[x86.RDX], c.R[x86.RSI]})
		return length, true
	case exit == abi.ExitINVD, exit == abi.ExitWBINVD, exit == abi.ExitMONITOR, exit == abi.ExitMWAIT:
		return length, e.Kind == confidential.NothingExit
	}
	return 0, false // RDPMC too: a host without counters answers it with #GP, and nothing is left to handle that
}

// serveDR7 does a MOV from or to DR7. Like EDK2's handler it asks the host about none that is read: the guest knows what it
// has told. The handler has a stack of its own, so RSP is
// not the program's.
func (p *Platform) serveDR7(c *x86.CPU, exit abi.ExitCode, e confidential.Exit) (length uint64, ok bool) {
	v := p.vcpuOf(c)
	switch {
	case e.Register == x86.RSP:
		return 0, false
	case exit == abi.ExitDR7Read && e.Kind == confidential.ReadDebugExit:
		c.R[e.Register] = v.dr7
		return uint64(e.Length), true
	case exit == abi.ExitDR7Write && e.Kind == confidential.WriteDebugExit:
		p.exit(c, abi.ExitVMGEXIT.String())
		p.call(c, record.GHCB, exit.String(), "")
		if c.R[e.Register]>>32 != 0 {
			return 0, false // #GP, from the host (KVM, kvm_set_dr)
		}
		v.dr7 = c.R[e.Register] | dr7Reset
		return uint64(e.Length), true
	}
	return 0, false
}

// serveCPUID answers CPUID and returns its length.
func (p *Platform) serveCPUID(c *x86.CPU) uint64 {
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
	return cpuidLength
}

// serveMMIO asks the host for what a device's address holds, or has it put there. Only addresses without C-bit are devices'.
func (p *Platform) serveMMIO(c *x86.CPU, rip uint64) (length uint64, ok bool) {
	p.exit(c, abi.ExitVMGEXIT.String())
	return confidential.ServeMMIO(c, p.host, rip, func(va uint64, write bool) (uint64, bool) {
		gpa, err := c.Translate(va, write)
		event := abi.EventMMIORead
		if write {
			event = abi.EventMMIOWrite
		}
		p.call(c, record.GHCB, event.String(), "")
		return gpa, err == nil && gpa&CBit == 0
	})
}
