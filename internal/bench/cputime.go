package bench

import (
	"time"

	"golang.org/x/sys/unix"
)

// cpuTime returns how much processor time the process has used, in user and kernel mode.
func cpuTime() (time.Duration, error) {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}
