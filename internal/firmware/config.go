package firmware

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/tacit-vm/tacit/accept"
	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/internal/firmware/acpi"
	"github.com/tacit-vm/tacit/record"
	"github.com/tacit-vm/tacit/uefi"
)

// A Config says what machine firmware starts and what it starts on it.
type Config struct {
	TotalMemory uint64 // bytes of RAM, a multiple of 2 MiB; [RAM] says where it is
	ACPI        acpi.Machine

	// Sockets, Cores in each and Threads in each core are what SMBIOS says of processors, of which there may be none.
	Sockets, Cores, Threads int

	// Image is the EFI application to start, a PE file; it is not changed. Where there is none, firmware starts what the
	// disks have to offer: the variables Boot####, in the order of BootOrder, then \EFI\BOOT\BOOTX64.EFI.
	Image       []byte
	ImageName   string    // for the record and for diagnoses; also its file name in the device path
	LoadOptions string    // the command line
	Initrd      []byte    // served through LoadFile2 where it is not empty; not changed
	Disks       []Disk    // at most 16
	Variables   Variables // of a machine before this one

	// Unaccepted says that the platform has memory to be accepted. Without it no memory is unaccepted, nothing
	// is asked of Accept, and FirmwareAccepts, Misalign and Policy mean nothing.
	Unaccepted bool

	// FirmwareAccepts is how many bytes of RAM firmware accepts before it starts the image, from address 0 upwards, or
	// AcceptBelow4G. It accepts more where the image, its initrd and firmware itself need more, and all where Policy is
	// Eager.
	FirmwareAccepts uint64

	// Misalign makes the memory that is handed over unaccepted begin and end off 2 MiB boundaries and adds a range of
	// less than 4 MiB, so that the operating system's EFI stub has to accept something itself.
	Misalign bool

	Policy Policy

	// UnacceptedTable installs a LINUX_EFI_UNACCEPTED_MEM_TABLE for the memory that is left unaccepted, as a kernel leaves
	// it to the one that it starts by kexec. What whole units cannot stand for firmware accepts, too.
	UnacceptedTable bool

	// Lie is what firmware lies about. Empty, it is honest.
	Lie Lie

	// Accept makes a range of private memory usable, by the means of the platform. Each page is accepted once. An
	// error ends the run.
	Accept func(accept.Range) error

	// PrivateBit is the address bit that marks private memory in page-table entries: the C-bit on SEV-SNP, else 0.
	PrivateBit uint64

	// Share makes a page that firmware has accepted the one in which a program talks to the host on a processor, and shared:
	// the GHCB on SEV-SNP; nil elsewhere.
	Share func(processor int, gpa uint64) error

	// Convert makes pages that firmware has accepted shared or private by the means of the platform, and accepts what becomes private.
	// What is in them is lost. It is nil where devices reach all memory.
	Convert func(r accept.Range, shared bool) error

	Processors Processors // nil where there is one processor

	// SharedBit marks what is shared, such as devices' registers: the shared bit of a TD, else 0.
	SharedBit uint64

	// Exception is the platform's part of firmware's exception handlers: it does the instruction at rip that
	// raised the exception and returns its length in bytes, 0 where it is to be executed again, or false where it cannot. It
	// may be nil. The processor's general-purpose registers are those of the interrupted program, but for RSP.
	Exception func(vector uint8, code, rip uint64) (length uint64, ok bool)

	Seed     uint64 // of EFI_RNG_PROTOCOL
	RTCStart int64  // Unix time in seconds at virtual time 0

	Bus    Bus     // the devices; nil where programs do not reach them by firmware
	Screen *Screen // nil where there is none

	Keyboard Keyboard // what is typed; nil where there is none

	Console io.Writer   // takes what is printed, in UTF-8; nil where it is not wanted
	Log     *record.Log // hears of every call; may be nil

	// Mailbox has the processors other than the first wait at a mailbox in memory, which the ACPI tables name.
	Mailbox bool

	// Tables are configuration tables of the platform's making, such as the confidential computing blob.
	Tables []PlatformTable
}

// A PlatformTable is a configuration table that firmware places in memory for the platform: in pages of type
// EfiACPIReclaimMemory, which the operating system keeps private, below 4 GiB.
type PlatformTable struct {
	GUID    uefi.GUID
	Bytes   uint64                      // its size, at most 1 MiB
	Content func(address uint64) []byte // what it holds when it lies at that guest-physical address, a multiple of 4 KiB
}

// maxPlatformTable bounds PlatformTable.Bytes.
const maxPlatformTable = 1 << 20

// A ConfigurationTable is an entry for the system table's list.
type ConfigurationTable struct {
	GUID    uefi.GUID
	Address uint64 // guest-physical
}

// AcceptBelow4G as Config.FirmwareAccepts has firmware accept all RAM below 4 GiB, as OVMF does (OvmfPkg/PlatformPei).
const AcceptBelow4G = math.MaxUint64

// DefaultFirmwareAccepts is enough for distribution kernels, in bytes.
const DefaultFirmwareAccepts = 256 << 20

// A Policy is what firmware does about an operating system that may not know how to accept memory.
//
// What upstream firmware does today is a choice among these: OVMF is Negotiate on SEV-SNP and Lazy on TDX, with
// AcceptBelow4G.
type Policy = negotiate.Policy

// The policies.
const (
	Negotiate = negotiate.Negotiate
	Lazy      = negotiate.Lazy
	Eager     = negotiate.Eager
)

func (c *Config) check() error {
	switch {
	case c.TotalMemory == 0 || c.TotalMemory%accept.UnitSize != 0:
		return fmt.Errorf("firmware: %#x bytes of memory: want a multiple of 2 MiB", c.TotalMemory)
	case c.TotalMemory > maxMemory:
		return fmt.Errorf("firmware: %#x bytes of memory: at most %#x", c.TotalMemory, uint64(maxMemory))
	case len(c.Disks) > maxDisks:
		return fmt.Errorf("firmware: %d disks: at most %d", len(c.Disks), maxDisks)
	case len(c.Tables) > maxTables/2:
		return fmt.Errorf("firmware: %d configuration tables: at most %d", len(c.Tables), maxTables/2)
	case slices.ContainsFunc(c.Tables, func(t PlatformTable) bool { return t.Bytes == 0 || t.Bytes > maxPlatformTable || t.Content == nil }):
		return fmt.Errorf("firmware: a platform's table without contents, or of more than %d bytes", maxPlatformTable)
	case c.Unaccepted && c.Accept == nil:
		return fmt.Errorf("firmware: unaccepted memory, and no way to accept it")
	case c.Policy >= negotiate.Policies:
		return fmt.Errorf("firmware: unknown policy %d", c.Policy)
	case c.Lie != "" && !c.Lie.known():
		return fmt.Errorf("firmware: unknown lie %q", string(c.Lie))
	case c.ACPI.CPUs > 1 && c.Processors == nil:
		return fmt.Errorf("firmware: %d processors, and no way to start the others", c.ACPI.CPUs)
	case c.Screen != nil && (c.Screen.Width < 1 || c.Screen.Height < 1 || c.Screen.Width > maxSide || c.Screen.Height > maxSide):
		return fmt.Errorf("firmware: a screen of %d by %d pixels: want 1 to %d", c.Screen.Width, c.Screen.Height, maxSide)
	case c.RTCStart < 0 || c.RTCStart > lastSecond:
		return fmt.Errorf("firmware: clock cannot start at second %d: not in years 1970 to 9999", c.RTCStart)
	}
	return nil
}
