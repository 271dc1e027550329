package tdx

import "github.com/tacit-vm/tacit/tdx/abi"

// Instructions are what a guest executes that Go has no word for. [Processor] executes them, tests do as it would.
type Instructions interface {
	// TDCALL executes TDCALL with the registers r and returns them there. It must not keep r.
	TDCALL(r *Registers)
}

// Registers are those that TDCALL takes and returns; RSP and RBP it leaves alone.
type Registers struct {
	RAX, RCX, RDX, RBX, RSI, RDI         uint64
	R8, R9, R10, R11, R12, R13, R14, R15 uint64
}

// VMCall asks the host for a sub-function of TDG.VP.VMCALL with the operands in r, where it leaves the results, and
// returns the host's answer. All registers that sub-functions use go to the host, zeros where r has nothing, so that
// it learns nothing else. If the module refuses to pass the call on, r.RAX is its status and the answer
// [abi.VMCallInvalidOperand]; that does not happen but for bugs.
//
// Whatever comes back is the host's word.
func VMCall(in Instructions, call abi.VMCall, r *Registers) abi.VMCallStatus {
	r.RAX, r.RCX = uint64(abi.LeafVPVMCall), abi.VMCallMask
	r.R10, r.R11 = 0, uint64(call)
	in.TDCALL(r)
	if abi.Status(r.RAX) != abi.Success {
		return abi.VMCallInvalidOperand
	}
	return abi.VMCallStatus(r.R10)
}
