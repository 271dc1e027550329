package vm

import "golang.org/x/sys/unix"

// peakRSS returns the most memory that this process has had resident, in bytes (getrusage(2) of macOS: bytes).
func peakRSS() uint64 {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return uint64(u.Maxrss)
}
