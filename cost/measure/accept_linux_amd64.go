package measure

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	block       = 4 << 20 // what Linux accepts at a time
	page        = 4 << 10
	mostTouched = 1 << 30
	enough      = 24 // acceptances
	long        = 8  // times as long as most touches takes one in which something else happened
)

// acceptance measures what it takes the kernel to accept a block of 4 MiB. It touches memory page by page. The kernel first
// hands out what it has accepted, and then accepts blocks whenever it runs low, in the middle of a page fault. A touch that
// takes long, and after which /proc/meminfo says that less is unaccepted, was one of these. The clock is that of the
// thread, so that what else the processor does meanwhile does not count.
func acceptance(ctx context.Context, most uint64) (Sample, error) {
	m, err := openMeminfo()
	if err != nil {
		return Sample{}, err
	}
	defer m.file.Close()
	left, ok := m.read("Unaccepted:")
	switch {
	case !ok:
		return Sample{}, errors.New("the kernel says nothing of unaccepted memory in /proc/meminfo")
	case left < 16*block:
		return Sample{}, fmt.Errorf("%d MiB are left unaccepted, which is too little: measure soon after the boot", left>>20)
	}
	available, _ := m.read("MemAvailable:")
	most = min(cmp.Or(most, mostTouched), available/2) / block * block
	if most == 0 {
		return Sample{}, errors.New("there is no memory to touch")
	}
	memory, err := unix.Mmap(-1, 0, int(most), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS)
	if err != nil {
		return Sample{}, err
	}
	defer func() { _ = unix.Munmap(memory) }()     // of what this function mapped
	_ = unix.Madvise(memory, unix.MADV_NOHUGEPAGE) // a kernel without large pages does not know it, and has none

	var usual float64 // what most touches take
	var first, ns, whole []float64
	then := threadTime()
	for at := 0; at < len(memory) && len(whole) < enough; at += page {
		memory[at] = 0
		now := threadTime()
		took := float64(now - then)
		switch {
		case at%(64*page) == 0: // so that what was accepted for others meanwhile does not count
			if err := ctx.Err(); err != nil {
				return Sample{}, err
			}
			left, _ = m.read("Unaccepted:")
			now = threadTime()
		case len(first) < block/page:
			if first = append(first, took); len(first) == block/page {
				usual = sampleOf(first).Median
			}
		case took > long*usual:
			before := left
			left, _ = m.read("Unaccepted:")
			if left < before {
				ns = append(ns, (took-usual)/(float64(before-left)/block))
				whole = wholes(ns)
			}
			now = threadTime()
		}
		then = now
	}
	if len(whole) < fewest {
		return Sample{}, fmt.Errorf("of %d MiB touched, %d pages had the kernel accept a whole block: want %d; allow more memory, or measure sooner after the boot",
			most>>20, len(whole), fewest)
	}
	return sampleOf(whole), nil
}

// threadTime is the processor time of this thread in nanoseconds.
func threadTime() int64 {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // every kernel that accepts memory has this clock
	return t.Nano()
}

// meminfo is /proc/meminfo, held open: to read it is to be little work.
type meminfo struct {
	file   *os.File
	buffer [8 << 10]byte
}

func openMeminfo() (*meminfo, error) {
	f, err := os.Open("/proc/meminfo")
	return &meminfo{file: f}, err
}

// read returns a value in bytes.
func (m *meminfo) read(name string) (uint64, bool) {
	n, err := m.file.ReadAt(m.buffer[:], 0)
	if n == 0 && err != nil {
		return 0, false
	}
	for line := range bytes.Lines(m.buffer[:n]) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			kib, err := strconv.ParseUint(string(bytes.TrimSpace(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte("kB")))), 10, 54)
			return kib << 10, err == nil
		}
	}
	return 0, false
}
