package firmware

import (
	"encoding/binary"

	"github.com/tacit-vm/tacit/internal/x86"
)

// The mailbox through which an operating system starts the processors of a TD other than the first (ACPI 6.5, 5.2.12.19;
// GHCI for TDX, 4.3.5): the host can neither start nor interrupt them into anything. Real firmware has them wait in a loop
// of its own; here they wait in Go, and no time passes for them.
//
// The table's structure is of version 0: a processor that has left cannot come back, so a system that kexec starts has
// the first processor only.

// Layout of the mailbox (ACPI 6.5, table 5.44). It has a page.
const (
	mailboxCommand = 0 // 16 bits
	mailboxAPICID  = 4
	mailboxVector  = 8

	mailboxWakeup = 1
)

// A wakeup is where processors wait.
type wakeup struct {
	mailbox    uint64 // guest-physical; 0 where there is none
	pageTables uint64 // that they have when they leave
}

// wakeupPages is the mailbox and the page tables after it.
const wakeupPages = 3

// prepare writes page tables that map the first 4 GiB to themselves, in pages of 1 GiB.
func (w *wakeup) prepare(f *Firmware, at uint64) error {
	*w = wakeup{at, at + pageSize}
	const table = ptePresent | pteWrite | pteAccessed
	b := make([]byte, wakeupPages*pageSize)
	le := binary.LittleEndian
	pointers := w.pageTables + pageSize
	le.PutUint64(b[pageSize:], pointers|f.cfg.PrivateBit|table)
	for i := range uint64(4) {
		le.PutUint64(b[2*pageSize+8*i:], i<<30|f.cfg.PrivateBit|table|pteDirty|pteLarge)
	}
	return f.put(at, b)
}

// Mailbox says whom the operating system wants to have started, by the number that is its APIC ID. Any processor can look.
func (f *Firmware) Mailbox(c *x86.CPU) (id uint32, ok bool, err error) {
	if f.wakeup.mailbox == 0 {
		return 0, false, nil
	}
	var b [8]byte
	if err := c.ReadPhysical(f.wakeup.mailbox|f.cfg.PrivateBit, b[:]); err != nil {
		return 0, false, err
	}
	return binary.LittleEndian.Uint32(b[mailboxAPICID:]), binary.LittleEndian.Uint16(b[mailboxCommand:]) == mailboxWakeup, nil
}

// Wake lets a processor leave that the mailbox names: it clears the command and goes to the vector.
func (f *Firmware) Wake(c *x86.CPU) error {
	at := f.wakeup.mailbox | f.cfg.PrivateBit
	var b [8]byte
	if err := c.ReadPhysical(at+mailboxVector, b[:]); err != nil {
		return err
	}
	if err := c.WritePhysical(at+mailboxCommand, make([]byte, 8)); err != nil {
		return err
	}
	x86CPU{c}.LongMode(launch{pageTables: f.wakeup.pageTables | f.cfg.PrivateBit})
	s := c.State()
	s.RFLAGS &^= flagIF
	s.GDTR, s.IDTR = x86.Table{}, x86.Table{} // it brings its own
	s.RIP = binary.LittleEndian.Uint64(b[:])
	c.SetState(&s)
	return nil
}
