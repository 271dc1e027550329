// Package kernel makes a Go program the whole software of a guest: no other kernel, no other libraries, an ordinary
// toolchain. A program imports it, is linked as package guest/efi says, and then is an EFI application that firmware
// starts, of a confidential guest as of any other. It is the least that a Go program needs: memory, threads that take
// turns on one processor, clocks, a console.
//
// # Building a program
//
// The go command is all that it takes; the linker's two flags are LinkFlags of package guest/efi:
//
//	GOOS=linux GOARCH=amd64 CGO_ENABLED=0 go build -o program \
//		-ldflags '-T 0x7f0000001000 -E github.com/tacit-vm/tacit/guest/kernel.Entry' ./guest/demo
//	go run ./guest/mkefi program program.efi
//	go run ./cmd/tacit boot program.efi
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
//	thread.go       the program begins, in the Go runtime, at privilege level 3
//
// From then on the kernel runs when the program calls it (syscall.go: system calls of Linux, as few as the Go runtime
// and package os make), when it touches memory that it has mapped and not used yet (fault.go), and when something goes
// wrong (trap.go). A page fault takes a page from the allocator (package accept/alloc), which has memory accepted when
// what is accepted has been used up, by the driver of the platform (packages accept/tdx and accept/snp). While all threads
// sleep, the kernel accepts a little ahead.
//
// What a program can ask of the kernel beyond Linux's system calls is in program.go: [Describe], [Memory.Read],
// [HandOver].
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
// One processor, although nothing but boot assumes so. No interrupts: a thread runs until it makes a system call, so that
// goroutines are preempted at function calls only. No signals: a nil dereference ends the guest, with a report. No files
// but the console and the report's port. No 32-bit code.
package kernel
