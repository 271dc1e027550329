package abi

// A Leaf is a function of TDCALL, in RAX bits 15:0; its version is in bits 23:16 and the other bits are 0 (ABI, "TDCALL
// instruction leaf numbers").
type Leaf uint64

// Leaves.
const (
	LeafVPVMCall      Leaf = 0 // to the host: see VMCall
	LeafVPInfo        Leaf = 1 // about the TD and this processor: see InfoGPAW
	LeafMRRTMRExtend  Leaf = 2 // extends a run-time measurement register
	LeafVPVEInfoGet   Leaf = 3 // why the last #VE was: see VEInfo
	LeafMRReport      Leaf = 4 // writes a TDREPORT_STRUCT
	LeafVPCPUIDVESet  Leaf = 5 // makes CPUID raise #VE always
	LeafMemPageAccept Leaf = 6 // accepts a page: see PageInfo
	LeafVMRead        Leaf = 7 // TDG.VM.RD: see Field
	LeafVMWrite       Leaf = 8 // TDG.VM.WR
	LeafVPRead        Leaf = 9 // TDG.VP.RD
	LeafVPWrite       Leaf = 10
	LeafSysRead       Leaf = 11 // TDG.SYS.RD
	LeafSysReadAll    Leaf = 12

	// Leaves for a TD that serves others.
	LeafServTDRead  Leaf = 18
	LeafServTDWrite Leaf = 20

	LeafMemPageAttrRead  Leaf = 23
	LeafMemPageAttrWrite Leaf = 24

	// Leaves for a TD that has VMs of its own (L2 VMs).
	LeafVPEnter   Leaf = 25
	LeafVPInvEPT  Leaf = 26
	LeafVPInvVPID Leaf = 27

	LeafMask    = 0xFFFF // RAX
	LeafVersion = 16     // position of the version's eight bits
)

var leafNames = [...]string{
	LeafVPVMCall: "VP.VMCALL", LeafVPInfo: "VP.INFO", LeafMRRTMRExtend: "MR.RTMR.EXTEND",
	LeafVPVEInfoGet: "VP.VEINFO.GET", LeafMRReport: "MR.REPORT", LeafVPCPUIDVESet: "VP.CPUIDVE.SET",
	LeafMemPageAccept: "MEM.PAGE.ACCEPT", LeafVMRead: "VM.RD", LeafVMWrite: "VM.WR",
	LeafVPRead: "VP.RD", LeafVPWrite: "VP.WR", LeafSysRead: "SYS.RD", LeafSysReadAll: "SYS.RDALL",
	LeafServTDRead: "SERVTD.RD", LeafServTDWrite: "SERVTD.WR",
	LeafMemPageAttrRead: "MEM.PAGE.ATTR.RD", LeafMemPageAttrWrite: "MEM.PAGE.ATTR.WR",
	LeafVPEnter: "VP.ENTER", LeafVPInvEPT: "VP.INVEPT", LeafVPInvVPID: "VP.INVVPID",
}

// String returns the leaf's name without the TDG that all of them begin with, or "undefined".
func (l Leaf) String() string {
	if l < Leaf(len(leafNames)) && leafNames[l] != "" {
		return leafNames[l]
	}
	return "undefined"
}

// What TDG.VP.INFO returns (ABI, TDG.VP.INFO; module, tdg_vp_info.c).
const (
	InfoGPAW     = 0x3F   // RCX: width of a guest-physical address, its shared bit included, which is the topmost
	InfoMaxVCPUs = 32     // R8: position of MAX_VCPUS; below it is NUM_VCPUS
	InfoSysRead  = 1 << 0 // R10: there is TDG.SYS.RD
)

// SharedBit returns the bit of a guest-physical address that makes it shared, where addresses are gpaw bits wide.
func SharedBit(gpaw uint64) uint64 { return 1 << (gpaw&InfoGPAW - 1) }
