//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"github.com/tacit-vm/tacit/guest/report"
)

// reporter sends lines to the second serial port.
type reporter struct {
	port   int
	line   report.Line
	buffer [32 << 10]byte // the whole of any file that is read; /proc/vmstat has 5 KiB
	second [8 << 10]byte
}

// openReporter opens the second serial port. Without one the report goes to the console.
func openReporter() *reporter {
	r := &reporter{port: 1, line: make(report.Line, 0, report.MaxLine)}
	port, err := openPort()
	if err == syscall.EIO && poll(port) == nil { // the driver could not start
		syscall.Close(port)
		port, err = openPort()
	}
	if err != nil {
		console("tacit: no serial port at /dev/ttyS1, reporting here\n")
		return r
	}
	syscall.SetNonblock(port, false)
	r.port = port
	return r
}

// openPort opens the serial port for bytes as they are. It is open where that is all that fails.
func openPort() (port int, err error) {
	// Without O_NONBLOCK, opening would wait for a carrier.
	if port, err = syscall.Open("/dev/ttyS1", syscall.O_WRONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0); err != nil {
		return port, err
	}
	return port, raw(port)
}

// poll tells the kernel's driver that the port has no interrupt, so that it looks by a timer whether a byte can be sent
// (Linux drivers/tty/serial/8250/8250_core.c, univ8250_setup_timer). A kernel that was told to leave the I/O APIC alone,
// by nosmp, maxcpus=0 or noapic, has none for it, and what is written comes back as an error.
func poll(port int) error {
	const (
		tiocgserial, tiocsserial = 0x541E, 0x541F // include/uapi/asm-generic/ioctls.h
		irq                      = 12             // offset of a 32-bit field of serial_struct (include/uapi/linux/serial.h)
	)
	var settings [72]byte
	if err := ioctl(port, tiocgserial, uintptr(unsafe.Pointer(&settings))); err != nil {
		return err
	}
	clear(settings[irq : irq+4])
	return ioctl(port, tiocsserial, uintptr(unsafe.Pointer(&settings)))
}

// raw makes the port pass bytes as they are, whatever its modem lines say.
func raw(port int) error {
	var t syscall.Termios
	if err := ioctl(port, syscall.TCGETS, uintptr(unsafe.Pointer(&t))); err != nil {
		return err
	}
	t.Iflag, t.Oflag, t.Lflag = 0, 0, 0
	t.Cflag = syscall.B115200 | syscall.CS8 | syscall.CREAD | syscall.CLOCAL
	return ioctl(port, syscall.TCSETS, uintptr(unsafe.Pointer(&t)))
}

func ioctl(fd int, request, argument uintptr) error {
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(fd), request, argument); errno != 0 {
		return errno
	}
	return nil
}

// send writes a line. If that fails there is nowhere to say so.
func (r *reporter) send(l *report.Line) {
	for b := l.Bytes(); len(b) > 0; {
		n, err := syscall.Write(r.port, b)
		if err == syscall.EINTR {
			continue
		}
		if err != nil || n <= 0 {
			return
		}
		b = b[n:]
	}
}

// drain waits until all bytes have left the port, as tcdrain(3) does.
func (r *reporter) drain() {
	const tcsbrk = 0x5409 // Linux include/uapi/asm-generic/ioctls.h; with a nonzero argument it only waits
	ioctl(r.port, tcsbrk, 1)
}

// check reports an error, if it is one.
func (r *reporter) check(what string, err error) {
	if err != nil {
		r.send(r.line.Start(report.Error).Text(what).Text(err.Error()))
	}
}

// read returns the content of a file, as far as the buffer holds it; nothing if there is no such file. The result is
// good until the next read.
func (r *reporter) read(path string) []byte {
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		return nil
	}
	defer syscall.Close(fd)
	return readAll(fd, r.buffer[:])
}

// readAll reads an open file from its start.
func readAll(fd int, into []byte) []byte {
	n := 0
	for n < len(into) {
		k, err := syscall.Pread(fd, into[n:], int64(n))
		if err == syscall.EINTR {
			continue
		}
		if err != nil || k <= 0 {
			break
		}
		n += k
	}
	return into[:n]
}
