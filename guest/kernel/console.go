//go:build linux && amd64

package kernel

import "unsafe"

// Serial ports of a PC (16550A): the first is the console, on the second the program reports to the machine.
const (
	com1 = 0x3F8
	com2 = 0x2F8

	uartLineStatus = 5
	uartEmpty      = 1 << 5 // the transmitter takes a FIFO's worth
	uartFIFO       = 16
	uartPatience   = 1 << 16 // polls after which a port counts as absent or stuck
)

// send sends bytes through a serial port, which gets CR before each LF where it is the console.
func (k *kernel) send(port uint16, from, n uint64) {
	for i := uint64(0); i < n; i++ {
		c := *(*uint8)(pointer(from + i))
		if c == '\n' && port == com1 && k.last != '\r' && !k.raw {
			k.sendByte(port, '\r')
		}
		k.sendByte(port, c)
		if port == com1 {
			k.last = c
		}
	}
}

func (k *kernel) sendByte(port uint16, c uint8) {
	room := &k.room[0]
	if port == com2 {
		room = &k.room[1]
	}
	if *room == 0 {
		for i := 0; i < uartPatience && k.in(port+uartLineStatus)&uartEmpty == 0; i++ {
		}
		*room = uartFIFO
	}
	*room--
	k.out(port, c)
}

// openPorts sets the serial ports up: 115,200 baud, eight bits, FIFO. Where there is none its status reads as ones.
func (k *kernel) openPorts() {
	for _, port := range [...]uint16{com1, com2} {
		k.out(port+1, 0)    // no interrupts
		k.out(port+3, 0x80) // divisor
		k.out(port, 1)
		k.out(port+1, 0)
		k.out(port+3, 3) // 8N1
		k.out(port+2, 1) // FIFO on
	}
	k.hasReport = k.in(com2+uartLineStatus) != 0xFF
	k.ports = true
}

// puts prints on the console: firmware's while it is there. After that, and until the serial port can be used, what is
// said is lost.
func (k *kernel) puts(s string) {
	if !k.ports {
		if !k.left {
			k.say(s)
		}
		return
	}
	k.send(com1, uint64(uintptr(unsafe.Pointer(unsafe.StringData(s)))), uint64(len(s)))
}

func (k *kernel) lineStart() {
	if k.last != '\n' {
		k.puts("\n")
	}
}

func (k *kernel) hex(v uint64) {
	k.puts("0x")
	started := false
	for shift := 60; shift >= 0; shift -= 4 {
		d := v >> shift & 15
		if started = started || d != 0 || shift == 0; started {
			k.puts("0123456789abcdef"[d : d+1])
		}
	}
}

func (k *kernel) dec(v uint64) {
	var digits [20]byte
	k.puts(decimal(&digits, v))
}
