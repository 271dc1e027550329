package oracle

import "strings"

// An exclusion is something that user code can do or see and that is not compared, and why.
type exclusion struct{ what, reason string }

// excludedForms are rows of the tables that are not compared, by mnemonic.
var excludedForms = []exclusion{
	{"RCPSS RCPPS RSQRTSS RSQRTPS", "approximations: each model of processor has its own within 1.5 * 2^-12"},
	{"FSIN FCOS FSINCOS FPTAN FPATAN F2XM1 FYL2X FYL2XP1", "transcendental functions: exact to about a unit in the last place, differently by model"},
}

// otherExclusions is what the tables do not hold, what the generator avoids, and what [Case.Compare] overlooks. It is
// printed with the coverage list.
var otherExclusions = []exclusion{
	// Instructions.
	{"SYSCALL, SYSENTER, INT 0x80", "enter the host's kernel"},
	{"CPUID, XGETBV of XCR0 and of XINUSE, RDPID", "say what the host is"},
	{"RDTSC, RDTSCP, RDPMC", "the interpreter's time is virtual"},
	{"RDRAND, RDSEED", "random by design"},
	{"SGDT, SIDT, SLDT, SMSW, STR", "under UMIP Linux emulates some of them for user code"},
	{"loads of segment registers, far jumps and calls", "belong to the suite of system behaviour: they need descriptors of the guest's own"},
	{"near branches with prefix 66", "Intel ignores the prefix, AMD does not"},
	{"BSWAP of 16 bits", "the result is undefined"},
	{"MONITOR, MWAIT, VMCALL and kin, XBEGIN and kin, AVX and what follows it", "not announced by the interpreter"},

	// Values.
	{"sources of 0 of BSF and BSR", "the destination is undefined"},
	{"SHLD and SHRD of 16 bits by more than 16", "result and flags are undefined"},
	{"arithmetic flags that the manual leaves undefined (flags.go)", "differ between processors"},
	{"TF popped by POPF and IRET", "the trap after the next instruction belongs to the suite of system behaviour"},
	{"XSAVE and XRSTOR of components but x87 and SSE", "the host has more of them than the guest"},

	// Addresses.
	{"locked operands across two cache lines", "the host's policy (Linux: split_lock_detect)"},
	{"IRET that sets AC", "an alignment fault of its own has AC clear, and Linux takes it for that of a split lock"},
	{"MASKMOVQ and MASKMOVDQU where bytes cannot be stored", "whether a byte that the mask leaves out faults is up to the processor"},
	{"80-bit stores across two pages", "where the second cannot be written, some models have stored into the first"},
	{"undefined and overlong instructions at the end of the code window", "how many of their bytes are fetched is up to the processor"},
	{"CR2 of FXSAVE, XSAVE, FNSAVE, FNSTENV and what loads their areas", "the order of accesses to an area is up to the processor"},
	{"XRSTOR of an area that is wrong and cannot be read", "which fault comes first is up to the processor"},
	{"bit 0 of page faults' error codes in the kernel's half", "Linux sets it always, so that user code cannot find the kernel"},

	// State.
	{"FIP, FDP, FOP and the mask of MXCSR's bits in areas that FXSAVE, XSAVE, FNSAVE and FNSTENV store", "when they are written differs between processors"},
	{"RF in the flags pushed by a fault", "no program depends on it"},
	{"XMM registers after XRSTOR of a compacted area whose MXCSR is #GP", "some models have loaded them by then"},
}

// excluded returns why a form is not compared, or "".
func (f *form) excluded() string {
	for _, e := range excludedForms {
		if strings.Contains(" "+e.what+" ", " "+f.mnemonic+" ") {
			return e.reason
		}
	}
	return ""
}
