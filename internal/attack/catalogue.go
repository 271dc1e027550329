package attack

import (
	"fmt"
	"slices"
	"time"

	"github.com/tacit-vm/tacit/internal/host"
	"github.com/tacit-vm/tacit/snp/abi"
)

// A Kind is an attack of the catalogue.
type Kind struct {
	Name    string
	On      []string // names of the platforms that it is for
	Source  string   // paper, CVE, commit, or whose code was read
	Does    string   // what the host does, after "the host"
	Promise string   // what the architecture promises against it; empty where a guest is on its own
	Duty    string   // what a guest has to do

	At  Moment // from which it is tried, where nothing else is asked for
	Lie string // it is firmware that lies to the guest: its name in package firmware, and the whole run is under attack

	// Memory is the attack of package host that it is, too, by another name.
	Memory string

	// Fatal says that the host's answer leaves a guest no way to go on: one that does has not looked at it.
	Fatal bool

	// Waits says that to wait for ever is one of the ways to stop: what is wanted has not come.
	Waits bool

	// Whole says that a guest has to be under attack from the start of its machine.
	Whole bool

	// Needs is what there has to be for the attack to have an occasion, beyond an ordinary machine.
	Needs Needs

	// Patience is how long a guest waits before it gives up, where it has reason to wait, in virtual time.
	Patience time.Duration

	// Hardware says that it is the architecture's promise itself that is broken, by a fault of the hardware: a guest can do
	// nothing about it.
	Hardware bool

	// Survived says that what shows that the guest was deceived counts where it goes on: one that dies of it has noticed.
	Survived bool

	// Unasked says that not to ask is what a guest has to do: one that leaves no occasion for the attack has held.
	Unasked bool

	// Believed is what a stock kernel says on its console when it has believed the host, where that is no other sign.
	Believed string

	tactic tactic
}

// Needs is what an attack wants of the machine.
type Needs struct {
	CPUs    int  // processors; 0 means one
	Drivers bool // devices, and a guest that drives them
	Replug  bool // the guest takes a processor away, and brings it back
}

// String is how a machine is told from an ordinary one; empty for that.
func (n Needs) String() string {
	switch {
	case n.Drivers:
		return "with drivers"
	case n.Replug:
		return "with a processor that goes and comes"
	case n.CPUs > 1:
		return fmt.Sprintf("with %d processors", n.CPUs)
	}
	return ""
}

var (
	drivers   = Needs{Drivers: true}
	twoCPUs   = Needs{CPUs: 2}
	replugged = Needs{CPUs: 2, Replug: true}
)

var (
	both = []string{"tdx", "snp"}
	td   = []string{"tdx"}
	sev  = []string{"snp"}

	atStart = Moment{Name: Start}
	atInit  = Moment{Name: Init}
)

const (
	noPage     = "a page that comes back is not accepted: TDX, TDG.MEM.PAGE.ACCEPT; SEV-SNP, APM vol. 2, 15.36.10"
	ownHost    = "SEV-SNP without restricted injection: none. TDX: the module injects no exceptions, and no vector below 31"
	mustDie    = "die of it: the page is lost"
	acceptOnce = "never accept a page twice without a conversion between"
)

