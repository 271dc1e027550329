package device

import "io"

// uartPorts is the number of I/O ports of a UART.
const uartPorts = 8

// Register offsets (National Semiconductor PC16550D data sheet, Summary of Registers; the headings named below are also
// there). While LCR's divisor latch access bit (DLAB) is set, offsets 0 and 1 are the divisor.
const (
	uartData    = 0 // RBR when read, THR when written; DLL
	uartIER     = 1 // interrupt enable; DLM
	uartIIR     = 2 // interrupt identification when read, FIFO control (FCR) when written
	uartLCR     = 3 // line control
	uartMCR     = 4 // modem control
	uartLSR     = 5 // line status
	uartMSR     = 6 // modem status
	uartScratch = 7
)

// Interrupt enable register bits (Interrupt Enable Register).
const (
	ierReceived    = 1 << 0 // ERBFI
	ierTransmitter = 1 << 1 // ETBEI
	ierLineStatus  = 1 << 2 // ELSI
	ierModemStatus = 1 << 3 // EDSSI
	ierMask        = 0x0F
)

// Interrupt identification register values (Interrupt Control Functions), in falling priority.
const (
	iirLineStatus  = 0x06
	iirReceived    = 0x04
	iirTimeout     = 0x0C
	iirTransmitter = 0x02
	iirModemStatus = 0x00
	iirNone        = 0x01
	iirFIFO        = 0xC0 // both set while FIFOs are enabled: how Linux tells a 16550A from its forerunners
)

// FIFO control register bits (FIFO Control Register).
const (
	fcrEnable        = 1 << 0
	fcrClearReceiver = 1 << 1
	fcrTriggerShift  = 6
)

// Line control, modem control and line status register bits (headings of those names).
const (
	lcrDLAB = 1 << 7

	mcrDTR      = 1 << 0
	mcrRTS      = 1 << 1
	mcrOut1     = 1 << 2
	mcrOut2     = 1 << 3
	mcrLoopback = 1 << 4
	mcrMask     = 0x1F

	lsrDataReady        = 1 << 0
	lsrOverrun          = 1 << 1
	lsrHoldingEmpty     = 1 << 5 // THRE
	lsrTransmitterEmpty = 1 << 6 // TEMT
)

const (
	uartFIFODepth = 16
	// uartInput is the number of bytes that can wait for the guest to receive them.
	uartInput = 4096
)

// fifoTrigger is the number of received bytes that raises an interrupt, by FCR bits 7:6 (FIFO Control Register).
var fifoTrigger = [4]int{1, 4, 8, 14}

// UART is a PC16550D with its FIFOs, as PCs wire it: the interrupt line passes a gate that OUT2 opens.
//
// The transmitter takes no time, so it is always empty. The receiver's line takes none either: the character timeout,
// which on silicon interrupts for fewer bytes than the trigger level after four silent character times, does so at
// once. Thus a UART needs no timer. Word length, parity, stop bits, break and divisor are stored and change nothing;
// DMA signals do not exist on a PC.
//
// It writes what the guest transmits to a function and receives what the host writes with [UART.Write].
type UART struct {
	irq      Line
	transmit func(byte)

	ier, fcr, lcr, mcr, scratch, dll, dlm uint8

	received ring  // the receiver FIFO, or one byte of it in 16450 mode
	input    ring  // what the other end has yet to send
	overrun  bool  // LSR's overrun error, until LSR is read
	drained  bool  // the transmitter interrupt is pending, whether enabled or not
	modem    uint8 // MSR bits 7:4 as last seen
	delta    uint8 // MSR bits 3:0, until MSR is read
	asserted bool  // what irq was last told
}

// newUART returns a UART after reset, its divisor set to 115200 baud as firmware leaves it: Linux takes the console's
// speed from there, dividing by it (drivers/tty/serial/8250/8250_port.c, probe_baud). The function transmit may be nil.
func newUART(irq Line, transmit func(byte)) *UART {
	u := &UART{irq: irq, transmit: transmit, dll: 1, received: newRing(uartFIFODepth), input: newRing(uartInput)}
	u.modem = u.modemLines()
	return u
}

