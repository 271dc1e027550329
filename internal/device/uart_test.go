package device

import (
	"errors"
	"io"
	"testing"
)

// bench is a UART with what it sent and its interrupt line.
type bench struct {
	*UART
	sent []byte
	irq  bool
}

func newBench() *bench {
	b := &bench{}
	b.UART = newUART(func(asserted bool) { b.irq = asserted }, func(c byte) { b.sent = append(b.sent, c) })
	return b
}

func wantReg(t *testing.T, u *UART, what string, offset uint16, want uint8) {
	t.Helper()
	if got := u.In(offset); got != want {
		t.Errorf("%s: register %d reads %#02x, want %#02x", what, offset, got, want)
	}
}

// The probe of Linux's serial8250 driver (8250_port.c, autoconfig and autoconfig_16550a with
// CONFIG_SERIAL_8250_16550A_VARIANTS) must see a plain 16550A: each wrong turn has a name.
func TestUARTProbe(t *testing.T) {
	u := newBench().UART

	scratch := u.In(uartIER)
	u.Out(uartIER, 0)
	wantReg(t, u, "nothing there", uartIER, 0)
	u.Out(uartIER, 0x0F)
	wantReg(t, u, "nothing there", uartIER, 0x0F)
	u.Out(uartIER, scratch)

	u.Out(uartMCR, mcrLoopback|mcrOut2|mcrRTS)
	if got := u.In(uartMSR) & 0xF0; got != msrDCD|msrCTS {
		t.Errorf("loopback test: modem status %#02x", got)
	}
	u.Out(uartMCR, 0)

	u.Out(uartLCR, 0xBF)
	u.Out(uartIIR, 0) // the EFR of a 16650
	u.Out(uartLCR, 0)
	u.Out(uartIIR, fcrEnable)
	wantReg(t, u, "not a 16550A", uartIIR, 0xC1)

	u.Out(uartLCR, lcrDLAB)
	if u.In(uartIIR) == 0 {
		t.Error("looks like an ST16650: EFR")
	}
	u.Out(uartLCR, 0xBF)
	if u.In(uartIIR) == 0 {
		t.Error("looks like an ST16650V2: EFR")
	}

	u.Out(uartLCR, 0)
	before := u.In(uartMCR)
	u.Out(uartLCR, 0xE0)
	bank2 := u.In(uartIIR)
	u.Out(uartLCR, 0)
	u.Out(uartMCR, before^mcrLoopback)
	u.Out(uartLCR, 0xE0)
	if (u.In(uartIIR)^bank2)&mcrLoopback != 0 {
		t.Error("looks like a National Semiconductor Super I/O: EXCR1 follows MCR")
	}
	u.Out(uartLCR, 0)
	u.Out(uartMCR, before)

	for _, lcr := range []uint8{0, lcrDLAB} {
		u.Out(uartLCR, lcr)
		u.Out(uartIIR, fcrEnable|0x20)
		if got := u.In(uartIIR) & 0xE0; got != 0xC0 {
			t.Errorf("looks like a TI16750 or a clone: FIFO bits %#02x with LCR %#02x", got, lcr)
		}
		u.Out(uartIIR, fcrEnable)
	}
	u.Out(uartLCR, 0)

	u.Out(uartIER, 0x40)
	wantReg(t, u, "looks like an Xscale: IER bit 6", uartIER, 0)

	if got := sizeFIFO(u); got != 16 {
		t.Errorf("FIFO size %d, want 16", got)
	}
	wantReg(t, u, "divisor restored", uartLCR, 0)
}

// sizeFIFO counts how much of 256 bytes a FIFO keeps in loopback mode (8250_port.c, size_fifo).
func sizeFIFO(u *UART) (count int) {
	u.Out(uartIIR, fcrEnable|fcrClearReceiver|4)
	u.Out(uartMCR, mcrLoopback)
	u.Out(uartLCR, lcrDLAB)
	low, high := u.In(uartData), u.In(uartIER)
	u.Out(uartData, 1)
	u.Out(uartIER, 0)
	u.Out(uartLCR, 3)
	for i := range 256 {
		u.Out(uartData, uint8(i))
	}
	for count < 256 && u.In(uartLSR)&lsrDataReady != 0 {
		if u.In(uartData) != uint8(count) {
			return -1
		}
		count++
	}
	u.Out(uartIIR, fcrEnable)
	u.Out(uartMCR, 0)
	u.Out(uartLCR, lcrDLAB)
	u.Out(uartData, low)
	u.Out(uartIER, high)
	u.Out(uartLCR, 0)
	return count
}

