//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"github.com/tacit-vm/tacit/guest/report"
)

// drivers loads the kernel's modules that are in the initramfs, /modules/0 and so on, and has the drivers among them do
// something: read a disk, send on a network, take randomness from a device, have the TD quoted by its host. What they took for their host's
// answers is reported. Without modules it does nothing.
func (r *reporter) drivers() {
	const finitModule = 313 // the system call's number on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl)
	some := false
	for path := []byte("/modules/0\x00"); ; path[len(path)-2]++ { // the names are single characters, in the order of ASCII
		fd, err := syscall.Open(string(path[:len(path)-1]), syscall.O_RDONLY, 0)
		if err != nil {
			break
		}
		some = true
		_, _, errno := syscall.Syscall(finitModule, uintptr(fd), uintptr(unsafe.Pointer(&path[len(path)-1])), 0)
		if errno != 0 && errno != syscall.ENODEV { // which is for another machine
			r.check(string(path[1:len(path)-1]), errno)
		}
		syscall.Close(fd)
	}
	if !some {
		return
	}
	r.readDisk()
	r.bringUp("eth0")
	r.takeRandomness()
	r.takeQuote()
}

// readDisk reads the beginning of the first disk.
func (r *reporter) readDisk() {
	fd, err := syscall.Open("/dev/vda", syscall.O_RDONLY, 0)
	if err != nil {
		return
	}
	_, err = syscall.Pread(fd, r.buffer[:], 0)
	r.check("/dev/vda", err)
	syscall.Close(fd)
}

// bringUp switches a network on, where there is one: the kernel itself then sends what IPv6 wants to be sent.
func (r *reporter) bringUp(name string) {
	const (
		getFlags, setFlags = 0x8913, 0x8914 // SIOCGIFFLAGS, SIOCSIFFLAGS (include/uapi/linux/sockios.h)
		flags              = 16             // offset of 16 bits in struct ifreq (include/uapi/linux/if.h)
		up                 = 1              // IFF_UP
	)
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return
	}
	defer syscall.Close(socket)
	var request [40]byte
	copy(request[:], name)
	if ioctl(socket, getFlags, uintptr(unsafe.Pointer(&request))) != nil {
		return
	}
	request[flags] |= up
	r.check(name, ioctl(socket, setFlags, uintptr(unsafe.Pointer(&request))))
}

// takeRandomness takes more of it than a device gives at once.
func (r *reporter) takeRandomness() {
	const bytes = 4096
	fd, err := syscall.Open("/dev/hwrng", syscall.O_RDONLY, 0)
	if err != nil {
		return
	}
	defer syscall.Close(fd)
	n, err := syscall.Read(fd, r.buffer[:bytes])
	if err != nil {
		r.check("/dev/hwrng", err)
		return
	}
	r.send(r.line.Start(report.Took).Text(report.Random).Number(uint64(n)))
}

// takeQuote asks for a quote in the way of Linux (Documentation/ABI/testing/configfs-tsm-report).
func (r *reporter) takeQuote() {
	const (
		at   = "/config"
		mine = at + "/tsm/report/tacit"
	)
	if syscall.Mkdir(at, 0o755) != nil || syscall.Mount("configfs", at, "configfs", 0, "") != nil || syscall.Mkdir(mine, 0o755) != nil {
		return // there is nothing that quotes
	}
	in, err := syscall.Open(mine+"/inblob", syscall.O_WRONLY, 0)
	if err == nil {
		var nonce [64]byte
		_, err = syscall.Write(in, nonce[:])
		if e := syscall.Close(in); err == nil {
			err = e // of a binary attribute it is here that the kernel takes it
		}
	}
	if err != nil {
		r.check("quote: inblob", err)
		return
	}
	out, err := syscall.Open(mine+"/outblob", syscall.O_RDONLY, 0)
	if err != nil {
		r.check("quote: outblob", err)
		return
	}
	defer syscall.Close(out)
	for n := uint64(0); ; {
		k, err := syscall.Read(out, r.buffer[:])
		switch {
		case err == syscall.EINTR:
		case err != nil:
			r.check("quote: outblob", err)
			return
		case k == 0:
			r.send(r.line.Start(report.Took).Text(report.Quote).Number(n))
			return
		default:
			n += uint64(k)
		}
	}
}