// Write hands bytes to the guest and returns how many it took: fewer than given, with io.ErrShortWrite, when uartInput
// bytes are waiting. The other end of the line honours flow control, so bytes wait until the guest asserts RTS, which
// Linux does when a program opens the terminal, and none is lost to a full FIFO.
func (u *UART) Write(p []byte) (n int, err error) {
	n = min(len(p), u.input.room())
	for _, b := range p[:n] {
		u.input.push(b)
	}
	u.settle()
	if n < len(p) {
		return n, io.ErrShortWrite
	}
	return n, nil
}

// Waiting says whether a byte waits for the guest, as firmware looks for one that serves the guest: whatever the registers say.
func (u *UART) Waiting() bool { return u.received.length > 0 || u.input.length > 0 }

// Next takes the byte that has waited longest; ok is false where none waits.
func (u *UART) Next() (b byte, ok bool) {
	switch {
	case u.received.length > 0:
		b = u.received.pop()
	case u.input.length > 0:
		b = u.input.pop()
	default:
		return 0, false
	}
	u.settle()
	return b, true
}

// In implements PortDevice.
func (u *UART) In(offset uint16) uint8 {
	value := u.read(offset)
	u.settle()
	return value
}

// Out implements PortDevice.
func (u *UART) Out(offset uint16, value uint8) {
	u.write(offset, value)
	u.settle()
}

func (u *UART) read(offset uint16) uint8 {
	divisor := u.lcr&lcrDLAB != 0
	switch offset {
	case uartData:
		if divisor {
			return u.dll
		}
		if u.received.length == 0 {
			return 0
		}
		return u.received.pop()
	case uartIER:
		if divisor {
			return u.dlm
		}
		return u.ier
	case uartIIR:
		id := u.interrupt()
		if id == iirTransmitter {
			u.drained = false
		}
		if u.fcr&fcrEnable != 0 {
			id |= iirFIFO
		}
		return id
	case uartLCR:
		return u.lcr
	case uartMCR:
		return u.mcr
	case uartLSR:
		status := uint8(lsrHoldingEmpty | lsrTransmitterEmpty)
		if u.received.length > 0 {
			status |= lsrDataReady
		}
		if u.overrun {
			status |= lsrOverrun
		}
		u.overrun = false
		return status
	case uartMSR:
		status := u.modem | u.delta
		u.delta = 0
		return status
	case uartScratch:
		return u.scratch
	}
	return 0xFF
}

func (u *UART) write(offset uint16, value uint8) {
	divisor := u.lcr&lcrDLAB != 0
	switch offset {
	case uartData:
		if divisor {
			u.dll = value
			return
		}
		u.send(value)
	case uartIER:
		if divisor {
			u.dlm = value
			return
		}
		// Enabling the transmitter interrupt while the holding register is empty raises it again, though nothing was
		// sent: this is how a driver starts to transmit, and Linux tests it (serial8250_do_startup).
		if value&^u.ier&ierTransmitter != 0 {
			u.drained = true
		}
		u.ier = value & ierMask
	case uartIIR:
		u.controlFIFO(value)
	case uartLCR:
		u.lcr = value
	case uartMCR:
		u.mcr = value & mcrMask
	case uartScratch:
		u.scratch = value
	}
	// LSR and MSR are for reading; writing them is the chip maker's factory test.
}

// controlFIFO writes FCR. Its other bits count only while FIFOs are enabled, and switching modes empties the FIFOs.
func (u *UART) controlFIFO(value uint8) {
	if (value^u.fcr)&fcrEnable != 0 || value&(fcrEnable|fcrClearReceiver) == fcrEnable|fcrClearReceiver {
		u.received.clear()
	}
	if value&fcrEnable == 0 {
		u.fcr &^= fcrEnable
		return
	}
	u.fcr = value
}

// interrupt returns the IIR value of the pending and enabled interrupt of the highest priority.
func (u *UART) interrupt() uint8 {
	fifo, waiting, trigger := u.fcr&fcrEnable != 0, u.received.length, 1
	if fifo {
		trigger = fifoTrigger[u.fcr>>fcrTriggerShift]
	}
	switch {
	case u.ier&ierLineStatus != 0 && u.overrun:
		return iirLineStatus
	case u.ier&ierReceived != 0 && waiting >= trigger:
		return iirReceived
	case u.ier&ierReceived != 0 && waiting > 0:
		return iirTimeout
	case u.ier&ierTransmitter != 0 && u.drained:
		return iirTransmitter
	case u.ier&ierModemStatus != 0 && u.delta != 0:
		return iirModemStatus
	}
	return iirNone
}
