//go:build linux && amd64

package kernel

import (
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/tdx/abi"
)

// This file is what a TD needs beyond the driver: port I/O and #VE.

// meetTD asks the TDX module how wide addresses are.
func (k *kernel) meetTD() {
	k.kind = onTDX
	d := &k.first.drivers
	d.tdx.Instructions = tdx.Processor{}
	d.regs = tdx.Registers{RAX: uint64(abi.LeafVPInfo)}
	tdx.Processor{}.TDCALL(&d.regs)
	const gpaw = 0x3F
	d.tdx.SharedBit = 1 << (d.regs.RCX&gpaw - 1)
	k.limit = d.tdx.SharedBit
}

// registers makes r the registers of this processor's next TDCALL. They have a place of their own: what is passed to an
// interface has to outlive the call, for all that the compiler knows.
func registers(r tdx.Registers) *tdx.Registers {
	at := &processorHere().drivers.regs
	*at = r
	return at
}

func inTD(port uint16) uint8 {
	r := registers(tdx.Registers{R12: 1, R13: abi.VMCallRead, R14: uint64(port)})
	if tdx.VMCall(tdx.Processor{}, abi.VMCallIO, r) != abi.VMCallSuccess {
		return 0xFF
	}
	return uint8(r.R11)
}

func outTD(port uint16, v uint8) {
	r := registers(tdx.Registers{R12: 1, R13: abi.VMCallWrite, R14: uint64(port), R15: uint64(v)})
	tdx.VMCall(tdx.Processor{}, abi.VMCallIO, r) // there is nowhere to report an error
}

// serveVE serves #VE: CPUID, of which the Go runtime asks for what the module leaves to the host. What the host says of
// itself counts, the rest is zeros, as Linux has it (arch/x86/coco/tdx/tdx.c, handle_cpuid).
func (k *kernel) serveVE(f *frame) bool {
	r := registers(tdx.Registers{RAX: uint64(abi.LeafVPVEInfoGet)})
	tdx.Processor{}.TDCALL(r)
	if abi.Status(r.RAX) != abi.Success || abi.ExitReason(r.RCX) != abi.ReasonCPUID {
		return false
	}
	length := r.R10 & 0xFFFF_FFFF
	leaf, subleaf := f.ax, f.cx
	f.ax, f.bx, f.cx, f.dx = 0, 0, 0, 0
	if leaf >= 0x4000_0000 && leaf < 0x5000_0000 {
		r = registers(tdx.Registers{R12: leaf, R13: subleaf})
		if tdx.VMCall(tdx.Processor{}, abi.VMCallCPUID, r) == abi.VMCallSuccess {
			const low = 0xFFFF_FFFF
			f.ax, f.bx, f.cx, f.dx = r.R12&low, r.R13&low, r.R14&low, r.R15&low
		}
	}
	f.ip += length
	return true
}
