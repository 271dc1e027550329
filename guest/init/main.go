//go:build linux

// Command init is the only file of the initramfs that a machine starts when it is given no other: it reports what it
// sees of memory on the second serial port, touches some if asked to, and powers off. Package report has the language
// of the report.
//
// A processor in software runs it, before and after long stretches of memory acceptance, so it is sparing: system calls
// and no package of the standard library above syscall; no allocation worth the name; and since each byte to a serial
// port is an exit to the host, only the fields of /proc that say something about memory.
//
// Kernel modules in the initramfs are loaded and tried (drivers.go). The kernel's command line is its only other input: tacit.touch=SIZE, bytes with an optional K, M or G, is memory to touch
// before the report, and tacit.replug=CPU is a processor to take away and to bring back.
// The kernel ignores parameters with a dot that belong to no module.
package main

import (
	"syscall"

	"github.com/tacit-vm/tacit/guest/report"
)

func main() {
	if syscall.Getpid() != 1 {
		console("init: this is the first process of a guest and powers off when done; it runs nowhere else\n")
		syscall.Exit(2)
	}
	console("tacit: init\n")
	mounted := mount()
	r := openReporter()
	r.send(r.line.Start(report.Header).Number(report.Version))
	r.check("mount", mounted)

	r.next()
	r.core()
	r.drivers()
	if cpu, ok := parameter(r.read("/proc/cmdline"), "tacit.replug="); ok {
		r.replug(cpu)
	}
	if size, ok := parameter(r.read("/proc/cmdline"), "tacit.touch="); ok {
		r.snapshot(report.Untouched)
		r.touch(size)
	}
	r.snapshot("init")
	r.system()
	r.send(r.line.Start(report.Done))
	r.drain()
	powerOff(r)
}

// powerOff does not return: if the kernel refuses, the end of the first process is a panic, which the machine sees.
func powerOff(r *reporter) {
	syscall.Sync()
	err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF)
	console("tacit: power-off failed\n")
	r.check("power-off", err)
	r.drain()
	syscall.Exit(1)
}
