package vm

import "golang.org/x/sys/unix"

// availableMemory returns the host's memory in bytes (sysctl(3), hw.memsize); 0 where it is not known.
func availableMemory() uint64 {
	n, err := unix.SysctlUint64("hw.memsize")
	if err != nil {
		return 0
	}
	return n
}
