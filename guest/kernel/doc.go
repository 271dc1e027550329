// Package kernel makes a Go program the whole software of a guest: no other kernel, no other libraries, an ordinary
// toolchain. A program imports it, is linked as package guest/efi says, and then is an EFI application that firmware
// starts, of a confidential guest as of any other. It is the least that a Go program needs: memory, threads on all
// processors, clocks, a console.
//
// # Building a program
//
// A program imports the package, if only for its effect, and is otherwise an ordinary one:
//
//	package main
//
//	import (
//		"fmt"
//
//		_ "github.com/tacit-vm/tacit/guest/kernel"
//	)
//
//	func main() { fmt.Println("hello") }
//
// The go command is all that it takes. In a module of one's own, with the commands as tools of it; the linker's two
// flags are LinkFlags of package guest/efi:
//
//	go get -tool github.com/tacit-vm/tacit/guest/mkefi github.com/tacit-vm/tacit/cmd/tacit
//	GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build -o program \
//		-ldflags '-T 0x7f0000001000 -E github.com/tacit-vm/tacit/guest/kernel.Entry' .
//	go tool mkefi program program.efi
//	go tool tacit boot program.efi
//
// Here it is go run ./guest/mkefi, and ./guest/demo is a program. Built without the flags, programs run on Linux as any
// other, where Describe and Memory.Read return zeros.
//
// # What a program finds
//
// The words of the load options (tacit boot --append) are its arguments. Standard output and error are the first serial
// port; standard input is at its end. File 3 is the second serial port, where there is one, and takes reports (package
// guest/report).
//
// When the program ends with status 0 the machine is switched off; with any other status, as after a panic or a deadlock,
// the console says which, and the machine is switched off with an error, for which tacit boot exits with 4. Exceptions are
// signals as on Linux: a nil dereference is a panic.
//
// All of the program is loaded, its variables that are zero, too, and firmware accepts that memory before the program
// starts: package crypto/tls has 32 MiB of it. Memory that is allocated is accepted when it is used. With its variables
// a program can have 512 MiB.
//
// # Programs that do not import it
//
// Built alone (command guest/monitor), the package is the kernel of an ordinary executable, which is in the image after it
// (function Pack of package guest/efi). Such a program finds more: a timer, by which its goroutines are preempted, its
// arguments and environment, files of its own. docs/guest.md says what; tacit guest build makes such an image.
//
// # From firmware to main
//
//	entry_amd64.s   firmware has put the program somewhere; memory for the first page tables is asked for
//	early.go        page tables with the program where it is linked
//	boot.go         the memory map is read and checked, firmware is told that memory can be accepted, a table for the
//	                bitmap is allocated and installed; ExitBootServices, again where firmware has changed the map
//	paging.go       page tables of the kernel's own
//	descriptors.go  segments, 256 gates with stacks of their own, SYSCALL
//	platform.go     TDX or SEV-SNP: td.go, snp.go
//	memory.go       the bitmap and the allocator on it; what no bit can stand for is accepted
//	processors.go   the other processors are started (package guest/processors), and wait for the program
//	archive.go      the file system: node.go, path.go, link.go, descriptor.go, and proc.go for what is in /proc
//	start.go        the program begins, in the Go runtime, at privilege level 3; payload.go: another program than this one
//
// From then on the kernel runs when the program calls it (syscall.go, syscallfiles.go: those system calls of Linux that the Go
// runtime and package os make), when it touches memory that it has mapped and not used yet (fault.go), when a thread's time is up
// (timer.go, thread.go), and when something goes wrong (trap.go, signal.go). A page fault takes a page from the allocator (package accept/alloc), which has memory
// accepted when what is accepted has been used up, by the driver of the platform (packages accept/tdx and accept/snp).
// A processor that has no thread to run accepts a little ahead. What processors share is under one lock (lock.go).
//
// What a program can ask of the kernel beyond Linux's system calls is in program.go: [Describe], [Memory.Read],
// [HandOver]; and for others, who are to know what the program runs in, [Quote].
//
// # What kernel code must not do
//
// The kernel is a part of the program and shares its Go runtime's code, not its state. It runs on stacks and with a g of
// its own. So it allocates nothing, stores no Go pointer after boot (the collector would have to hear of it), and needs
// no variable that a package initialiser makes: page faults come before those have run. What it knows is in one variable
// (kernel.go).
//
// # What is not there
//
// For a program that imports the package and has one processor there is no timer: a thread runs until it makes a system call,
// so that goroutines are preempted at function calls only. Processors other than the first are not there for whom the machine
// is handed over to: they stay in the kernel. No /proc. No named pipes, no processes, and no network: to open a socket is an
// error. A system call that is not served ends the program (unserved.go). No 32-bit code. Page tables of four levels only, and
// no AVX.
package kernel
