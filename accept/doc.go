// Package accept keeps track of a confidential virtual machine's unaccepted memory.
//
// A guest of Intel TDX or AMD SEV-SNP must accept memory before it touches it, exactly once. Firmware accepts a part
// and hands over the rest as EFI_UNACCEPTED_MEMORY (UEFI 2.10, section 7.2). The system then remembers, in one bit for
// every 2 MiB, what it has yet to accept, and accepts when it needs the memory. This package is that memory of what is
// left: as Linux lays it out and by Linux's rules, for those that share it or look into it.
//
// # Using it
//
// Those who build the bitmap take the ranges that firmware left unaccepted, and
//
//   - size a table for them all: [HeaderFor];
//   - see what of each range must be accepted at once, since whole units cannot stand for it: [Split];
//   - record the rest: [Bitmap.Mark].
//
// Those who need memory call [Bitmap.Accept], which finds what is unaccepted there, has it accepted by a [Driver], and
// clears its bits; [Guard] adds what a system must accept that may read past the end of its buffers. Several processors
// share a [Tracker]. Those who look in from outside parse the table ([ParseHeader], [Header.Bitmap]) and ask:
// [Bitmap.Count], [Bitmap.Runs].
//
// The package imports nothing, does not use unsafe, and allocates nothing but errors and strings, so that it runs
// in firmware and on bare metal. The bits can lie in any bytes, also in the memory of a guest.
//
// # What acceptance is
//
// A guest's memory comes from a host that it does not trust, and that could take a page away and put another in its
// place. So the processor, or a module that it vouches for, keeps books: which page lies at which address of which guest,
// and whether the guest has said that it expects one there. To say so is to accept the page. The host can still take it
// away, but what comes back is unaccepted, and the guest notices at the first touch.
//
// This works only if the guest accepts each page once. A guest that accepts whenever a page turns out not to be accepted
// accepts the host's replacement, too. That is why somebody has to remember what has been accepted, and why a driver that
// finds a page accepted already returns an error.
//
// On neither architecture is this free: the guest leaves to the module or the host, the host gives a page from its own
// memory, and TDX clears it. A large guest takes seconds for all of its memory, of which it uses a little at first. So
// firmware accepts what it needs itself, hands the rest over as memory of type 15, and the page allocator of the system
// accepts a unit when it first hands out a page of it: lazily. The guest comes up sooner, and its host needs less memory
// for as long as the guest does.
//
// # States
//
// What the system knows of a unit of 2 MiB, and what the platform knows of a page of it:
//
//	           Claim                     Commit
//	unaccepted ───────────▶ claimed ───────────────────▶ accepted    a unit, in a Tracker
//	bit 1                   bit 1, a slot                bit 0
//	                           └─ Fail ─▶ the guest has to end
//
//	           host adds it            TDG.MEM.PAGE.ACCEPT
//	absent     ───────────▶ pending ───────────────────▶ accepted    a page, Intel TDX
//
//	           RMPUPDATE                PVALIDATE
//	hypervisor ───────────▶ assigned ──────────────────▶ validated   a page, AMD SEV-SNP
//
// On TDX the host adds a page when it is first touched or accepted; on SEV-SNP the guest asks for that, by a page state
// change. Only the host leads a page back to the first column, by itself or since the guest wants it shared. To touch
// a page before it is in the last one ends a TDX guest, or raises #VE where that was chosen; it raises #VC in an
// SEV-SNP guest to which the page is assigned.
//
// # The bitmap
//
// A set bit is an unaccepted unit. A byte stands for 16 MiB; 4 KiB stand for 64 GiB, and 256 MiB for 4 PiB, which is all
// that a physical address of 52 bits reaches. It begins with the first unaccepted unit, not at address 0, so memory that
// is all above a hole costs nothing for the hole; one range below and one far above it cost all of it.
//
// A bit cannot say that half a unit is unaccepted. What does not fill a unit is therefore accepted up front, before
// the bitmap is used, and so are ranges shorter than two units: [Split].
//
// What is read may lie after what is used. Linux goes through strings a word at a time (load_unaligned_zeropad), and a
// word that begins in the last bytes of a unit ends in the next one. It survives a page that is not mapped there;
// unaccepted memory is mapped. So code that needs the end of a unit has the next one accepted, too: [Guard].
//
// # Several processors
//
// To accept takes long beside a lock. So a [Tracker] has a processor claim units under the lock, accept them without
// it, and commit them under it again. Others claim other units meanwhile; who needs a claimed one waits for it alone.
// If a driver fails, what has become of its pages is unknown, and nothing more is accepted.
//
// # Who tells firmware
//
// Firmware does not know whether the system that it starts can do all that. One that cannot loses what is left
// unaccepted. So the system says so before it leaves boot services, and for one that says nothing firmware accepts the
// rest then: package [github.com/tacit-vm/tacit/accept/negotiate].
//
// # The layer
//
// The packages below stand alone: none imports anything but others of the list, so that firmware, kernels and programs
// on bare metal can. (Package accepttest is for tests, and uses the standard library.)
//
//	uefi                 names and numbers of UEFI: memory types, tables, services
//	tdx/abi, snp/abi     those of TDX and SEV-SNP
//	accept               units, ranges, the bitmap and its table, rules, claims, the driver interface
//	accept/tdx           a driver: TDG.MEM.PAGE.ACCEPT
//	accept/snp           a driver: page state change and PVALIDATE
//	accept/negotiate     who tells firmware, from both sides; a memory map that is not believed
//	accept/alloc         a page allocator that has memory accepted when it is needed
//	accept/accepttest    a model of a guest's memory, and checks for anybody's driver, allocator or bitmap
//
// Programs that use them are examples/baremetal, a guest with nothing below it, examples/firmware, and guest/kernel,
// which makes a Go program a guest's whole software.
//
// # Speed
//
// All the memory that 52 bits address, 4 PiB, has a bitmap of 256 MiB. To look through it takes about as long as to
// read it: Any, All and Count reach 0.94 to 1.0 of the speed at which the standard library's vector code reads the
// same bytes (12.3 of 12.7 GB/s, 22 ms), and 0.78 of the rate at which memory delivers cache lines that are not
// looked at (15.7 GB/s). To mark 4 PiB takes 33 ms, to clear it 11 ms; to accept 4 MiB takes 56 ns besides what the platform
// takes. This is one of the two cores of a virtual machine with other work to do (Intel Xeon, Go 1.26), three runs.
// For another machine, speeds and ratios side by side:
//
//	go test ./accept -run '^$' -bench .
package accept
