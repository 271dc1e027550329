// Package device is the hardware around the processor: what a stock x86-64 Linux kernel needs of a machine, but for PCI,
// and no more.
//
// There are two 16550 UARTs, a CMOS clock, an I/O APIC, a pair of 8259 and high precision event timers where the machine has them, the ACPI sleep registers
// and the reset register, all on one Bus. [NewBoard] puts them together. The constants of board.go say where everything is, for the ACPI tables that tell
// the guest.
//
// # What is absent, and how a guest notices
//
// A probe of missing hardware costs virtual time (in a TD each port access is a #VE), so what is missing must look
// missing at once. A port that no device claims reads as all ones, which is enough for
//
//   - the 8259 interrupt controllers, which a TD has none of: Linux writes a mask to port 0x21, reads it back and does
//     without them (arch/x86/kernel/i8259.c, probe_8259A);
//   - the i8042 keyboard controller, the VGA, PCI configuration and the Super I/O ports. For the i8042 clear the 8042
//     bit of the FADT's boot architecture flags as well: all ones in its status port look like data that never ends, and
//     drivers/input/serio/i8042.c reads 16 times before it gives up.
//
// The interval timer is different: its probe loops while it reads 0xFF, so [PIT] answers just enough to end it.
//
// # Time
//
// A device reads virtual time from a [Clock] and starts no goroutine. One that must act by itself says when through
// [Timer]; the machine stops there and calls Advance. The same accesses at the same virtual times always give the same
// answers and the same interrupts.
//
// # Hostile guests
//
// Any access of any size at any address is answered in bounded time. No access allocates memory: the state of a device
// has a fixed size, and so has the queue of bytes that wait to be received by a UART.
package device

// Clock is virtual time.
type Clock interface {
	// Now returns nanoseconds since the machine started. It never goes back.
	Now() int64
}

// Line is an interrupt request line from a device to an interrupt controller: true asserts it. The call returns after
// the controller has sent the message that follows from it, if any.
type Line func(asserted bool)
