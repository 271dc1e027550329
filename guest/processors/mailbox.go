package processors

import (
	"sync/atomic"
	"unsafe"
)

// Layout of the mailbox (ACPI 6.5, table 5.44): a page of firmware's, which all processors but the first look at.
const (
	mailboxCommand = 0 // 16 bits, and 16 that are reserved
	mailboxAPICID  = 4
	mailboxVector  = 8

	mailboxNoop   = 0
	mailboxWakeUp = 1

	// MailboxSize is how much of the mailbox is the system's, in bytes.
	MailboxSize = 2048
)

// WakeUp asks the processor with an APIC ID to begin at vector, a guest-physical address below 4 GiB, in 64-bit mode with
// page tables of firmware's that lead each address there to itself. mailbox is where the guest reaches the mailbox. A
// processor that comes clears the command, so that others can be asked: [Woken].
func WakeUp(mailbox []byte, id uint32, vector uint64) {
	put32(mailbox[mailboxAPICID:], id)
	put64(mailbox[mailboxVector:], vector)
	command(mailbox).Store(mailboxWakeUp)
}

// Woken says whether the processor that was asked for has come.
func Woken(mailbox []byte) bool { return command(mailbox).Load()&0xFFFF == mailboxNoop }

func command(mailbox []byte) *atomic.Uint32 {
	return (*atomic.Uint32)(unsafe.Pointer(&mailbox[mailboxCommand]))
}
