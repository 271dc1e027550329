package abi

// Instructions that work on the reverse map table (APM vol. 3).
//
// PVALIDATE: RAX is a virtual address, ECX the page's size and EDX 1 to validate it, 0 to rescind that. EAX becomes the
// Result; where it is Success, CF says that the page has been as asked before.
//
// RMPADJUST: RAX is a virtual address, RCX the page's size, RDX the VMPL and what it may do. EAX becomes the Result.
const (
	PVALIDATE = "PVALIDATE"
	RMPADJUST = "RMPADJUST"
)

// A PageSize is the size of a page in RCX, and in the RMP.
type PageSize uint64

// Page sizes.
const (
	Size4K PageSize = 0
	Size2M PageSize = 1
)

// Bytes returns how large a page is.
func (s PageSize) Bytes() uint64 { return 4 << 10 << (9 * s) }

// String returns "4K" or "2M".
func (s PageSize) String() string {
	if s == Size2M {
		return "2M"
	}
	return "4K"
}

// A Result is what an instruction that works on the RMP returns in EAX (APM vol. 3, PVALIDATE, RMPADJUST, RMPUPDATE,
// PSMASH).
type Result uint32

// Results.
const (
	Success          Result = 0
	FailInput        Result = 1
	FailPermission   Result = 2
	FailInUse        Result = 3
	FailOverlap      Result = 4
	FailSizeMismatch Result = 6 // a page of 2 MiB was asked for, and the RMP has 4 KiB there
)

// String returns the result's name, or its number.
func (r Result) String() string {
	switch r {
	case Success:
		return "SUCCESS"
	case FailInput:
		return "FAIL_INPUT"
	case FailPermission:
		return "FAIL_PERMISSION"
	case FailInUse:
		return "FAIL_INUSE"
	case FailOverlap:
		return "FAIL_OVERLAP"
	case FailSizeMismatch:
		return "FAIL_SIZEMISMATCH"
	}
	return number(uint64(r), 10)
}

// RDX of RMPADJUST. The mask of permissions has eight bits, of which the upper four give none to a guest without shadow stacks:
// bit 12 is for shadow stacks of the supervisor, of guests with VmplSSS in their SEV_FEATURES, and 15:13 are reserved (APM vol. 2,
// table 15-36).
const (
	AdjustVMPL       = 0xFF   // the VMPL whose permissions are set
	AdjustRead       = 1 << 8 // the permissions
	AdjustWrite      = 1 << 9
	AdjustUser       = 1 << 10 // to execute
	AdjustSupervisor = 1 << 11
	AdjustVMSA       = 1 << 16 // whether the page is a VMSA
	AdjustAll        = AdjustVMPL | AdjustRead | AdjustWrite | AdjustUser | AdjustSupervisor | AdjustVMSA

	VMPLs = 4 // virtual machine privilege levels
)