var kinds = []Kind{
	{Name: host.Drop, On: both, At: atStart, Source: "docs/attacks.md", Does: "takes an accepted page away", Promise: noPage, Duty: mustDie},
	{Name: host.Swap, On: both, At: atStart, Source: "docs/attacks.md", Does: "puts another page in the place of an accepted one", Promise: noPage, Duty: mustDie},
	{Name: host.Replay, On: both, At: atStart, Source: "docs/attacks.md", Does: "puts an accepted page's old contents back", Promise: noPage, Duty: acceptOnce},
	{Name: host.Split, On: both, At: atStart, Source: "APM vol. 2, 15.36.11; TDH.MEM.PAGE.DEMOTE", Does: "maps an accepted page as small ones", Promise: "state and contents stay"},
	{Name: host.Join, On: both, At: atStart, Source: "APM vol. 2, 15.36.11; TDH.MEM.PAGE.PROMOTE", Does: "maps small pages as one", Promise: "state and contents stay, or it is refused"},
	{Name: host.Lie, On: both, At: atStart, Source: "docs/attacks.md", Does: "says that it has converted memory, and has not", Promise: "what is private is in the secure EPT or the RMP"},
	{Name: host.Preload, On: both, At: atStart, Source: "docs/attacks.md", Does: "fills a page before it gives it to the guest", Promise: "TDX clears it; on SEV-SNP it is junk", Duty: "clear what is accepted on SEV-SNP"},

	{Name: "flip", On: sev, At: atStart, Source: "Linux, pval_pages; EDK2, BasePvalidate; COCONUT-SVSM, pvalidate",
		Does: "has an address lead to another frame, and back when that is validated too", Promise: "a frame that comes is not validated: APM vol. 2, 15.36.6",
		Duty: acceptOnce, tactic: tactic{exit: flip}},

	{Name: "refuse", On: both, At: atStart, Source: "CVE-2024-36912, CVE-2024-35939", Does: "refuses every conversion",
		Duty: "give up, or leak the pages: never hand them out", tactic: tactic{convert: refuse, fault: useRefused}},
	{Name: "stall", On: both, At: atStart, Source: "Linux 019b383d1132, vmgexit_psc", Does: "asks to be asked again for ever, and does nothing",
		Duty: "count how often it asks for the same", tactic: tactic{convert: stall}},
	{Name: "half", On: both, At: atStart, Source: "EDK2 8a41004643", Does: "converts half of the memory, and asks to be asked again",
		Duty: "ask for the rest, and accept all of it", tactic: tactic{convert: half, fault: useRefused}},
	{Name: "withhold", On: both, At: atStart, Source: "every host may", Does: "gives the guest no more pages",
		Promise: "none: a host may stop its guest", tactic: tactic{fault: withhold}},

	{Name: "cpuid-tdx", On: td, At: atStart, Source: "Linux arch/x86/coco/tdx/tdx.c, handle_cpuid", Does: "answers CPUID with other values",
		Promise: "the module answers all that matters", Duty: "ask for the hypervisor's leaves only", Unasked: true, tactic: tactic{cpuid: anyCPUID(true)}},
	{Name: "cpuid-snp", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, snp_cpuid", Does: "answers CPUID with other values",
		Promise: "firmware of the processor has checked the CPUID table", Duty: "ask for the topology of processors only", Unasked: true, tactic: tactic{cpuid: anyCPUID(false)}},
	{Name: "msr", On: both, At: atStart, Source: "Intel, guest hardening", Does: "answers RDMSR with other values", Duty: "use nothing that the host knows better",
		Unasked: true, tactic: tactic{msr: anyMSR}},
	{Name: "mtrr", On: both, At: atStart, Source: "Linux 8e690b817e38", Does: "says by the MTRRs that no memory may be cached",
		Duty: "ignore the MTRRs", Unasked: true, tactic: tactic{msr: uncached}},
	{Name: "port", On: both, At: atStart, Source: "Intel, guest hardening", Does: "answers port I/O with other values", Duty: "believe no device",
		Unasked: true, tactic: tactic{in: anyPort}},
	{Name: "mmio", On: both, At: atStart, Source: "VIA, Hetzelt et al., ACSAC 2021", Does: "answers memory-mapped I/O with other values", Duty: "believe no device",
		Unasked: true, tactic: tactic{load: anyDevice}},
	{Name: "clock", On: both, At: atStart, Source: "Intel, guest hardening; Linux, Secure TSC", Does: "has clocks go wrong",
		Promise: "TDX: the TSC is the module's. SEV-SNP: with Secure TSC only", Duty: "take time from the TSC where that is promised",
		Unasked: true, tactic: tactic{in: laterByPort, clock: faster}},

	{Name: "interrupt", On: both, At: atInit, Source: "Intel, guest hardening", Does: "injects an interrupt that no device has", Promise: ownHost,
		Duty: "ignore it", tactic: tactic{act: spurious, back: resumed}},
	{Name: "int80", On: both, At: atInit, Source: "Heckler, USENIX Security 2024; CVE-2024-25744", Does: "injects interrupt 0x80 into a program", Promise: ownHost,
		Duty: "have no INT 0x80, or look into the APIC whether it is an interrupt (TDX)", tactic: tactic{act: interrupts(vectorInt80, ", Linux's system call,"), back: resumed}},
	{Name: "divide", On: both, At: atInit, Source: "Heckler, USENIX Security 2024; CVE-2024-25743", Does: "injects interrupt 0, the vector of #DE, into a program", Promise: ownHost,
		Duty: "restricted or alternate injection", Believed: "exitcode=0x00000008", tactic: tactic{act: interrupts(vectorDE, ", that of #DE,"), back: resumed}},
	{Name: "nmi", On: both, At: atInit, Source: "Intel, guest hardening", Does: "injects an NMI", Duty: "ignore it",
		tactic: tactic{act: interrupts(vectorNMI, ", an NMI,"), back: resumed}},
	{Name: "vc-vmmcall", On: sev, At: atInit, Source: "WeSee, IEEE S&P 2024; CVE-2024-25742", Does: "injects #VC for VMMCALL into a program", Promise: ownHost,
		Duty: "compare the instruction with the exit code (Linux e3ef461af35a)", tactic: tactic{act: pretends(abi.ExitVMMCALL), ghcb: answersVC(abi.ExitVMMCALL), back: resumed}},
	{Name: "vc-cpuid", On: sev, At: atInit, Source: "WeSee, IEEE S&P 2024; CVE-2024-25742", Does: "injects #VC for CPUID into a program", Promise: ownHost,
		Duty: "compare the instruction with the exit code (Linux e3ef461af35a)", tactic: tactic{act: pretends(abi.ExitCPUID), ghcb: answersVC(abi.ExitCPUID), back: resumed}},

	{Name: "vc-mmio", On: sev, At: atInit, Source: "CVE-2023-46813; EDK2 85b8eac59b", Does: "injects #VC for a nested page fault into a program, as if that had met a device", Promise: ownHost,
		Duty: "emulate no device for a program, and none where the C-bit is set", tactic: tactic{act: pretends(abi.ExitNPF), ghcb: answersVC(abi.EventMMIORead, abi.EventMMIOWrite, abi.ExitNPF), back: resumed}},

	{Name: "vc-nested", On: sev, At: atInit, Source: "Linux 545ac14c16b5, vc_raw_handle_exception", Does: "injects #VC for VMMCALL into the handler of another exit", Promise: ownHost,
		Duty: "keep what the handler under way needs, and compare the instruction with the exit code", tactic: tactic{ghcb: nests}},

	{Name: "ghcb-exception", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, verify_exception_info", Does: "replies that the guest is to take #PF",
		Duty: "take #GP and #UD only", Fatal: true, tactic: tactic{ghcb: another}},
	{Name: "ghcb-invalid", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, ghcb_rax_is_valid", Does: "replies with no field that is valid",
		Duty: "look at what is valid", Fatal: true, tactic: tactic{ghcb: invalid}},
	{Name: "ghcb-malformed", On: sev, At: atStart, Source: "GHCB specification, SW_EXITINFO1", Does: "replies that a request is malformed",
		Duty: "give up", Fatal: true, tactic: tactic{ghcb: malformed}},
	{Name: "msr-code", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, GHCB_RESP_CODE", Does: "replies in the GHCB MSR with another response code",
		Duty: "give up", Fatal: true, tactic: tactic{ghcbMSR: wrongCode}},
	{Name: "msr-page", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, snp_register_ghcb_early", Does: "says that it has registered another GHCB",
		Duty: "give up", Fatal: true, tactic: tactic{ghcbMSR: anotherPage}},
	{Name: "msr-version", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, sev_es_negotiate_protocol", Does: "knows no version of the GHCB's protocol that the guest does",
		Duty: "give up", Fatal: true, tactic: tactic{ghcbMSR: sevInfo("said that it knows version 99 of the protocol alone", anotherVersion)}},
	{Name: "msr-cbit", On: sev, At: atStart, Source: "Radev, Morbitzer, ROOTS 2020; Linux arch/x86/mm/mem_encrypt_boot.S, sev_verify_cbit", Does: "says that the C-bit is another",
		Duty: "take it from the CPUID table", Unasked: true, tactic: tactic{ghcbMSR: sevInfo("said that the C-bit is bit 30", anotherCBit)}},
	{Name: "cursor-back", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, vmgexit_psc", Does: "moves the cursor of a page state change back",
		Duty: "keep a cursor of its own", tactic: tactic{ghcb: cursor("moved the cursor of a page state change back",
			func(_, last int) abi.PSCHeader { return abi.PSCHeaderOf(0, last) })}},
	{Name: "cursor-end", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, vmgexit_psc", Does: "moves the end of a page state change on",
		Duty: "compare it with its own copy", Fatal: true, tactic: tactic{ghcb: cursor("moved the end of a page state change on",
			func(current, last int) abi.PSCHeader { return abi.PSCHeaderOf(current, last+1) })}},
	{Name: "cursor-reserved", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, vmgexit_psc", Does: "sets what is reserved in a page state change",
		Duty: "look at it", Fatal: true, tactic: tactic{ghcb: cursor("set what is reserved in the header of a page state change",
			func(current, last int) abi.PSCHeader { return abi.PSCHeaderOf(current, last) | 1<<32 })}},

	{Name: "fetch", On: sev, At: atStart, Source: "Linux arch/x86/coco/sev, verify_exception_info", Does: "changes an answer in the GHCB between two reads",
		Duty: "read what is shared once", Survived: true, tactic: tactic{ghcbMSR: registered, ghcb: replied, used: fetches}},

	{Name: "registers", On: td, At: atStart, Source: "CVE-2024-46794; Linux b6fb565a2d15", Does: "looks into registers that a guest's calls do not need",
		Promise: "the module passes the registers that the guest selects, and no other", Duty: "clear the others, or do not select them", tactic: tactic{heard: listens}},
	{Name: "message", On: sev, At: atStart, Needs: drivers, Source: "Linux 47894e0fa6a5", Does: "fails a message to the secure processor, to have another under its number",
		Duty: "never encrypt two messages under one number: give the key up", Unasked: true, tactic: tactic{message: asksAgain}},
	{Name: "ring-length", On: both, At: atStart, Needs: drivers, Source: "Linux daf9514fd5eb; \"hwrng: virtio: clamp device-reported used.len\", June 2026", Does: "has devices say that they have left more than there was room for",
		Duty: "hold the length against the buffer's", Unasked: true, tactic: tactic{complete: longer}},
	{Name: "ring-id", On: both, At: atStart, Needs: drivers, Source: "Linux drivers/virtio/virtio_ring.c, virtqueue_get_buf_ctx_split", Does: "has devices name a request beyond their queue as done",
		Duty: "hold the number against the queue's size", Unasked: true, tactic: tactic{complete: noRequest}},
	{Name: "ring-other", On: both, At: atStart, Needs: drivers, Source: "Linux drivers/virtio/virtio_ring.c, virtqueue_get_buf_ctx_split", Does: "has devices name another request as done than is",
		Duty: "know which requests are under way", Unasked: true, tactic: tactic{complete: anotherRequest}},
	{Name: "ring-index", On: both, At: atStart, Needs: drivers, Source: "Linux drivers/virtio/virtio_ring.c, virtqueue_get_buf_ctx_split", Does: "has devices say that more requests are done than there are",
		Duty: "know which requests are under way", Unasked: true, tactic: tactic{complete: more}},
	{Name: "ring-descriptor", On: both, At: atStart, Needs: drivers, Source: "Linux 72b5e8958738, desc_extra", Does: "changes the descriptor of a request that is done",
		Duty: "keep what it needs of a descriptor for itself", Unasked: true, tactic: tactic{complete: rewritten}},
	{Name: "ring-fetch", On: both, At: atStart, Needs: drivers, Source: "VIA, Hetzelt et al., ACSAC 2021", Does: "changes an entry of a used ring between two reads",
		Duty: "read what is shared once", Unasked: true, Survived: true, tactic: tactic{complete: shown, used: entryRead}},

	{Name: "packet-length", On: both, At: atStart, Needs: drivers, Source: "Linux 315dbdd7cdf6, CVE-2025-38375", Does: "has a network card say that packets are longer than their buffers",
		Duty: "hold the length against the buffer's", Unasked: true, tactic: tactic{packet: ordinary, complete: longPackets}},
	{Name: "packet-header", On: both, At: atStart, Needs: drivers, Source: "Linux include/linux/virtio_net.h, virtio_net_hdr_to_skb", Does: "has the header of packets lead out of them",
		Duty: "hold what it says against the packet's length", Unasked: true, tactic: tactic{packet: wildHeader}},

	{Name: "quote-length", On: td, At: atStart, Needs: drivers, Source: "Linux c3fd16c3b98e", Does: "says that its quote is longer than the buffer",
		Duty: "hold the length against the buffer's", tactic: tactic{quote: longQuote}},
	{Name: "quote-status", On: td, At: atStart, Needs: drivers, Source: "Linux 0f409eaea53e", Does: "says that it has failed to make a quote, and leaves one",
		Duty: "look at the status", tactic: tactic{quote: failedQuote}},
	{Name: "quote-never", On: td, At: atStart, Needs: drivers, Source: "GHCI 1.5, 3.3", Does: "takes a request for a quote, and never answers",
		Duty: "give up some time, and keep the buffer", Patience: 31 * time.Second, tactic: tactic{quote: noQuote}},
	{Name: "quote-fetch", On: td, At: atStart, Needs: drivers, Source: "Linux c3fd16c3b98e", Does: "changes the length of a quote between two reads",
		Duty: "read what is shared once", Survived: true, tactic: tactic{quote: laterQuote, used: lengthRead}},

	{Name: "ipi-drop", On: both, At: atStart, Needs: twoCPUs, Source: "Intel, guest hardening", Does: "loses interrupts between processors",
		Promise: "none: a host may stop its guest", Duty: "wait for the answer, or give up", tactic: tactic{ipi: dropIPI}},
	{Name: "ipi-late", On: both, At: atStart, Needs: twoCPUs, Source: "Intel, guest hardening", Does: "keeps some of the interrupts between processors back for a while",
		Promise: "none: a host may stop its guest", Duty: "wait for the answer", Patience: 11 * time.Second, tactic: tactic{ipi: lateIPI, late: sendsKept}},
	{Name: "ipi-twice", On: both, At: atStart, Needs: twoCPUs, Source: "Intel, guest hardening", Does: "delivers interrupts between processors twice",
		Promise: ownHost, Duty: "look in memory of its own what there is to do", tactic: tactic{ipi: twiceIPI, late: sendsKept}},
	{Name: "ipi-astray", On: both, At: atStart, Needs: twoCPUs, Source: "Intel, guest hardening", Does: "delivers interrupts between processors to their sender",
		Promise: ownHost, Duty: "look in memory of its own what there is to do", tactic: tactic{ipi: astray}},
	{Name: "ap-drop", On: both, At: atStart, Needs: twoCPUs, Source: "every host may", Does: "does not run a processor that the guest has started",
		Promise: "none: a host may stop its guest", Duty: "wait until it is there, or do without", Patience: 11 * time.Second, tactic: tactic{holds: true}},
	{Name: "ap-twice", On: sev, At: atStart, Needs: twoCPUs, Source: "EDK2 dca5d26bc5; Linux d2062cc1b1c3", Does: "runs two processors from one VMSA",
		Promise: "a VMSA is in use while a processor runs from it: the second VMRUN fails", tactic: tactic{start: twoFromOne}},
	{Name: "ap-other", On: sev, At: atStart, Needs: twoCPUs, Source: "APM vol. 2, 15.36.12", Does: "runs a processor from a page that is no VMSA",
		Promise: "VMRUN takes pages alone that the guest has marked by RMPADJUST", Patience: 11 * time.Second, tactic: tactic{start: fromAnother}},

	{Name: "ap-again", On: sev, At: atStart, Needs: replugged, Source: "EDK2 dca5d26bc5; Linux arch/x86/coco/sev, snp_set_vmsa", Does: "runs a processor from an older VMSA of its",
		Promise: "VMRUN takes pages alone that the guest has marked by RMPADJUST", Duty: "take the mark from what a processor has run from, when it has another",
		Unasked: true, Patience: 11 * time.Second, tactic: tactic{start: runs, late: runsAgain}},

	{Name: "aml", On: both, At: atStart, Whole: true, Source: "BadAML, ACM CCS 2025", Does: "puts code into the ACPI tables that stores to private memory",
		Duty: "keep AML from private pages", tactic: tactic{pokes: true, exit: pokes}},

	{Name: "surprise-ve", On: td, At: atStart, Whole: true, Memory: host.Drop, Source: "Linux f65aa0ad79fc; attributes of a TD, SEPT_VE_DISABLE",
		Does: "makes the TD so that access to pending memory is #VE, and takes an accepted page away", Promise: noPage,
		Duty: "refuse such a TD, or have the module raise none; never accept in a handler of #VE", tactic: tactic{surprises: true, before: "made the TD without SEPT_VE_DISABLE"}},
	{Name: "rdrand", On: both, At: atStart, Whole: true, Source: "CVE-2024-35875", Does: "has a processor whose RDRAND and RDSEED find nothing",
		Duty: "not go on without", Fatal: true, Waits: true, tactic: tactic{noRandom: true, before: "had RDRAND and RDSEED find nothing"}},

	{Name: "alias", On: both, At: atStart, Hardware: true, Source: "BadRAM, IEEE S&P 2025, CVE-2024-21944; Battering RAM, IEEE S&P 2026",
		Does: "writes to a page of the guest's by an alias of its frame", tactic: tactic{exit: overwrites}},
	{Name: "undo", On: both, At: atStart, Hardware: true, Source: "CacheWarp, USENIX Security 2024, CVE-2023-20592",
		Does: "undoes the guest's last writes to a page", tactic: tactic{exit: undoes}},
	{Name: "stack", On: sev, At: atInit, Hardware: true, Source: "StackWarp, USENIX Security 2026, CVE-2025-29943",
		Does: "moves the guest's stack pointer", tactic: tactic{act: warps}},

	{Name: "map-overlap", On: both, Lie: "overlap", Source: "EDK2 d997d3c62f; docs/attacks.md", Does: "has a memory map call free memory unaccepted", Duty: acceptOnce},
	{Name: "map-wrap", On: both, Lie: "wrap", Source: "EDK2 d997d3c62f; docs/attacks.md", Does: "has a range of the memory map end above 2⁶⁴", Duty: "compute with care"},
	{Name: "map-stride", On: both, Lie: "stride", Source: "docs/attacks.md", Does: "has descriptors be shorter than one is", Duty: "check their size"},
	{Name: "map-stride-huge", On: both, Lie: "stride-huge", Source: "docs/attacks.md", Does: "has descriptors be 1 TiB apart", Duty: "check their size"},
	{Name: "map-image", On: both, Lie: "image", Source: "docs/attacks.md", Does: "has the running image be unaccepted", Duty: acceptOnce},
	{Name: "map-accepted", On: both, Lie: "accepted", Source: "docs/attacks.md", Does: "has accepted memory be unaccepted", Duty: acceptOnce},
	{Name: "map-unaccepted", On: both, Lie: "unaccepted", Source: "docs/attacks.md", Does: "has unaccepted memory be free", Promise: "touching it is no access", Duty: mustDie},
	{Name: "map-table", On: both, Lie: "table", Source: "docs/attacks.md", Does: "installs a table of an unknown version", Duty: "refuse it"},
	{Name: "map-stale", On: both, Lie: "stale", Source: "docs/attacks.md", Does: "installs a table that marks accepted memory", Duty: acceptOnce},
	{Name: "map-key", On: both, Lie: "key", Source: "UEFI, ExitBootServices", Does: "refuses ExitBootServices", Duty: "try twice, and give up", Fatal: true},
}

// Kinds returns the catalogue, in the order in which documents show it. It is the caller's.
func Kinds() []Kind { return slices.Clone(kinds) }

// Named returns the attack of a name.
func Named(name string) (Kind, bool) {
	i := slices.IndexFunc(kinds, func(k Kind) bool { return k.Name == name })
	if i < 0 {
		return Kind{}, false
	}
	return kinds[i], true
}

// Acts says whether the host acts between two instructions, at a number of instructions after its moment.
func (k Kind) Acts() bool { return k.tactic.act != nil }

// Against says whether an attack is for a platform.
func (k Kind) Against(platform string) bool { return slices.Contains(k.On, platform) }

// hostKinds are the names of those that a host does by itself.
func hostKinds() []string {
	var names []string
	for _, k := range kinds {
		if k.Lie == "" {
			names = append(names, k.Name)
		}
	}
	return names
}

// onMemory returns which of package host's it is, if it is one.
func onMemory(name string) (kind string, ok bool) {
	if k, _ := Named(name); k.Memory != "" {
		return k.Memory, true
	}
	return name, slices.ContainsFunc(host.Attacks(), func(a struct{ Kind, Meaning string }) bool { return a.Kind == name })
}
