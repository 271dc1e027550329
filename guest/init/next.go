//go:build linux

package main

import (
	"syscall"
	"unsafe"
)

// next starts the kernel that is in the initramfs as /next/vmlinuz, with /next/initrd and the command line /next/cmdline, in place
// of this one. With tacit.crash on this one's command line that kernel is loaded for a crash, and this one is made to crash:
// the other finds what it had in memory as /proc/vmcore. It returns where there is none, or it cannot be started.
func (r *reporter) next() {
	kernel, err := syscall.Open("/next/vmlinuz", syscall.O_RDONLY, 0)
	if err != nil {
		return
	}
	initrd, err := syscall.Open("/next/initrd", syscall.O_RDONLY, 0)
	r.check("next: initrd", err)
	const (
		kexecFileLoad = 320 // the system call's number on x86-64 (arch/x86/entry/syscalls/syscall_64.tbl)
		onCrash       = 2   // KEXEC_FILE_ON_CRASH (include/uapi/linux/kexec.h)
		kexec         = 0x45584543
	)
	crash := word(r.read("/proc/cmdline"), "tacit.crash")
	flags := uintptr(0)
	if crash {
		flags = onCrash
	}
	line := append(r.read("/next/cmdline"), 0)
	if _, _, errno := syscall.Syscall6(kexecFileLoad, uintptr(kernel), uintptr(initrd), uintptr(len(line)), uintptr(unsafe.Pointer(&line[0])), flags, 0); errno != 0 {
		r.check("next: kexec_file_load", errno)
		return
	}
	if !crash {
		console("tacit: starting the next kernel\n")
		r.check("next: reboot", syscall.Reboot(kexec))
		return
	}
	mark()
	console("tacit: crashing\n")
	trigger, err := syscall.Open("/proc/sysrq-trigger", syscall.O_WRONLY, 0)
	r.check("next: sysrq-trigger", err)
	_, err = syscall.Write(trigger, []byte("c"))
	r.check("next: crash", err)
}

// word says whether it is one of the command line's.
func word(cmdline []byte, word string) bool {
	start := 0
	for i := 0; i <= len(cmdline); i++ {
		if i < len(cmdline) && cmdline[i] != ' ' && cmdline[i] != '\n' {
			continue
		}
		if string(cmdline[start:i]) == word {
			return true
		}
		start = i + 1
	}
	return false
}
