//go:build linux && amd64

// Command edges asks the kernel for what the Go runtime never asks for, and says what became of it. Its words are which of
// that to do last.
package main

import (
	"fmt"
	"os"
	"slices"
	"syscall"
	"unsafe"

	"github.com/tacit-vm/tacit/guest/kernel"
)

const (
	page  = 4 << 10
	large = 2 << 20
	ret   = 0xC3 // an instruction
)

func main() {
	words := os.Args[1:]
	b, err := syscall.Mmap(-1, 0, 4*large, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		fmt.Println("mmap:", err)
		return
	}
	for i := 0; i < len(b); i += page {
		b[i] = ret
	}
	start := uintptr(unsafe.Pointer(&b[0]))
	fmt.Println("munmap of no bytes:", munmap(start, 0))
	fmt.Println("munmap inside a page:", munmap(start+1, page))
	fmt.Println("munmap of the kernel:", munmap(0xffff_8000_0000_0000, page))
	fmt.Println("munmap of too much:", munmap(start, 1<<63))
	fmt.Println("munmap of a page:", munmap(start+3*page, page))
	left := 0
	for i := 0; i < len(b); i += page {
		if i != 3*page && b[i] == ret {
			left++
		}
	}
	fmt.Println(left, "pages left")
	fmt.Println("hand over to nowhere:", kernel.HandOver(1<<62, true))
	fmt.Println("hand over into unaccepted memory:", kernel.HandOver(1<<30, true))
	switch {
	case slices.Contains(words, "execute-small"):
		execute(&b[0])
	case slices.Contains(words, "execute-large"):
		execute(&b[large])
	}
}

func munmap(start, n uintptr) error {
	if _, _, e := syscall.RawSyscall(syscall.SYS_MUNMAP, start, n, 0); e != 0 {
		return e
	}
	return nil
}

// execute calls what is at code, which is data.
func execute(code *byte) {
	f := &code
	(*(*func())(unsafe.Pointer(&f)))()
	fmt.Println("executed data")
}
