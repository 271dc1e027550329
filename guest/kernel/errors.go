//go:build linux && amd64

package kernel

import "github.com/tacit-vm/tacit/uefi"

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
	errNoBlob     oops = "an SEV-SNP guest without the table that leads to its CPUID page"
	errNoMemory   oops = "out of memory"
)

// refuse returns to firmware, which may have something else to start.
func (k *kernel) refuse(err error) {
	k.puts("guest: ")
	k.puts(err.Error())
	k.puts("\r\n")
	k.boot.call(uefi.BSExit, k.boot.handle, uint64(uefi.LoadError), 0, 0, 0)
	for {
		hlt()
	}
}

// fatal ends the guest for a reason.
func (k *kernel) fatal(err error) {
	k.lineStart()
	k.puts("guest: ")
	k.puts(err.Error())
	k.puts("\n")
	k.fail()
}

// outOfMemory ends the guest.
func (k *kernel) outOfMemory(va uint64) {
	k.lineStart()
	k.puts("guest: out of memory at ")
	k.hex(va)
	k.puts("\n")
	k.fail()
}

// end ends the guest as its program has ended.
func (k *kernel) end(status int32) {
	if status == 0 {
		k.reset(uefi.Success)
	}
	k.lineStart()
	k.puts("guest: the program ended with status ")
	k.dec(uint64(uint32(status)))
	k.puts("\n")
	k.reset(uefi.Aborted)
}

// unknown says once of a system call that there is no such thing here.
func (k *kernel) unknown(nr uint64) {
	if nr < uint64(len(k.missed)) && !k.missed[nr] {
		k.missed[nr] = true
		k.lineStart()
		k.puts("guest: no system call ")
		k.dec(nr)
		k.puts("\n")
	}
}
