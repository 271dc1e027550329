// Command mounts makes a system call that no one serves in a guest that is a Go program.
package main

import (
	"fmt"
	"syscall"
)

func main() { fmt.Println(syscall.Mount("none", "/mnt", "tmpfs", 0, "")) }
