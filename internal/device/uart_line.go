package device

// Modem status register bits (PC16550D, Modem Status Register).
const (
	msrDeltaCTS = 1 << 0
	msrDeltaDSR = 1 << 1
	msrRingEnd  = 1 << 2 // TERI: the ring indicator went off
	msrDeltaDCD = 1 << 3
	msrCTS      = 1 << 4
	msrDSR      = 1 << 5
	msrRing     = 1 << 6
	msrDCD      = 1 << 7
)

// settle brings what lies outside the registers up to date after each access: modem lines, input, interrupt line.
func (u *UART) settle() {
	u.watchModem()
	u.fill()
	// In loopback mode the OUT2 pin is inactive whatever its bit says (PC16550D, Modem Control Register), which closes
	// the PC's gate.
	assert := u.interrupt() != iirNone && u.mcr&(mcrOut2|mcrLoopback) == mcrOut2
	if assert != u.asserted {
		u.asserted = assert
		u.irq(assert)
	}
}

// send transmits a byte, which leaves the transmitter empty again.
func (u *UART) send(b byte) {
	u.drained = true
	switch {
	case u.mcr&mcrLoopback != 0:
		u.loop(b)
	case u.transmit != nil:
		u.transmit(b)
	}
}

// loop receives a byte that the UART sent itself. A full FIFO loses the new byte, the single register of 16450 mode the
// old one (PC16550D, Line Status Register).
func (u *UART) loop(b byte) {
	switch {
	case u.received.length < u.depth():
		u.received.push(b)
	case u.fcr&fcrEnable != 0:
		u.overrun = true
	default:
		u.overrun = true
		u.received.clear()
		u.received.push(b)
	}
}

// fill receives from the line as much as flow control allows. In loopback mode the line is cut off.
func (u *UART) fill() {
	if u.mcr&(mcrRTS|mcrLoopback) != mcrRTS {
		return
	}
	for u.input.length > 0 && u.received.length < u.depth() {
		u.received.push(u.input.pop())
	}
}

func (u *UART) depth() int {
	if u.fcr&fcrEnable != 0 {
		return uartFIFODepth
	}
	return 1
}

// modemLines returns MSR bits 7:4: a peer that is always there and ready, so that a program may open the terminal
// without being told to ignore the carrier; in loopback mode the UART's own outputs (PC16550D, Modem Control Register).
func (u *UART) modemLines() uint8 {
	if u.mcr&mcrLoopback == 0 {
		return msrCTS | msrDSR | msrDCD
	}
	var lines uint8
	for _, wire := range [...]struct{ out, in uint8 }{
		{mcrRTS, msrCTS}, {mcrDTR, msrDSR}, {mcrOut1, msrRing}, {mcrOut2, msrDCD},
	} {
		if u.mcr&wire.out != 0 {
			lines |= wire.in
		}
	}
	return lines
}

// watchModem notes which modem lines changed. Only the end of a ring is noted, not its beginning.
func (u *UART) watchModem() {
	lines := u.modemLines()
	changed := lines ^ u.modem
	u.delta |= (changed >> 4) & (msrDeltaCTS | msrDeltaDSR | msrDeltaDCD)
	u.delta |= (changed & u.modem & msrRing) >> 4 // bit 6 to TERI, bit 2
	u.modem = lines
}
