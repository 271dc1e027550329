//go:build linux

package main

import (
	"syscall"
	"unsafe"

	"github.com/tacit-vm/tacit/guest/report"
)

// snapshot reads the kernel's books on memory and reports them. The machine outside compares them with its own at the
// marks, so nothing between the marks may allocate: the files are open and have been read once, which made the kernel
// allocate what reading them takes, and the first mark has left the port before they are read again.
func (r *reporter) snapshot(name string) {
	meminfo, err := syscall.Open("/proc/meminfo", syscall.O_RDONLY, 0)
	r.check("/proc/meminfo", err)
	vmstat, err := syscall.Open("/proc/vmstat", syscall.O_RDONLY, 0)
	r.check("/proc/vmstat", err)
	readAll(meminfo, r.second[:])
	readAll(vmstat, r.buffer[:])

	r.send(r.line.Start(report.Begin).Text(name))
	r.drain()
	first := readAll(meminfo, r.second[:])
	second := readAll(vmstat, r.buffer[:])
	r.send(r.line.Start(report.End).Text(name))
	r.drain()

	r.line.Start(report.Meminfo)
	for _, field := range report.MeminfoFields {
		if n, ok := value(first, field, ':'); ok {
			r.line.Field(field, n)
		}
	}
	r.send(&r.line)
	r.line.Start(report.VMStat)
	for _, field := range report.VMStatFields {
		if n, ok := value(second, field, ' '); ok {
			r.line.Field(field, n)
		}
	}
	r.send(&r.line)
	r.send(r.line.Start(report.Clock).Field("monotonic", clock(1)).Field("realtime", clock(0)))
	syscall.Close(meminfo)
	syscall.Close(vmstat)
}

// clock reads CLOCK_REALTIME (0) or CLOCK_MONOTONIC (1), in nanoseconds (Linux include/uapi/linux/time.h).
func clock(which uintptr) uint64 {
	var t syscall.Timespec
	syscall.Syscall(syscall.SYS_CLOCK_GETTIME, which, uintptr(unsafe.Pointer(&t)), 0)
	return uint64(t.Nano())
}

// system reports what does not change: the kernel, its command line, the processor.
func (r *reporter) system() {
	var name syscall.Utsname
	if err := syscall.Uname(&name); err != nil {
		r.check("uname", err)
	} else {
		r.send(r.line.Start(report.Uname).Text(text(name.Release[:])).Text(text(name.Version[:])))
	}
	r.send(r.line.Start(report.Cmdline).Text(firstLine(r.read("/proc/cmdline"))))
	if flags, ok := after(r.read("/proc/cpuinfo"), "flags\t\t: "); ok {
		r.send(r.line.Start(report.CPUFlags).Text(flags))
	}
	if level, ok := number(r.read("/sys/devices/system/cpu/sev/vmpl")); ok {
		r.send(r.line.Start(report.VMPL).Number(level))
	}
}

func text(chars []int8) string {
	b := make([]byte, 0, len(chars))
	for _, c := range chars {
		if c == 0 {
			break
		}
		b = append(b, byte(c))
	}
	return string(b)
}
