//go:build linux

package main

import "syscall"

// mount brings up the file systems that the report reads, and /dev for the serial port.
func mount() error {
	for _, m := range []struct{ kind, at string }{
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
	} {
		if err := syscall.Mkdir(m.at, 0o555); err != nil && err != syscall.EEXIST {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && err != syscall.EBUSY {
			return err
		}
	}
	return nil
}

// console prints for people; the kernel gives its first process the console as standard output.
func console(text string) { syscall.Write(1, []byte(text)) }
