package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// A Usage is what a process has taken of the host, from its start to its end.
type Usage struct {
	CPU  time.Duration // of processors, in user and kernel mode
	Wall time.Duration
	Peak uint64 // resident memory at most, in bytes
}

// A Process is a command whose usage is measured.
type Process struct {
	Args  []string
	Env   []string   // in addition to this process's
	Files []*os.File // its descriptors from 3 on

	// Check says whether the process did what it was to do, by what it has written; may be nil.
	Check func(output []byte) error
}

// keepOutput is how much of a process's output is shown where it fails, in bytes.
const keepOutput = 1000

// Run runs the process to its end.
func (p *Process) Run(ctx context.Context) (Usage, error) {
	cmd := exec.CommandContext(ctx, p.Args[0], p.Args[1:]...)
	cmd.Env, cmd.ExtraFiles = append(os.Environ(), p.Env...), p.Files
	cmd.WaitDelay = time.Second
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	began := time.Now()
	err := cmd.Run()
	u := Usage{Wall: time.Since(began)}
	if err == nil && p.Check != nil {
		err = p.Check(out.Bytes())
	}
	if err != nil {
		if ctx.Err() != nil {
			return u, ctx.Err()
		}
		tail := out.Bytes()[max(0, out.Len()-keepOutput):]
		return u, fmt.Errorf("%s: %w: %s", p.Args[0], err, strings.TrimSpace(string(tail)))
	}
	u.CPU = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	if !ok {
		return u, errors.New("this system does not tell what a process has taken")
	}
	u.Peak = uint64(usage.Maxrss) // getrusage(2): kilobytes on Linux, bytes on macOS
	if runtime.GOOS == "linux" {
		u.Peak <<= 10
	}
	return u, nil
}
