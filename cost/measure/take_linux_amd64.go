package measure

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func cpuid(leaf, subleaf uint32) (eax, ebx, ecx, edx uint32)

func vmmcall()

// Take measures in the guest where the program runs. It takes a second or two; what could not be measured is in the set's
// notes.
func Take(ctx context.Context, o Options) (Set, error) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	s := Set{Platform: o.Platform, HostPage: o.HostPage, Processor: processorName(), Measured: map[string]Sample{}}
	if s.Platform == "" {
		s.Platform = platform()
	}
	if s.Platform == "" {
		return s, errors.New("this looks like no virtual machine: say which with --platform")
	}
	var name unix.Utsname
	if unix.Uname(&name) == nil {
		s.Kernel = unix.ByteSliceToString(name.Release[:])
	}
	leaf := func(n uint32) func() { return func() { cpuid(n, 0) } }
	what := map[string]func(){Syscall: func() { unix.Getppid() }}
	switch s.Platform {
	case "tdx":
		what[CPUIDModule], what[CPUIDGuest], what[CPUIDHost] = leaf(0), leaf(2), leaf(0x4000_0000)
	case "snp":
		what[CPUIDGuest], what[Hypercall] = leaf(0), vmmcall
	case "none":
		what[CPUIDHost] = leaf(0)
	default:
		return s, fmt.Errorf("no platform %q: there are tdx, snp, none", s.Platform)
	}
	empty := timed(func() {}, 0).Median
	for _, k := range KindsOf(s.Platform) {
		if err := ctx.Err(); err != nil {
			return s, err
		}
		if do := what[k.Name]; do != nil {
			s.Measured[k.Name] = timed(do, empty)
		}
	}
	if s.Platform != "none" {
		sample, err := acceptance(ctx, o.Memory)
		if err != nil {
			if ctx.Err() != nil {
				return s, ctx.Err()
			}
			s.Notes = append(s.Notes, fmt.Sprintf("%s: %v", Accept, err))
		} else {
			s.Measured[Accept] = sample
		}
	}
	return s, nil
}

const (
	batches = 500
	batch   = 8 // times between two looks at the clock
)

// timed measures what one of do takes, less what is known to be spent on measuring.
func timed(do func(), less float64) Sample {
	var ns []float64
	for range batches {
		began := time.Now()
		for range batch {
			do()
		}
		ns = append(ns, float64(time.Since(began))/batch-less)
	}
	return sampleOf(ns)
}

// platform is what the guest looks like; empty for no guest.
func platform() string {
	if max, _, _, _ := cpuid(0, 0); max >= 0x21 {
		if _, b, c, d := cpuid(0x21, 0); b == 0x65746E49 && d == 0x5844546C && c == 0x20202020 { // "IntelTDX    "
			return "tdx"
		}
	}
	for _, path := range []string{"/sys/devices/system/cpu/sev/vmpl", "/dev/sev-guest"} {
		if _, err := os.Stat(path); err == nil {
			return "snp"
		}
	}
	if _, _, c, _ := cpuid(1, 0); c>>31 != 0 {
		return "none"
	}
	return ""
}

// processorName is what /proc/cpuinfo calls the processor, as far as it can be printed.
func processorName() string {
	b, err := os.ReadFile("/proc/cpuinfo")
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(b)) {
		if name, value, _ := strings.Cut(line, ":"); strings.TrimSpace(name) == "model name" {
			value = strings.Map(func(r rune) rune {
				if r < ' ' || r > '~' {
					return -1
				}
				return r
			}, strings.TrimSpace(value))
			return value[:min(len(value), 100)]
		}
	}
	return ""
}