// The divisor that Linux divides the console's clock by must not be 0 at reset (probe_baud).
func TestUARTDivisor(t *testing.T) {
	u := newBench().UART
	u.Out(uartLCR, lcrDLAB)
	wantReg(t, u, "DLL at reset", uartData, 1)
	wantReg(t, u, "DLM at reset", uartIER, 0)
	u.Out(uartData, 0x34)
	u.Out(uartIER, 0x12)
	u.Out(uartLCR, 0)
	wantReg(t, u, "IER is not DLM", uartIER, 0)
	u.Out(uartLCR, lcrDLAB)
	wantReg(t, u, "DLL", uartData, 0x34)
	wantReg(t, u, "DLM", uartIER, 0x12)
}

// Linux tests whether enabling the transmitter interrupt raises it each time (serial8250_do_startup): if not, it falls
// back to a timer that polls the UART.
func TestUARTTransmitInterruptIsRaisedAgain(t *testing.T) {
	u := newBench().UART
	for range 2 {
		u.Out(uartIER, ierTransmitter)
		wantReg(t, u, "enabled while empty", uartIIR, iirTransmitter)
		wantReg(t, u, "reading IIR clears it", uartIIR, iirNone)
		u.Out(uartIER, 0)
	}
	u.Out(uartIER, ierTransmitter)
	wantReg(t, u, "empty", uartLSR, lsrHoldingEmpty|lsrTransmitterEmpty)
	wantReg(t, u, "LSR does not clear it", uartIIR, iirTransmitter)
	u.Out(uartIER, ierTransmitter)
	wantReg(t, u, "enabling what is enabled", uartIIR, iirNone)
	u.Out(uartData, 'x')
	wantReg(t, u, "sent", uartIIR, iirTransmitter)
}

// The PC's gate: no interrupt leaves the board without OUT2, nor in loopback mode.
func TestUARTInterruptGate(t *testing.T) {
	b := newBench()
	b.Out(uartIER, ierTransmitter)
	if b.irq {
		t.Error("interrupt without OUT2")
	}
	b.Out(uartMCR, mcrOut2)
	if !b.irq {
		t.Error("no interrupt with OUT2")
	}
	b.Out(uartMCR, mcrOut2|mcrLoopback)
	if b.irq {
		t.Error("interrupt in loopback mode")
	}
	b.Out(uartMCR, mcrOut2)
	b.In(uartIIR)
	if b.irq {
		t.Error("interrupt after IIR was read")
	}
}

// receive handles interrupts as serial8250_handle_irq and serial8250_rx_chars do.
func receive(b *bench) (got []byte) {
	for b.irq {
		if b.In(uartIIR)&iirNone != 0 {
			break
		}
		for b.In(uartLSR)&lsrDataReady != 0 {
			got = append(got, b.In(uartData))
		}
	}
	return got
}

func TestUARTReceive(t *testing.T) {
	b := newBench()
	text := []byte("more than a FIFO holds, and none of it is lost")
	if n, err := b.Write(text[:20]); n != 20 || err != nil {
		t.Fatalf("Write: %d, %v", n, err)
	}
	// Opening the terminal empties the FIFO: what the host sent before must survive.
	b.Out(uartIIR, fcrEnable)
	b.Out(uartIIR, fcrEnable|fcrClearReceiver|4)
	b.Out(uartIIR, fcrEnable|2<<fcrTriggerShift)
	b.Out(uartIER, ierReceived|ierLineStatus)
	if b.In(uartLSR)&lsrDataReady != 0 {
		t.Error("received without RTS")
	}
	b.Out(uartMCR, mcrDTR|mcrRTS|mcrOut2)
	if !b.irq {
		t.Fatal("no interrupt")
	}
	wantReg(t, b.UART, "FIFO over its trigger level", uartIIR, iirReceived|iirFIFO)
	got := receive(b)
	if _, err := b.Write(text[20:]); err != nil {
		t.Fatal(err)
	}
	got = append(got, receive(b)...)
	if string(got) != string(text) {
		t.Errorf("received %q, want %q", got, text)
	}

	b.Write([]byte{'k'})
	wantReg(t, b.UART, "a single key: character timeout", uartIIR, iirTimeout|iirFIFO)
	wantReg(t, b.UART, "reading IIR does not clear it", uartIIR, iirTimeout|iirFIFO)
	wantReg(t, b.UART, "the key", uartData, 'k')
	if b.irq {
		t.Error("interrupt after the FIFO was emptied")
	}
}

