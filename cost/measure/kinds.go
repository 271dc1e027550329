// Package measure makes cost models of what a program measures inside a confidential guest: [Take] measures there, on
// Linux, with no more than an ordinary program may do, and [Fit] says which numbers of a model follow from that.
//
// What can be timed is never an event alone: a CPUID that the host answers is #VE, a call of the TDX module, an exit to
// the host, and the guest's kernel between them. So a measurement is a sum of events ([Kind]), and one event follows from
// it when all others are known. What the host does alone, or what only a kernel can ask for, cannot be measured so.
package measure

import "github.com/tacit-vm/tacit/cost"

// A Kind is something that can be timed, and what it consists of.
type Kind struct {
	Name     string
	Platform string // of record: "tdx", "snp", "none"; empty for all
	HostPage string // it consists of this where the host maps pages of this size: "2M", "4K"; empty for all
	About    string // what is timed
	Over     string // another kind, all of which it consists of as well: what the guest's kernel does, about
	Of       []Part // in addition, of events that other kinds give first
	Gives    []Part // and of these, which follow from it
}

// A Part is so many of an event.
type Part struct {
	Event cost.Event
	N     int64
}

// Names of what is measured.
const (
	Syscall     = "syscall"      // no event: a system call that does nothing
	CPUIDModule = "cpuid-module" // CPUID leaf 0 in a TD
	CPUIDGuest  = "cpuid-guest"  // CPUID leaf 2 in a TD, leaf 0 in an SEV-SNP guest
	CPUIDHost   = "cpuid-host"   // CPUID leaf 0x4000_0000 in a TD, leaf 0 in a plain guest
	Hypercall   = "hypercall"    // VMMCALL in an SEV-SNP guest
	Accept      = "accept-block" // 4 MiB of memory
)

// Kinds lists all, each after those whose events it consists of.
//
// CPUID in a TD (module, td_cpuid.c; Linux arch/x86/coco/tdx/tdx.c, virt_exception_user): the module answers leaf 0;
// leaf 2 is #VE, which the kernel asks the module about and answers itself, with zeros; of leaf 0x4000_0000 it asks the
// host. In an SEV-SNP guest (arch/x86/coco/sev/core.c) CPUID is #VC, answered from the CPUID table, and VMMCALL is #VC and
// an exit; KVM refuses it to a program, at once. What the kernel does for #VC takes longer than #VC itself, so that this
// does not follow.
//
// Linux accepts blocks of 4 MiB (mm/page_alloc.c, MAX_PAGE_ORDER). In a TD each of the two 2 MiB pages is an EPT violation,
// on which the host adds a page, and an acceptance; where the host maps 4 KiB, one attempt that fails and 512 of these. In
// an SEV-SNP guest a block is one page state change request with two entries, and for each a page that the host adds when
// PVALIDATE touches it (arch/x86/coco/sev/core.c, set_pages_state).
var Kinds = []Kind{
	{Name: Syscall, About: "a system call that does nothing"},

	{Name: CPUIDModule, Platform: "tdx", About: "CPUID leaf 0", Gives: []Part{{cost.ModuleCall, 1}}},
	{Name: CPUIDGuest, Platform: "tdx", About: "CPUID leaf 2", Over: Syscall, Of: []Part{{cost.ModuleCall, 1}}, Gives: []Part{{cost.VE, 1}}},
	{Name: CPUIDHost, Platform: "tdx", About: "CPUID leaf 0x40000000", Over: CPUIDGuest, Gives: []Part{{cost.Exit, 1}}},
	{Name: Accept, Platform: "tdx", HostPage: "2M", About: "a block of 4 MiB accepted",
		Of: []Part{{cost.Exit, 2}}, Gives: []Part{{cost.HostAdd2M, 2}, {cost.TDXAccept2M, 2}}},
	{Name: Accept, Platform: "tdx", HostPage: "4K", About: "a block of 4 MiB accepted",
		Of: []Part{{cost.Exit, 1024}, {cost.ModuleCall, 2}}, Gives: []Part{{cost.HostAdd4K, 1024}, {cost.TDXAccept4K, 1024}}},

	{Name: CPUIDGuest, Platform: "snp", About: "CPUID leaf 0"},
	{Name: Hypercall, Platform: "snp", About: "VMMCALL", Over: CPUIDGuest, Gives: []Part{{cost.Exit, 1}}},
	{Name: Accept, Platform: "snp", HostPage: "2M", About: "a block of 4 MiB accepted", Of: []Part{{cost.Exit, 3}}, Gives: []Part{
		{cost.HostAdd2M, 2}, {cost.PValidate2M, 2}, {cost.PageStateChange, 1}, {cost.PageStateChange2M, 2}, {cost.RMPUpdate, 2}}},

	{Name: CPUIDHost, Platform: "none", About: "CPUID leaf 0", Gives: []Part{{cost.Exit, 1}}},
}

// KindsOf are those of a platform.
func KindsOf(platform string) (all []Kind) {
	for _, k := range Kinds {
		if k.Platform == platform || k.Platform == "" {
			all = append(all, k)
		}
	}
	return all
}

// A Set is what was measured in one guest.
type Set struct {
	Platform  string // "tdx", "snp", "none"
	HostPage  string // size of the pages that the host maps, "2M" or "4K", which no guest can see; empty where it was not said
	Kernel    string // release of the guest's kernel
	Processor string // as the guest's kernel names it
	Measured  map[string]Sample

	Notes []string // what could not be measured, and why
}

// A Sample is the distribution of what one of a kind took, in nanoseconds.
type Sample struct {
	Low, Median, High float64 // the quartiles
	Count             int
}
