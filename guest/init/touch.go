//go:build linux

package main

import (
	"syscall"

	"github.com/tacit-vm/tacit/guest/report"
)

const page = 4096

// touch makes the kernel find, and so accept, that many bytes of memory: one store to each page of a mapping that
// stays. The byte stored is zero. It takes a page from the kernel like any other, but a machine that keeps no pages of
// zeros needs no memory of its own for it. It reports an error if there is not that much.
func (r *reporter) touch(size uint64) {
	available, ok := value(r.read("/proc/meminfo"), "MemAvailable", ':')
	if !ok || size>>10 > available {
		// The kernel would end this process, and with it the guest, for want of memory.
		r.send(r.line.Start(report.Error).Text("touch: KiB available:").Number(available))
		return
	}
	memory, err := syscall.Mmap(-1, 0, int(size), syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		r.check("touch: mmap", err)
		return
	}
	for i := 0; i < len(memory); i += page {
		memory[i] = 0
	}
	r.send(r.line.Start(report.Touched).Number(size))
}