// What waits to be received is bounded, and in order across the queue's end.
func TestUARTInputIsBounded(t *testing.T) {
	b := newBench()
	big := make([]byte, uartInput+1)
	for i := range big {
		big[i] = byte(i * 7)
	}
	if n, err := b.Write(big); n != uartInput || !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("Write: %d, %v", n, err)
	}
	if n, err := b.Write(big); n != 0 || !errors.Is(err, io.ErrShortWrite) {
		t.Fatalf("Write to a full queue: %d, %v", n, err)
	}
	b.Out(uartMCR, mcrRTS)
	for i := range uartInput {
		if got := b.In(uartData); got != byte(i*7) {
			t.Fatalf("byte %d: %#02x", i, got)
		}
		if n, err := b.Write([]byte{byte((uartInput + i) * 7)}); n != 1 || err != nil {
			t.Fatalf("Write after a read: %d, %v", n, err)
		}
	}
	for i := range uartInput {
		if got := b.In(uartData); got != byte((uartInput+i)*7) {
			t.Fatalf("byte %d: %#02x", uartInput+i, got)
		}
	}
	wantReg(t, b.UART, "drained", uartLSR, lsrHoldingEmpty|lsrTransmitterEmpty)
}

// In loopback mode the UART hears itself only; the other end waits.
func TestUARTLoopbackCutsTheLine(t *testing.T) {
	u := newBench().UART
	u.Out(uartIIR, fcrEnable)
	u.Out(uartMCR, mcrRTS|mcrLoopback)
	u.Write([]byte("h"))
	u.Out(uartData, 'o')
	wantReg(t, u, "its own byte", uartData, 'o')
	wantReg(t, u, "no other", uartLSR, lsrHoldingEmpty|lsrTransmitterEmpty)
	u.Out(uartMCR, mcrRTS)
	wantReg(t, u, "the host's", uartData, 'h')
}

func TestUARTOverrun(t *testing.T) {
	u := newBench().UART
	u.Out(uartIER, ierLineStatus|ierReceived)
	u.Out(uartMCR, mcrLoopback)
	u.Out(uartData, 'a')
	u.Out(uartData, 'b')
	wantReg(t, u, "line status comes first", uartIIR, iirLineStatus)
	wantReg(t, u, "overrun", uartLSR, lsrHoldingEmpty|lsrTransmitterEmpty|lsrOverrun|lsrDataReady)
	wantReg(t, u, "reading LSR clears it", uartLSR, lsrHoldingEmpty|lsrTransmitterEmpty|lsrDataReady)
	wantReg(t, u, "then the byte", uartIIR, iirReceived)
	wantReg(t, u, "16450 mode keeps the newest", uartData, 'b')
	wantReg(t, u, "nothing left", uartIIR, iirNone)
}

func TestUARTModemStatus(t *testing.T) {
	u := newBench().UART
	wantReg(t, u, "a peer is there, nothing has changed", uartMSR, msrDCD|msrDSR|msrCTS)
	u.Out(uartIER, ierModemStatus)
	u.Out(uartMCR, mcrLoopback)
	wantReg(t, u, "modem interrupt", uartIIR, iirModemStatus)
	wantReg(t, u, "all lines fell", uartMSR, msrDeltaCTS|msrDeltaDSR|msrDeltaDCD)
	wantReg(t, u, "reading MSR clears it", uartIIR, iirNone)
	u.Out(uartMCR, mcrLoopback|mcrOut1)
	wantReg(t, u, "a ring begins: no delta", uartMSR, msrRing)
	u.Out(uartMCR, mcrLoopback)
	wantReg(t, u, "a ring ends", uartMSR, msrRingEnd)
	for _, wire := range []struct{ mcr, msr uint8 }{
		{mcrDTR, msrDSR | msrDeltaDSR}, {mcrRTS, msrCTS | msrDeltaCTS}, {mcrOut2, msrDCD | msrDeltaDCD},
	} {
		u.Out(uartMCR, mcrLoopback|wire.mcr)
		wantReg(t, u, "looped back", uartMSR, wire.msr)
		u.Out(uartMCR, mcrLoopback)
		u.In(uartMSR)
	}
}
