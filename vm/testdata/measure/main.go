//go:build linux

// Command measure is the init of a guest in which a test measures what events cost: it prints the file of measurements on
// the console, between two lines, and switches the guest off.
package main

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"github.com/tacit-vm/tacit/cost/file"
	"github.com/tacit-vm/tacit/cost/measure"
)

func main() {
	for kind, at := range map[string]string{"proc": "/proc", "sysfs": "/sys"} {
		_ = os.Mkdir(at, 0o555) // it may be there
		if err := syscall.Mount(kind, at, kind, 0, ""); err != nil {
			fmt.Println("mount:", err)
		}
	}
	page := "2M"
	for _, word := range os.Args[1:] { // the kernel passes on words that it does not know
		if word == "host-4K" {
			page = "4K"
		}
	}
	s, err := measure.Take(context.Background(), measure.Options{HostPage: page})
	if err != nil {
		fmt.Println("measure:", err)
	}
	fmt.Println("--- measured")
	if err := file.WriteMeasurements(os.Stdout, s); err != nil {
		fmt.Println("write:", err)
	}
	fmt.Println("--- end")
	_ = syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF) // what comes after is a panic, which the test sees
}
