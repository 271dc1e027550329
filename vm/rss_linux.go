package vm

import (
	"bufio"
	"fmt"
	"os"
)

// peakRSS returns the most memory that this process has had resident, in bytes: VmHWM of proc(5), in KiB. What
// getrusage(2) says includes what the process that started this one had resident.
func peakRSS() uint64 {
	f, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer f.Close()
	for s := bufio.NewScanner(f); s.Scan(); {
		var kib uint64
		if n, _ := fmt.Sscanf(s.Text(), "VmHWM: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}
