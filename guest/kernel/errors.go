//go:build linux && amd64

package kernel

import (
	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/accept/snp"
	"github.com/tacit-vm/tacit/accept/tdx"
	"github.com/tacit-vm/tacit/uefi"
)

// An oops is why the kernel cannot go on.
type oops string

func (e oops) Error() string { return string(e) }

const (
	errMapSize    oops = "the memory map is too large"
	errNoTable    oops = "firmware has no memory for the table of unaccepted memory, or does not take it"
	errNoTables   oops = "there is no memory for page tables"
	errTablePlace oops = "the table of unaccepted memory is not in memory that has been accepted"
	errNoPlatform oops = "unaccepted memory, and no platform that is known to have such"
	errEncryption oops = "firmware's page tables do not mark private memory as CPUID says that it is marked"
	errProtocol   oops = "the host does not know the GHCB's protocol, version 2"
	errNoBlob     oops = "an SEV-SNP guest without the table that leads to its CPUID page"
	errAsleep     oops = "every thread sleeps, and nothing wakes one"
	errPayload    oops = "the program in the image is damaged"
	errNoRandom   oops = "the processor has no randomness, and a host could guess the rest"
	errNoMemory   oops = "out of memory"
)

// alone makes this processor the one that ends the guest. Others that want to, too, stand still.
func (k *kernel) alone() {
	me := uint32(processorHere().index) + 1
	for !k.ending.CompareAndSwap(0, me) && k.ending.Load() != me {
		hlt()
	}
}

// refuse returns to firmware, which may have something else to start.
func (k *kernel) refuse(err error) {
	k.puts("guest: ")
	k.putsError(err)
	k.puts("\r\n")
	k.boot.call(uefi.BSExit, k.boot.handle, uint64(uefi.LoadError), 0, 0, 0)
	for {
		hlt()
	}
}

// fatal ends the guest for a reason.
func (k *kernel) fatal(err error) {
	k.alone()
	k.lineStart()
	k.puts("guest: ")
	k.putsError(err)
	k.puts("\n")
	k.fail()
}

// outOfMemory ends the guest.
func (k *kernel) outOfMemory(va uint64) {
	k.alone()
	k.lineStart()
	k.puts("guest: out of memory at ")
	k.hex(va)
	k.puts("\n")
	k.fail()
}

// end ends the guest as its program has ended.
func (k *kernel) end(status int32) {
	k.alone()
	k.sendOutgoing()
	if status == 0 {
		k.reset(uefi.Success)
	}
	if !k.raw { // where the console is to be the program's alone, its status comes out otherwise
		k.lineStart()
		k.puts("guest: the program ended with status ")
		k.dec(uint64(uint32(status)))
		k.puts("\n")
	}
	k.resetWith(uint64(uint8(status)))
}

// killed ends the guest as a signal ends its program.
func (k *kernel) killed(n uint64) {
	k.alone()
	k.sendOutgoing()
	k.lineStart()
	k.puts("guest: the program was ended by signal ")
	k.dec(n)
	k.puts("\n")
	k.fail()
}

// putsError prints an error. The text that an error with details makes of them would have to be allocated, so it is made
// here.
func (k *kernel) putsError(err error) {
	switch e := err.(type) {
	case oops:
		k.puts(string(e))
	case negotiate.Error:
		k.puts(e.Error())
	case *negotiate.MapError:
		k.puts(e.Problem.Error())
		k.putsDescriptor(e.Culprit)
		k.putsDescriptor(e.Other)
		if !e.InUse.Empty() {
			k.puts("; in use is ")
			k.putsRange(e.InUse)
		}
	case *tdx.Error:
		k.puts("TDG.MEM.PAGE.ACCEPT of the page at ")
		k.hex(e.GPA)
		k.puts(": status ")
		k.hex(uint64(e.Status))
		if e.AlreadyAccepted() {
			k.puts(", it has been accepted before: host or firmware is not to be trusted")
		}
	case *snp.Error:
		k.puts([...]string{
			snp.BadRange: "accepting a range that is not pages", snp.Validate: "PVALIDATE", snp.Rescind: "PVALIDATE, to rescind,",
			snp.Refused: "a page state change that the host refused", snp.Inconsistent: "a page state change that the host answered with nonsense",
			snp.Stalled: "a page state change that does not get on", snp.Unregistered: "registration of the GHCB",
		}[e.Cause])
		k.puts(" at ")
		k.hex(e.GPA)
		k.puts(": result ")
		k.hex(uint64(e.Result))
		if e.AlreadyValidated() {
			k.puts(", it has been validated before: host or firmware is not to be trusted")
		}
	default:
		if err == accept.ErrBroken {
			k.puts(accept.ErrBroken.Error())
			return
		}
		k.puts("the memory allocator cannot go on")
	}
}

// putsDescriptor prints a descriptor of the memory map, unless it is none.
func (k *kernel) putsDescriptor(d uefi.MemoryDescriptor) {
	if d == (uefi.MemoryDescriptor{}) {
		return
	}
	k.puts(": type ")
	k.dec(uint64(d.Type))
	k.puts(" at ")
	k.hex(d.PhysicalStart)
	k.puts(", ")
	k.hex(d.NumberOfPages)
	k.puts(" pages")
}

func (k *kernel) putsRange(r accept.Range) {
	k.puts("[")
	k.hex(r.Start)
	k.puts(", ")
	k.hex(r.End)
	k.puts(")")
}
