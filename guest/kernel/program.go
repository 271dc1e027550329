//go:build linux && amd64

package kernel

import (
	"errors"
	"syscall"
	"time"
	"unsafe"

	"github.com/tacit-vm/tacit/accept/negotiate"
	"github.com/tacit-vm/tacit/uefi"
)

// This file is for the program: what it can ask of the kernel beyond Linux's system calls. The kernel's own variables
// are not the program's to read, since a page fault may change them at any instruction.

// Calls of the kernel's own, by numbers that Linux does not use.
const (
	callBase   = 1 << 20
	callSystem = callBase + iota - 1
	callMemory
	callTouch
	callAcceptAll
	callHandOver
	callSettle
	callAskForQuote
	callReadQuote
	callEnd
	calls = callEnd - callBase
)

// A System is what the kernel found at the start. All sizes are in bytes.
type System struct {
	Platform    Platform
	Memory      uint64 // that the memory map speaks of, accepted or not
	Unaccepted  uint64 // of it, when boot services had been left
	UpFront     uint64 // that the kernel had to accept at once, since a bit stands for whole units only
	Reply       uint64 // what firmware said about memory acceptance: a [negotiate.Reply]
	Status      uint64 // of the call that said so: a [uefi.Status]
	ExitCalls   uint64 // how often ExitBootServices was called
	Table       uint64 // guest-physical address of LINUX_EFI_UNACCEPTED_MEM_TABLE, 0 where there is none
	TableBytes  uint64 // of its bitmap
	TookOver    uint64 // 1 where somebody had installed the table before
	TSCHz       uint64
	Descriptors uint64 // in the memory map
	Unknown     uint64 // 1 where the kernel was told to know nothing of unaccepted memory
}

// Answer says in words what firmware said about memory acceptance.
func (s System) Answer() string {
	switch r := negotiate.Reply(s.Reply); {
	case s.Unknown != 0:
		return "not asked"
	case r == negotiate.Refused:
		return r.String() + ", " + uefi.Status(s.Status).String()
	default:
		return r.String()
	}
}

// A Platform is what the guest runs on.
type Platform uint64

// Platforms.
const (
	Plain Platform = onPlain // no memory has to be accepted
	TDX   Platform = onTDX
	SNP   Platform = onSNP
)

func (p Platform) String() string {
	switch p {
	case TDX:
		return "Intel TDX"
	case SNP:
		return "AMD SEV-SNP"
	}
	return "no confidential platform"
}

// Memory is the state of memory at one instant, in bytes.
type Memory struct {
	Total          uint64 // that the allocator has, with what is used of it
	Used           uint64 // by the program and the kernel's page tables
	FreeAccepted   uint64
	FreeUnaccepted uint64
	Unaccepted     uint64 // by the bitmap that all share
	Touched        uint64 // of what had been unaccepted, in whole units of 2 MiB: those of which a page was ever handed out
	Reserve        uint64 // accepted memory that the allocator keeps for the next who needs some, at most

	ByWaiting    uint64 // units that were accepted while somebody waited
	ByBackground uint64 // and while no one did
	Faults       uint64 // page faults that gave the program memory
	SystemCalls  uint64
}

// Describe returns what the kernel found at the start.
func Describe() (s System) {
	call(callSystem, uintptr(unsafe.Pointer(&s)), 0)
	return s
}

// Read fills in m. It allocates nothing, so that what it says is still true when it returns.
func (m *Memory) Read() { call(callMemory, uintptr(unsafe.Pointer(m)), 0) }

// Settle(true) waits until no other processor accepts memory, and has none accept any ahead of use until Settle(false): for as
// long as the program itself touches no new memory, what [Memory.Read] says stays true, and nothing is half accepted.
func Settle(on bool) {
	flag := uintptr(0)
	if on {
		flag = 1
	}
	call(callSettle, flag, 0)
}

// Touch reads a byte of the highest unaccepted memory, which ends a confidential guest: so that one can see how. It
// returns false where nothing is unaccepted.
func Touch() bool { return call(callTouch, 0, 0) == 1 }

// AcceptAll accepts all memory, as a system does that knows no better.
func AcceptAll() { call(callAcceptAll, 0, 0) }

// ErrNoQuote is why [Quote] has none: the guest is no TD, or its host has no attester.
var ErrNoQuote = errors.New("there is nothing that quotes")

// Quote asks the host of a TD for a quote of what the module reports of the TD, with 64 bytes of the caller's in it. It
// waits for 30 s at most, as Linux does. What the host returns proves nothing before somebody has verified it.
func Quote(data [reportDataBytes]byte) ([]byte, error) {
	r := &quoteRequest{data: data}
	_, _, e := syscall.RawSyscall(callAskForQuote, uintptr(unsafe.Pointer(r)), 0, 0)
	for began := time.Now(); e == 0; time.Sleep(time.Millisecond) {
		if _, _, e = syscall.RawSyscall(callReadQuote, uintptr(unsafe.Pointer(r)), 0, 0); e == 0 {
			return r.quote[:r.n], nil
		}
		if e == syscall.EAGAIN && time.Since(began) < 30*time.Second {
			e = 0
		}
	}
	if e == syscall.ENOSYS {
		return nil, ErrNoQuote
	}
	return nil, e
}

// ErrUnaccepted is why [HandOver] refuses.
var ErrUnaccepted = errors.New("refused: memory is unaccepted, which the next one would lose, or touch")

// HandOver ends the program and gives the machine to the next one: to its code at a guest-physical address, which is
// also where it is mapped, for two pages. It finds the system table's address in RDI and that of the table of unaccepted
// memory in RSI, the page tables of the kernel with their direct map, and no interrupts.
//
// While memory is unaccepted it refuses, unless the next one understands the table: it would lose the memory, or touch
// it and end.
func HandOver(code uint64, understands bool) error {
	flag := uintptr(0)
	if understands {
		flag = 1
	}
	switch _, _, e := syscall.RawSyscall(callHandOver, uintptr(code), flag, 0); e {
	case 0:
		return nil
	case syscall.EBUSY:
		return ErrUnaccepted
	default:
		return e // there can be no code
	}
}

// NextStage returns the guest-physical address of a next stage that [HandOver] can go to: it says so on the console and
// switches the machine off.
func NextStage() uint64 { return nextStageLinked - linkBase + contact.imageBase }

func call(nr, a, b uintptr) uintptr {
	r, _, e := syscall.RawSyscall(nr, a, b, 0)
	if e != 0 {
		return -uintptr(e)
	}
	return r
}
