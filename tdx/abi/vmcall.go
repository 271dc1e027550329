package abi

// A VMCall is a sub-function of TDG.VP.VMCALL, in R11 where R10 is 0: the number of an exit reason for an instruction, or
// 0x10000 and up (GHCI, table "TDG.VP.VMCALL leaves"). Where R10 is another number, the call is the hypervisor's own.
//
// RAX is the leaf and becomes its status. RCX selects the registers that go to the host and come back, bit n register n
// in the order of instruction encodings: RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8 to R15. No other register changes.
type VMCall uint64

// Sub-functions. Operands are in R12 to R15, results in R11 unless said otherwise.
const (
	VMCallCPUID               VMCall = 10      // leaf, subleaf; R12 to R15 become EAX, EBX, ECX, EDX
	VMCallHLT                 VMCall = 12      // 1 if the guest has interrupts disabled
	VMCallIO                  VMCall = 30      // 1, 2 or 4 bytes; VMCallRead or VMCallWrite; port; value to write
	VMCallRDMSR               VMCall = 31      // index
	VMCallWRMSR               VMCall = 32      // index, value
	VMCallMMIO                VMCall = 48      // 1, 2, 4 or 8 bytes; VMCallRead or VMCallWrite; shared address; value to write
	VMCallGetInfo             VMCall = 0x10000 // 0
	VMCallMapGPA              VMCall = 0x10001 // address with the shared bit as pages are to have it, bytes; where to go on
	VMCallGetQuote            VMCall = 0x10002 // shared address, bytes
	VMCallReportFatalError    VMCall = 0x10003 // code; 64 bytes of message in R14, R15, RBX, RDI, RSI, R8, R9, RDX
	VMCallSetupEventInterrupt VMCall = 0x10004 // vector

	VMCallRead  = 0 // direction of VMCallIO and VMCallMMIO
	VMCallWrite = 1
)

// VMCallMask selects all registers that sub-functions use, in RCX: RDX, RBX, RSI, RDI, R8 to R15. RAX, RCX, RSP, and RBP
// where ConfigNoRBPMod is set, cannot be selected.
const VMCallMask = 0xFFCC

var vmcallNames = [...]struct {
	call VMCall
	name string
}{
	{VMCallCPUID, "Instruction.CPUID"},
	{VMCallHLT, "Instruction.HLT"},
	{VMCallIO, "Instruction.IO"},
	{VMCallRDMSR, "Instruction.RDMSR"},
	{VMCallWRMSR, "Instruction.WRMSR"},
	{VMCallMMIO, "#VE.RequestMMIO"},
	{VMCallGetInfo, "GetTdVmCallInfo"},
	{VMCallMapGPA, "MapGPA"},
	{VMCallGetQuote, "GetQuote"},
	{VMCallReportFatalError, "ReportFatalError"},
	{VMCallSetupEventInterrupt, "SetupEventNotifyInterrupt"},
}

// Operands returns the registers that the host needs of a guest which calls a sub-function, beside R10 and R11: a bit for each,
// as in RCX. What is in others is nobody's but the guest's (CVE-2024-46794). VMCallIO and VMCallMMIO need R15 where direction, their
// R13, is VMCallWrite. Of a sub-function that is not known all may be needed.
func (v VMCall) Operands(direction uint64) uint64 {
	const r12, r13, r14, r15 = 1 << 12, 1 << 13, 1 << 14, 1 << 15
	switch v {
	case VMCallHLT, VMCallRDMSR, VMCallGetInfo, VMCallSetupEventInterrupt:
		return r12
	case VMCallCPUID, VMCallWRMSR, VMCallMapGPA, VMCallGetQuote:
		return r12 | r13
	case VMCallIO, VMCallMMIO:
		if direction == VMCallWrite {
			return r12 | r13 | r14 | r15
		}
		return r12 | r13 | r14
	}
	return VMCallMask
}

// String returns the sub-function's name, or "undefined".
func (v VMCall) String() string {
	for i := range vmcallNames {
		if n := &vmcallNames[i]; n.call == v {
			return n.name
		}
	}
	return "undefined"
}

// A VMCallStatus is what the host answers to a sub-function, in R10 (GHCI, "TDG.VP.VMCALL completion status codes").
type VMCallStatus uint64

// Completion status codes of sub-functions.
const (
	VMCallSuccess            VMCallStatus = 0
	VMCallRetry              VMCallStatus = 1 // of VMCallMapGPA: R11 is where to go on
	VMCallInvalidOperand     VMCallStatus = 0x8000_0000_0000_0000
	VMCallGPAInUse           VMCallStatus = 0x8000_0000_0000_0001
	VMCallAlignError         VMCallStatus = 0x8000_0000_0000_0002
	VMCallSubfuncUnsupported VMCallStatus = 0x8000_0000_0000_0003
)

// Name returns the status code's name, "" where there is none.
func (s VMCallStatus) Name() string {
	switch s {
	case VMCallSuccess:
		return "SUCCESS"
	case VMCallRetry:
		return "RETRY"
	case VMCallInvalidOperand:
		return "INVALID_OPERAND"
	case VMCallGPAInUse:
		return "GPA_INUSE"
	case VMCallAlignError:
		return "ALIGN_ERROR"
	case VMCallSubfuncUnsupported:
		return "SUBFUNC_UNSUPPORTED"
	}
	return ""
}

// String returns the status code's name, or its number.
func (s VMCallStatus) String() string {
	if n := s.Name(); n != "" {
		return n
	}
	return hex(uint64(s), 1)
}
