//go:build linux

package main

import "syscall"

// replug takes a processor away and brings it back, as an administrator would (Documentation/core-api/cpu_hotplug.rst).
func (r *reporter) replug(cpu uint64) {
	path := []byte("/sys/devices/system/cpu/cpu0/online")
	const digit = len("/sys/devices/system/cpu/cpu")
	path[digit] += byte(cpu % 10)
	for _, online := range [...]string{"0", "1"} {
		fd, err := syscall.Open(string(path), syscall.O_WRONLY, 0)
		if err == nil {
			_, err = syscall.Write(fd, []byte(online))
			syscall.Close(fd)
		}
		r.check("replug", err)
	}
}
