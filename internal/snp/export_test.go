package snp

import "github.com/tacit-vm/tacit/physical"

// SetVMPL puts a processor at another privilege level, as a hypervisor does that runs another VMSA of it.
func (p *Platform) SetVMPL(cpu int, vmpl uint8) {
	p.vcpus[cpu].vmpl = vmpl
	p.cfg.Forget(physical.Private, 0, p.mem.Size())
}
